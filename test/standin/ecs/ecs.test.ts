/**
 * The stand-in's ECS, through the real SDK client and with real processes as tasks. What is promised here is what Rekey
 * relies on: secrets are read at task start and at no other time, a rollout refuses no request, a failed one comes back,
 * and a rollback brings back a task definition but not a secret.
 */
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  type CreateServiceCommandInput,
  DeleteServiceCommand,
  DescribeServiceDeploymentsCommand,
  DescribeServiceRevisionsCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListServiceDeploymentsCommand,
  ListServicesCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  type Secret,
  StopServiceDeploymentCommand,
  StopTaskCommand,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import { afterEach, expect, test, vi } from "vitest";
import { AwsError } from "../service.ts";
import { createEcs, type EcsEvent, type EcsOptions } from "./ecs.ts";

const SAMPLE = fileURLToPath(new URL("sampleContainer.ts", import.meta.url));
const ORPHANING = fileURLToPath(new URL("orphaningParent.ts", import.meta.url));
const SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:demo/db-AbCdEf";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** One secret with two versions; `current` is the version that AWSCURRENT stands on. */
function vault() {
  const versions: Record<string, { password: string; user: string }> = {
    v1: { password: "first", user: "app" },
    v2: { password: "second", user: "app" },
  };
  const store = {
    current: "v1",
    resolve: async (id: string, jsonKey?: string, stage = "AWSCURRENT", versionId?: string) => {
      const version = versionId ?? { AWSCURRENT: store.current, AWSPREVIOUS: "v1" }[stage];
      const document = version === undefined ? undefined : versions[version];
      if (!SECRET.startsWith(id) || !document) throw new AwsError("ResourceNotFoundException", `no ${id}`);
      const text =
        jsonKey === undefined ? JSON.stringify(document) : new Map(Object.entries(document)).get(jsonKey);
      if (text === undefined) throw new Error(`the secret has no JSON key ${jsonKey}`);
      return { text, versionId: version ?? "" };
    },
  };
  return store;
}

/** An ECS behind a door of its own, and a client with a key that nobody checks. */
async function open(options: Partial<EcsOptions> = {}) {
  const store = vault();
  const { service, handle } = createEcs({
    region: "eu-central-1",
    account: "123456789012",
    baseEnv: { PATH: process.env["PATH"] ?? "" },
    resolveSecret: store.resolve,
    ...options,
    pace: { drainMs: 300, stopTimeoutMs: 5_000, ...options.pace },
  });
  const door = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, name = ""] = String(request.headers["x-amz-target"]).split(".");
    const caller = { principalArn: "arn:aws:iam::123456789012:user/test", userAgent: "" };
    try {
      const answer = await service.operations[name]?.(JSON.parse(Buffer.concat(chunks).toString()), caller);
      response.end(JSON.stringify(answer));
    } catch (error) {
      const { type, message, status } =
        error instanceof AwsError ? error : new AwsError("InternalFailure", String(error), 500);
      response.statusCode = status;
      response.end(JSON.stringify({ __type: type, message }));
    }
  });
  await new Promise<void>((listening) => door.listen(0, "127.0.0.1", listening));
  const address = door.address();
  const port = typeof address === "object" ? address?.port : 0;
  const client = new ECSClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-central-1",
    credentials: { accessKeyId: "AKIDTEST", secretAccessKey: "test" },
    maxAttempts: 1,
  });
  const events: EcsEvent[] = [];
  handle.emitter.on("event", (event) => events.push(event));
  closers.push(async () => {
    client.destroy();
    await handle.stop();
    door.closeAllConnections();
    await new Promise((closed) => door.close(closed));
  });
  await client.send(new CreateClusterCommand({ clusterName: "demo" }));

  const register = (
    secrets: Secret[] = [{ name: "VALUE", valueFrom: `${SECRET}:password::` }],
    more: Record<string, unknown> = {},
  ) =>
    client.send(
      new RegisterTaskDefinitionCommand({
        family: "web",
        containerDefinitions: [
          {
            name: "app",
            image: "web:1",
            command: ["node", SAMPLE],
            portMappings: [{ containerPort: 8080, hostPort: 0 }],
            healthCheck: { command: ["CMD", "http", "/health"] },
            secrets,
            ...more,
          },
        ],
      }),
    );
  const describe = async (service = "web") => {
    const got = await client.send(new DescribeServicesCommand({ cluster: "demo", services: [service] }));
    const [found] = got.services ?? [];
    if (!found) throw new Error("the service is gone");
    return found;
  };
  const newest = async () => {
    const got = await client.send(new ListServiceDeploymentsCommand({ cluster: "demo", service: "web" }));
    const [arn] = (got.serviceDeployments ?? []).map((one) => one.serviceDeploymentArn ?? "");
    const described = await client.send(
      new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [arn ?? ""] }),
    );
    const [found] = described.serviceDeployments ?? [];
    if (!found) throw new Error("no service deployment");
    return found;
  };
  const ends = async (status: string) => {
    await until(async () => (await newest()).status === status, `a service deployment that is ${status}`);
    return newest();
  };
  const create = async (input: Partial<CreateServiceCommandInput> = {}) => {
    await client.send(
      new CreateServiceCommand({ cluster: "demo", serviceName: "web", taskDefinition: "web", ...input }),
    );
    return ends("SUCCESSFUL");
  };
  const force = () =>
    client.send(new UpdateServiceCommand({ cluster: "demo", service: "web", forceNewDeployment: true }));
  const values = () =>
    Promise.all(
      handle.targets("web").map(async ({ port }) => (await fetch(`http://127.0.0.1:${port}/`)).text()),
    );
  const versionsInUse = () =>
    handle
      .tasks("web")
      .filter(({ isReady }) => isReady)
      .flatMap(({ secrets }) => secrets.map(({ versionId }) => versionId));
  return {
    client,
    handle,
    store,
    events,
    register,
    describe,
    newest,
    ends,
    create,
    force,
    values,
    versionsInUse,
  };
}

async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 25_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resume) => setTimeout(resume, 30));
  }
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("a forced deployment under traffic refuses no request and ends with tasks that read the new value", async () => {
  const ecs = await open();
  await ecs.register();
  await ecs.create({ desiredCount: 2 });
  expect(await ecs.values()).toEqual(["first", "first"]);

  const seen: string[] = [];
  const failures: unknown[] = [];
  let isOver = false;
  const traffic = Promise.all(
    [0, 1, 2].map(async (worker) => {
      for (let turn = worker; !isOver; turn += 1) {
        const targets = ecs.handle.targets("web");
        const port = targets[turn % targets.length]?.port;
        await fetch(`http://127.0.0.1:${port}/`)
          .then(async (response) => seen.push(await response.text()))
          .catch((error: unknown) => failures.push(error));
        await new Promise((resume) => setTimeout(resume, 5));
      }
    }),
  );
  ecs.store.current = "v2";
  const { service } = await ecs.force();
  const deployment = await ecs.ends("SUCCESSFUL");
  isOver = true;
  await traffic;

  expect(failures).toEqual([]);
  expect(seen.filter((value) => value === "first").length).toBeGreaterThan(10);
  expect(seen.filter((value) => value === "second").length).toBeGreaterThan(10);
  expect(await ecs.values()).toEqual(["second", "second"]);
  expect(ecs.versionsInUse()).toEqual(["v2", "v2"]);
  const [primary] = service?.deployments ?? [];
  expect(deployment.targetServiceRevision?.arn?.split("/").at(-1)).toBe(primary?.id?.replace("ecs-svc/", ""));
  const after = await ecs.describe();
  expect(
    after.deployments?.map(({ id, rolloutState, runningCount }) => [id, rolloutState, runningCount]),
  ).toEqual([[primary?.id, "COMPLETED", 2]]);
});

test("a task keeps the value it was started with; only a new task reads the new one", async () => {
  const ecs = await open();
  await ecs.register();
  await ecs.create();
  ecs.store.current = "v2";
  expect(await ecs.values()).toEqual(["first"]);

  const [before] = ecs.handle.tasks("web");
  await ecs.client.send(new StopTaskCommand({ cluster: "demo", task: before?.taskArn, reason: "by hand" }));
  await until(() => ecs.versionsInUse().includes("v2"), "the replacement");

  expect(await ecs.values()).toEqual(["second"]);
  await until(() => ecs.handle.tasks("web")[0]?.lastStatus === "STOPPED", "the end of the old task");
  const { tasks } = await ecs.client.send(
    new DescribeTasksCommand({ cluster: "demo", tasks: [before?.taskArn ?? ""] }),
  );
  expect(
    tasks?.map(({ stopCode, stoppedReason, containers }) => [
      stopCode,
      stoppedReason,
      containers?.[0]?.exitCode,
    ]),
  ).toEqual([["UserInitiated", "by hand", 0]]);
  expect(ecs.handle.logs(before?.taskArn ?? "")).toEqual([
    expect.stringMatching(/^app\| listening \d+$/),
    "app| stopping",
  ]);
});

test("a crash loop trips the circuit breaker, and the tasks that the rollback starts read the new value", async () => {
  const ecs = await open();
  await ecs.register();
  // All old tasks may go at once, so that the rollback has to start new ones.
  await ecs.create({
    desiredCount: 2,
    deploymentConfiguration: {
      minimumHealthyPercent: 0,
      maximumPercent: 100,
      deploymentCircuitBreaker: { enable: true, rollback: true },
    },
  });
  const good = (await ecs.newest()).targetServiceRevision?.arn;

  ecs.store.current = "v2";
  ecs.handle.failNext("web", "crash");
  const { service } = await ecs.force();
  const ours = service?.deployments?.[0]?.id;
  const deployment = await ecs.ends("ROLLBACK_SUCCESSFUL");

  expect(deployment.deploymentCircuitBreaker).toEqual({ status: "TRIGGERED", failureCount: 3, threshold: 3 });
  expect(deployment.rollback?.serviceRevisionArn).toBe(good);
  expect(await ecs.values()).toEqual(["second", "second"]);
  expect((await ecs.describe()).deployments?.map(({ id }) => id)).not.toContain(ours);
  const announced = ecs.events
    .filter((event) => event["detail-type"] === "ECS Deployment State Change")
    .map(({ detail }) => [detail["eventName"], detail["eventType"], detail["deploymentId"] === ours]);
  expect(announced.slice(2)).toEqual([
    ["SERVICE_DEPLOYMENT_IN_PROGRESS", "INFO", true],
    ["SERVICE_DEPLOYMENT_FAILED", "ERROR", true],
    ["SERVICE_DEPLOYMENT_IN_PROGRESS", "INFO", false],
    ["SERVICE_DEPLOYMENT_COMPLETED", "INFO", false],
  ]);
});

test("without the breaker a sick deployment hangs until it is stopped with rollback, and the old tasks never left", async () => {
  const ecs = await open();
  await ecs.register();
  await ecs.create({ desiredCount: 2 });
  const serving = ecs.handle.targets("web");
  ecs.handle.failNext("web", "unhealthy");
  await ecs.force();
  await until(
    () => ecs.handle.tasks("web").filter((one) => one.lastStatus === "RUNNING").length === 4,
    "new tasks",
  );
  expect((await ecs.newest()).status).toBe("IN_PROGRESS");

  const { serviceDeploymentArn } = await ecs.newest();
  await ecs.client.send(new StopServiceDeploymentCommand({ serviceDeploymentArn, stopType: "ROLLBACK" }));
  await ecs.ends("ROLLBACK_SUCCESSFUL");

  expect(ecs.handle.targets("web")).toEqual(serving);
  expect((await ecs.describe()).runningCount).toBe(2);
  const again = ecs.client.send(
    new StopServiceDeploymentCommand({ serviceDeploymentArn, stopType: "ROLLBACK" }),
  );
  await expect(again).rejects.toMatchObject({ name: "ConflictException" });
});

test("a newer deployment supersedes the one under way, and only the newer one succeeds", async () => {
  const ecs = await open();
  await ecs.register();
  await ecs.create();
  ecs.handle.failNext("web", "unhealthy");
  await ecs.force();
  await until(async () => (await ecs.newest()).status === "IN_PROGRESS", "the first deployment");
  await ecs.force();
  await ecs.ends("SUCCESSFUL");

  const all = await ecs.client.send(new ListServiceDeploymentsCommand({ cluster: "demo", service: "web" }));
  expect(all.serviceDeployments?.map(({ status }) => status)).toEqual([
    "SUCCESSFUL",
    "STOPPED",
    "SUCCESSFUL",
  ]);
  const stopped = await ecs.client.send(
    new ListServiceDeploymentsCommand({ cluster: "demo", service: "web", status: ["STOPPED"] }),
  );
  expect(stopped.serviceDeployments?.map(({ statusReason }) => statusReason)).toEqual([
    "The service deployment was superseded by a newer service deployment.",
  ]);
  expect((await ecs.describe()).deployments?.length).toBe(1);
});

test("a deployment that is aborted stays where it is: nothing is started, nothing comes back", async () => {
  const ecs = await open();
  await ecs.register();
  await ecs.create();
  ecs.handle.failNext("web", "unhealthy");
  await ecs.force();
  await until(async () => (await ecs.newest()).status === "IN_PROGRESS", "the deployment");
  const { serviceDeploymentArn } = await ecs.newest();
  await ecs.client.send(new StopServiceDeploymentCommand({ serviceDeploymentArn, stopType: "ABORT" }));
  const stopped = await ecs.ends("STOPPED");
  expect(stopped.rollback).toBeUndefined();
  expect(stopped.stoppedAt).toBeInstanceOf(Date);
  expect(
    (await ecs.describe()).deployments?.map(({ status, rolloutState }) => [status, rolloutState]),
  ).toEqual([
    ["PRIMARY", "FAILED"],
    ["ACTIVE", "COMPLETED"],
  ]);
  // A service that is stuck there is freed by the next deployment.
  await ecs.force();
  await ecs.ends("SUCCESSFUL");
  expect(await ecs.values()).toEqual(["first"]);
});

test("a first deployment that crashes has nothing to roll back to", async () => {
  const ecs = await open();
  await ecs.register(undefined, { command: ["false"] });
  await ecs.client.send(
    new CreateServiceCommand({
      cluster: "demo",
      serviceName: "web",
      taskDefinition: "web",
      deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
    }),
  );
  const failed = await ecs.ends("ROLLBACK_FAILED");
  expect(failed.statusReason).toContain("no completed deployment to roll back to");
  const started = ecs.handle.tasks("web").length;
  await new Promise((resume) => setTimeout(resume, 500));
  expect(ecs.handle.tasks("web").length).toBe(started);
});

test("a new task definition is rolled out, and rolled back to the one before", async () => {
  const ecs = await open();
  await ecs.register();
  await ecs.create({
    deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
  });
  const second = await ecs.register(undefined, { command: ["false"] });
  await ecs.client.send(new UpdateServiceCommand({ cluster: "demo", service: "web", taskDefinition: "web" }));
  expect((await ecs.describe()).taskDefinition).toBe(second.taskDefinition?.taskDefinitionArn);
  const back = await ecs.ends("ROLLBACK_SUCCESSFUL");
  expect((await ecs.describe()).taskDefinition).toMatch(/task-definition\/web:1$/);
  const { serviceRevisions } = await ecs.client.send(
    new DescribeServiceRevisionsCommand({
      serviceRevisionArns: [back.targetServiceRevision?.arn ?? "", back.rollback?.serviceRevisionArn ?? ""],
    }),
  );
  expect(serviceRevisions?.map(({ taskDefinition }) => taskDefinition?.split(":").at(-1))).toEqual([
    "2",
    "1",
  ]);
});

test("a task that falls ill leaves the targets and is replaced", async () => {
  const ecs = await open({ pace: { steadyProbeMs: 50, probeTimeoutMs: 300 } });
  await ecs.register();
  await ecs.create();
  const [sick] = ecs.handle.targets("web");
  const pid = ecs.handle.logs(sick?.taskArn ?? "").find((line) => line.includes("listening"));
  process.kill(Number(pid?.replace("app| listening ", "")), "SIGSTOP");
  await until(() => {
    const [target] = ecs.handle.targets("web");
    return target !== undefined && target.taskArn !== sick?.taskArn;
  }, "another target");
  expect(await ecs.values()).toEqual(["first"]);
});

test.for([
  { desired: 4, minimum: 100, maximum: 200, readyAtLeast: 4, tasksAtMost: 8 },
  { desired: 4, minimum: 50, maximum: 100, readyAtLeast: 2, tasksAtMost: 4 },
  { desired: 3, minimum: 100, maximum: 134, readyAtLeast: 3, tasksAtMost: 4 },
  { desired: 1, minimum: 0, maximum: 100, readyAtLeast: 0, tasksAtMost: 1 },
])(
  "$desired tasks at $minimum/$maximum percent roll between $readyAtLeast and $tasksAtMost",
  async (limits) => {
    const ecs = await open({ processes: false, pace: { startDelayMs: 20, drainMs: 10 } });
    await ecs.register();
    await ecs.create({
      desiredCount: limits.desired,
      deploymentConfiguration: {
        minimumHealthyPercent: limits.minimum,
        maximumPercent: limits.maximum,
      },
    });
    const ready: number[] = [];
    const all: number[] = [];
    ecs.handle.emitter.on("event", () => {
      const tasks = ecs.handle.tasks("web");
      ready.push(tasks.filter(({ isReady }) => isReady).length);
      all.push(tasks.filter(({ lastStatus }) => lastStatus !== "STOPPED").length);
    });
    await ecs.force();
    await ecs.ends("SUCCESSFUL");
    expect(Math.min(...ready)).toBe(limits.readyAtLeast);
    expect(Math.max(...all)).toBe(limits.tasksAtMost);
  },
);

test("valueFrom resolves a JSON key, a stage, a pinned version and the whole secret", async () => {
  const ecs = await open({ processes: false });
  ecs.store.current = "v2";
  const partial = SECRET.slice(0, -"-AbCdEf".length);
  await ecs.register([
    { name: "KEY", valueFrom: `${SECRET}:password::` },
    { name: "PREVIOUS", valueFrom: `${SECRET}:password:AWSPREVIOUS:` },
    { name: "PINNED", valueFrom: `${SECRET}:password::v1` },
    { name: "WHOLE", valueFrom: partial },
  ]);
  await ecs.create();
  const [task] = ecs.handle.tasks("web");
  expect(task?.secrets.map(({ container, variable, versionId }) => [container, variable, versionId])).toEqual(
    [
      ["app", "KEY", "v2"],
      ["app", "PREVIOUS", "v1"],
      ["app", "PINNED", "v1"],
      ["app", "WHOLE", "v2"],
    ],
  );
});

test("a container is given the pinned version's JSON key, and its plain variables", async () => {
  const ecs = await open();
  ecs.store.current = "v2";
  await ecs.register([{ name: "VALUE", valueFrom: `${SECRET}:password::v1` }]);
  await ecs.create();
  expect(await ecs.values()).toEqual(["first"]);
});

test("secrets are read with the execution role, and a container is given what belongs to its own task", async () => {
  const readers: unknown[] = [];
  const store = vault();
  const ecs = await open({
    resolveSecret: (id, jsonKey, stage, versionId, reader) => {
      readers.push([reader.executionRoleArn, reader.taskArn]);
      return store.resolve(id, jsonKey, stage, versionId);
    },
    taskEnv: ({ taskArn, family }) => ({ VALUE: `${family} ${taskArn}` }),
  });
  await ecs.client.send(
    new RegisterTaskDefinitionCommand({
      family: "web",
      executionRoleArn: "arn:aws:iam::123456789012:role/execution",
      containerDefinitions: [
        {
          name: "app",
          image: "web:1",
          command: ["node", SAMPLE],
          portMappings: [{ containerPort: 8080, hostPort: 0 }],
          secrets: [{ name: "PASSWORD", valueFrom: SECRET }],
        },
      ],
    }),
  );
  await ecs.create();
  const [task] = ecs.handle.tasks("web");
  expect(readers).toEqual([["arn:aws:iam::123456789012:role/execution", task?.taskArn]]);
  expect(await ecs.values()).toEqual([`web ${task?.taskArn}`]);
});

test("a missing JSON key stops the task before any container runs", async () => {
  const ecs = await open();
  await ecs.register([{ name: "VALUE", valueFrom: `${SECRET}:pasword::` }]);
  await ecs.client.send(
    new CreateServiceCommand({ cluster: "demo", serviceName: "web", taskDefinition: "web" }),
  );
  await until(
    () => ecs.handle.tasks("web").some(({ lastStatus }) => lastStatus === "STOPPED"),
    "the refusal",
  );
  const { taskArns } = await ecs.client.send(
    new ListTasksCommand({ cluster: "demo", desiredStatus: "STOPPED" }),
  );
  const { tasks } = await ecs.client.send(new DescribeTasksCommand({ cluster: "demo", tasks: taskArns }));
  expect(tasks?.[0]).toMatchObject({
    stopCode: "TaskFailedToStart",
    stoppedReason:
      "ResourceInitializationError: unable to pull secrets or registry auth: the secret has no JSON key pasword",
  });
  expect(tasks?.[0]?.startedAt).toBeUndefined();
});

test("a name in both environment and secrets is refused, unless older revisions are to be played", async () => {
  const shadow = { environment: [{ name: "VALUE", value: "plain" }] };
  const strict = await open();
  await expect(strict.register(undefined, shadow)).rejects.toMatchObject({
    name: "ClientException",
    message: expect.stringContaining("such as 'VALUE'"),
  });
  const lenient = await open({ allowShadowedKeys: true });
  await lenient.register(undefined, shadow);
  await lenient.create();
  expect(await lenient.values()).toEqual(["plain"]);
});

test("services come in pages of ten, each exactly once, also when one is deleted between pages", async () => {
  const ecs = await open({ processes: false });
  await ecs.register();
  const names = Array.from({ length: 23 }, (_, index) => `s${String(index).padStart(2, "0")}`);
  for (const serviceName of names) {
    await ecs.client.send(
      new CreateServiceCommand({ cluster: "demo", serviceName, taskDefinition: "web", desiredCount: 0 }),
    );
  }
  const pages: number[] = [];
  const found: string[] = [];
  let nextToken: string | undefined;
  do {
    const got = await ecs.client.send(new ListServicesCommand({ cluster: "demo", nextToken }));
    pages.push(got.serviceArns?.length ?? 0);
    found.push(...(got.serviceArns ?? []).map((arn) => arn.split("/").at(-1) ?? ""));
    nextToken = got.nextToken;
    if (pages.length === 1) {
      await ecs.client.send(new DeleteServiceCommand({ cluster: "demo", service: "s03" }));
      await until(async () => (await ecs.describe("s03")).status === "INACTIVE", "the service to be gone");
    }
  } while (nextToken !== undefined);
  expect(pages).toEqual([10, 10, 3]);
  expect(found).toEqual(names);

  const tooMany = ecs.client.send(
    new DescribeServicesCommand({ cluster: "demo", services: names.slice(0, 11) }),
  );
  await expect(tooMany).rejects.toMatchObject({ name: "InvalidParameterException" });
  const absent = await ecs.client.send(
    new DescribeServicesCommand({ cluster: "demo", services: ["absent"] }),
  );
  expect(absent.failures).toEqual([
    { arn: "arn:aws:ecs:eu-central-1:123456789012:service/demo/absent", reason: "MISSING" },
  ]);
});

test("unknown clusters and services, and denied operations, are answered as AWS does", async () => {
  const ecs = await open({ processes: false });
  const inCluster = (cluster: string) =>
    ecs.client.send(new UpdateServiceCommand({ cluster, service: "absent", forceNewDeployment: true }));
  await expect(inCluster("elsewhere")).rejects.toMatchObject({ name: "ClusterNotFoundException" });
  await expect(inCluster("demo")).rejects.toMatchObject({ name: "ServiceNotFoundException" });
  ecs.handle.deny("UpdateService");
  await expect(inCluster("demo")).rejects.toMatchObject({ name: "AccessDeniedException" });
  ecs.handle.allow("UpdateService");
  await expect(inCluster("demo")).rejects.toMatchObject({ name: "ServiceNotFoundException" });
});

test("every operation draws on exactly one token bucket", () => {
  const { service } = createEcs({
    region: "eu-central-1",
    account: "123456789012",
    baseEnv: {},
    resolveSecret: vault().resolve,
  });
  const limited = service.limits.flatMap(({ operations }) => operations);
  expect(limited.toSorted()).toEqual(Object.keys(service.operations).toSorted());
  expect(service.limits.find(({ operations }) => operations.includes("UpdateService"))).toMatchObject({
    burst: 50,
    perSecond: 5,
  });
});

test("a lone task is run with its overrides and is nobody's to replace", async () => {
  const ecs = await open();
  await ecs.register();
  const { tasks } = await ecs.client.send(
    new RunTaskCommand({
      cluster: "demo",
      taskDefinition: "web",
      overrides: { containerOverrides: [{ name: "app", environment: [{ name: "VALUE", value: "lone" }] }] },
    }),
  );
  const taskArn = tasks?.[0]?.taskArn ?? "";
  const look = async () => {
    const got = await ecs.client.send(
      new DescribeTasksCommand({ cluster: "demo", tasks: [taskArn, "absent"] }),
    );
    expect(got.failures?.map(({ reason }) => reason)).toEqual(["MISSING"]);
    return got.tasks?.[0];
  };
  await until(async () => (await look())?.healthStatus === "HEALTHY", "the task");
  const task = await look();
  expect([task?.group, task?.startedBy, task?.lastStatus]).toEqual(["family:web", undefined, "RUNNING"]);
  const port = task?.containers?.[0]?.networkBindings?.[0]?.hostPort;
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("lone");

  await ecs.client.send(new StopTaskCommand({ cluster: "demo", task: taskArn }));
  const { taskArns } = await ecs.client.send(new ListTasksCommand({ cluster: "demo" }));
  expect(taskArns).toEqual([]);
  await until(async () => (await look())?.lastStatus === "STOPPED", "its end");
  expect(ecs.handle.tasks().length).toBe(1);
});

test("closing leaves no process behind, not even one that a container started", async () => {
  const ecs = await open();
  await ecs.register(undefined, { environment: [{ name: "CHILD", value: "yes" }] });
  await ecs.create();
  const [task] = ecs.handle.tasks("web");
  const line = ecs.handle.logs(task?.taskArn ?? "").find((one) => one.includes("child"));
  const pid = Number(line?.replace("app| child ", ""));
  expect(isAlive(pid)).toBe(true);
  await ecs.handle.stop();
  await until(() => !isAlive(pid), "the container's child to be gone", 2_000);
  expect(ecs.handle.tasks("web").map(({ lastStatus }) => lastStatus)).toEqual(["STOPPED"]);
});

test("a parent that is interrupted takes its tasks with it", async () => {
  const parent = spawn("node", [ORPHANING], { stdio: ["ignore", "pipe", "inherit"] });
  const pid = Number(
    await new Promise((resolve) => parent.stdout.once("data", (data) => resolve(String(data)))),
  );
  expect(isAlive(pid)).toBe(true);
  const ended = new Promise((resolve) => parent.once("exit", (_code, signal) => resolve(signal)));
  parent.kill("SIGTERM");
  expect(await ended).toBe("SIGTERM");
  await until(() => !isAlive(pid), "the orphan to be gone", 2_000);
});

test("forty services deploy at once without processes", async () => {
  const ecs = await open({ processes: false, pace: { startDelayMs: 100, drainMs: 50 } });
  await ecs.register();
  const names = Array.from({ length: 40 }, (_, index) => `s${index}`);
  for (const serviceName of names) {
    await ecs.client.send(
      new CreateServiceCommand({ cluster: "demo", serviceName, taskDefinition: "web", desiredCount: 3 }),
    );
  }
  const inUse = () => ecs.handle.tasks().filter(({ isReady }) => isReady);
  await until(() => inUse().length === 120, "all tasks");
  ecs.store.current = "v2";
  for (const service of names)
    await ecs.client.send(new UpdateServiceCommand({ cluster: "demo", service, forceNewDeployment: true }));
  await until(
    () => inUse().length === 120 && inUse().every(({ secrets }) => secrets[0]?.versionId === "v2"),
    "every task on the new version",
  );
});
