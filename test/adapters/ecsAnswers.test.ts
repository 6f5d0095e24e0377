/** One answer at a time, as AWS or another cloud may give it: what the adapter makes of it must never be better than the answer. */
import { once } from "node:events";
import { createServer } from "node:http";
import { ECSClient } from "@aws-sdk/client-ecs";
import { afterEach, describe, expect, test } from "vitest";
import { isNotOffered } from "../../lib/adapters/awsCalls.ts";
import { ecsFleet } from "../../lib/adapters/ecs.ts";

const PREFIX = "arn:aws:ecs:eu-west-1:210987654321:";
const CLUSTER = `${PREFIX}cluster/yard`;
const SERVICE = `${PREFIX}service/yard/mill`;
const MADE_AT = 1_790_000_000;

type Answers = Readonly<Record<string, object | { readonly refuse: string; readonly status?: number }>>;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** An ECS that gives these answers, and 400 UnknownOperationException to anything else. */
async function fleetThatAnswers(answers: Answers) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    for await (const _ of request);
    const operation = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    asked.push(operation);
    const answer = answers[operation] ?? { refuse: "UnknownOperationException" };
    const isRefusal = "refuse" in answer;
    const status = isRefusal ? ("status" in answer ? Number(answer.status) : 400) : 200;
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify(isRefusal ? { __type: answer.refuse, message: "no" } : answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  const { port } = server.address() as { port: number };
  const client = new ECSClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-west-1",
    credentials: { accessKeyId: "any", secretAccessKey: "any" },
    maxAttempts: 1,
  });
  closers.push(() => client.destroy());
  return { fleet: ecsFleet([CLUSTER], client, client), asked };
}

const deployment = (changes: object = {}) => ({
  id: "ecs-svc/7",
  status: "PRIMARY",
  createdAt: MADE_AT,
  taskDefinition: `${PREFIX}task-definition/mill:1`,
  desiredCount: 1,
  runningCount: 1,
  pendingCount: 0,
  rolloutState: "COMPLETED",
  ...changes,
});
const service = (changes: object = {}) => ({
  serviceName: "mill",
  serviceArn: SERVICE,
  clusterArn: CLUSTER,
  status: "ACTIVE",
  desiredCount: 1,
  runningCount: 1,
  pendingCount: 0,
  taskDefinition: `${PREFIX}task-definition/mill:1`,
  deployments: [deployment()],
  ...changes,
});
const task = (changes: object = {}) => ({
  taskArn: `${PREFIX}task/yard/1`,
  clusterArn: CLUSTER,
  group: "service:mill",
  lastStatus: "RUNNING",
  createdAt: MADE_AT,
  taskDefinitionArn: `${PREFIX}task-definition/mill:1`,
  ...changes,
});
const quiet: Answers = {
  ListServices: { serviceArns: [SERVICE] },
  DescribeServices: { services: [service()], failures: [] },
  ListTasks: { taskArns: [`${PREFIX}task/yard/1`] },
  DescribeTasks: { tasks: [task()], failures: [] },
  DescribeTaskDefinition: { taskDefinition: { containerDefinitions: [] } },
};

async function surveyOf(answers: Answers) {
  const { fleet, asked } = await fleetThatAnswers({ ...quiet, ...answers });
  return { ...(await fleet.survey()), asked, fleet };
}
const statusOf = async (answers: Answers) => (await surveyOf(answers)).services[0]?.deployments[0]?.status;
const describing = (changes: object) => ({
  DescribeServices: { services: [service(changes)], failures: [] },
});

describe("a survey", () => {
  test("fails if ECS fails to describe a service or a task for any reason but that it is gone", async () => {
    const failures = [{ arn: SERVICE, reason: "ACCESS_DENIED" }];
    const message = `could not describe services of cluster ${CLUSTER}: ${SERVICE} ACCESS_DENIED`;
    await expect(surveyOf({ DescribeServices: { services: [], failures } })).rejects.toThrow(message);
    await expect(surveyOf({ DescribeTasks: { tasks: [], failures } })).rejects.toThrow("ACCESS_DENIED");
    const gone = [{ arn: SERVICE, reason: "MISSING" }];
    expect((await surveyOf({ DescribeServices: { services: [], failures: gone } })).services).toEqual([]);
  });

  test("takes a task that says only when it started for an old one, and knows it by what started it", async () => {
    const { createdAt: _, group: __, ...rest } = task({ startedAt: MADE_AT + 60, startedBy: "ecs-svc/7" });
    const { tasks } = await surveyOf({ DescribeTasks: { tasks: [rest], failures: [] } });
    expect(tasks[0]).toMatchObject({ service: "yard/mill", createdAt: new Date(0) });
  });

  test("does not take counts that are not given for zeros", async () => {
    const { rolloutState: _, desiredCount: __, runningCount: ___, ...bare } = deployment();
    expect(await statusOf(describing({ deployments: [bare] }))).toBe("succeeded");
    expect(await statusOf(describing({ deployments: [bare], runningCount: 0 }))).toBe("running");
    const { desiredCount: ____, runningCount: _____, ...empty } = service({ deployments: [bare] });
    expect(await statusOf({ DescribeServices: { services: [empty], failures: [] } })).toBe("running");
  });

  test("fails if listing deployments is denied: what is not offered and what is forbidden are two things", async () => {
    const refused = { ListServiceDeployments: { refuse: "AccessDeniedException" } };
    await expect(surveyOf(refused)).rejects.toMatchObject({ code: "AWS_DENIED" });
  });

  test("believes the list of service deployments where they cannot be described, and lists them every time", async () => {
    const brief = { serviceDeploymentArn: `${PREFIX}service-deployment/yard/mill/x`, createdAt: MADE_AT };
    const { services, fleet, asked } = await surveyOf({
      ListServiceDeployments: { serviceDeployments: [{ ...brief, status: "ROLLBACK_SUCCESSFUL" }] },
    });
    expect(services[0]?.deployments[0]).toMatchObject({ deploymentId: "ecs-svc/7", status: "failed" });
    await fleet.look(services);
    await fleet.look(services);
    expect(asked.filter((one) => one === "DescribeServiceDeployments")).toHaveLength(1);
    expect(asked.filter((one) => one === "ListServiceDeployments").length).toBeGreaterThanOrEqual(3);
  });
});

describe("a deployment that was asked for", () => {
  const asking = async (answers: Answers) => {
    const { fleet, services } = await surveyOf(answers);
    const [mill] = services;
    if (!mill) throw new Error("no service was found");
    return fleet.deploy(mill);
  };
  const shown = (id: string) => ({ service: service({ deployments: [deployment({ id })] }) });

  test("has the id that ECS answers", async () => {
    expect(await asking({ UpdateService: shown("ecs-svc/8") })).toEqual({ deploymentId: "ecs-svc/8" });
  });

  test("has no id while ECS still shows the one that was there before", async () => {
    expect(await asking({ UpdateService: shown("ecs-svc/7") })).toEqual({});
    expect(await asking({ UpdateService: {} })).toEqual({});
  });
});

describe("an operation", () => {
  const error = (name: string, httpStatusCode = 400) =>
    Object.assign(new Error("no"), { name, $metadata: { httpStatusCode } });
  test.each([
    ["UnknownOperationException", 400, true],
    ["InvalidAction", 400, true],
    ["UnknownError", 404, true],
    ["InternalFailure", 501, true],
    ["InternalFailure", 500, false],
    ["AccessDeniedException", 400, false],
    ["ClusterNotFoundException", 404, false],
    ["ThrottlingException", 400, false],
    ["ServerException", 503, false],
  ])("answered with %s and %i is not offered: %s", (name, status, expected) => {
    expect(isNotOffered(error(name, status))).toBe(expected);
  });
});
