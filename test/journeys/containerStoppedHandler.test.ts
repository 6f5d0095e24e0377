/** The handler as it is deployed, fed with what ECS says while the deployed rotateAll rotates a secret under its tasks. */
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Report } from "../../lib/rotation/report.ts";
import { builtHandlers } from "../builtHandlers.ts";
import { createTable } from "../demo/world.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";
import type { EcsEvent } from "../standin/ecs/ecs.ts";
import { isStop } from "./stopWorld.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let cloud: Cloud;
const events: EcsEvent[] = [];
beforeAll(async () => {
  cloud = await startCloud({ pace: { startDelayMs: 50, drainMs: 50, stopTimeoutMs: 2_000 } });
  cloud.ecs.emitter.on("event", (event) => events.push(event));
  const client = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "operator", secretAccessKey: "local" },
  };
  await createTable(client, "rekey");
  cloud.secrets.create("rekey/slack", cloud.slack.token);
  const env = {
    ...cloud.env,
    REKEY_TABLE: "rekey",
    REKEY_SLACK_CHANNEL: cloud.slack.channel,
    REKEY_SLACK_SECRET: "rekey/slack",
    REKEY_POLL_MS: "100",
    REKEY_SETTLE_SECONDS: "0.5",
  };
  for (const [name, bundle] of Object.entries(await builtHandlers()))
    cloud.lambda.register(name, { bundle, env, timeoutSeconds: 120, memoryMb: 512 });
  const keyset = JSON.stringify({ alg: "HS256", current: "a".repeat(64), next: "b".repeat(64) });
  const tags = {
    "rekey:strategy": "jwt",
    "rekey:not-after": "honoured",
    "rekey:grace": "1",
    "rekey:skew": "0",
  };
  const { arn } = cloud.secrets.create("shop/signing", keyset, { tags });
  const ecs = new ECSClient(client);
  await ecs.send(new CreateClusterCommand({ clusterName: "shop" }));
  const stays =
    "process.once('SIGTERM', () => process.exit(0)); process.once('SIGUSR2', () => process.exit(7)); setInterval(() => {}, 1000); console.log(process.pid)";
  const container = {
    name: "app",
    image: "shop/gateway:1",
    command: [process.execPath, "-e", stays],
    secrets: [{ name: "KEY", valueFrom: arn }],
    logConfiguration: {
      logDriver: "awslogs",
      options: { "awslogs-group": "/ecs/gateway", "awslogs-stream-prefix": "ecs" },
    },
  } as const;
  const containerDefinitions = [
    { ...container, command: [...container.command], secrets: [...container.secrets] },
  ];
  await ecs.send(new RegisterTaskDefinitionCommand({ family: "gateway", containerDefinitions }));
  const service = { cluster: "shop", serviceName: "gateway", taskDefinition: "gateway", desiredCount: 3 };
  await ecs.send(new CreateServiceCommand(service));
  ecs.destroy();
  const isReady = () => cloud.ecs.tasks("gateway").filter((task) => task.isReady).length === 3;
  await vi.waitUntil(
    () => isReady() && events.some(({ detail }) => detail["eventName"] === "SERVICE_STEADY_STATE"),
  );
});
afterAll(() => cloud?.stop());

async function deliver(event: EcsEvent): Promise<{ readonly came: string }> {
  const { payload, failure } = await cloud.lambda.invoke("containerStopped", event);
  if (failure) throw new Error(failure.errorMessage);
  return payload as { came: string };
}

/** As serverless.yml's rules have it. */
const isForUs = (event: EcsEvent) => isStop(event) || event["detail-type"] !== "ECS Task State Change";
const stopMessages = () =>
  cloud.slack.messages.filter(({ revisions }) => /^P\d /.test(revisions[0]?.text ?? ""));

test("a rotation replaces every task of a service and the channel hears of the rotation alone; a crash is heard at once", async () => {
  const { payload, failure } = await cloud.lambda.invoke("rotateAll", {
    only: ["shop/signing"],
    force: true,
  });
  expect(failure).toBeUndefined();
  expect((payload as Report).secrets.map(({ outcome }) => outcome)).not.toContain("refused");
  await vi.waitUntil(() => events.filter(isStop).length >= 3, { timeout: 30_000 });
  const outcomes = [];
  for (const event of events.filter(isForUs)) outcomes.push(await deliver(event));
  expect(outcomes.filter(({ came }) => came === "planned").length).toBeGreaterThanOrEqual(3);
  expect(outcomes.filter(({ came }) => came === "alert")).toEqual([]);
  expect(stopMessages()).toEqual([]);

  const before = events.length;
  const [task] = cloud.ecs.tasks("gateway").filter(({ isReady }) => isReady);
  const [pid = ""] = (cloud.ecs.logs(task?.taskArn ?? "")[0] ?? "").split("| ").slice(-1);
  process.kill(Number(pid), "SIGUSR2");
  await vi.waitUntil(() => events.slice(before).some(isStop), { timeout: 30_000 });
  const crash = events.slice(before).find(isStop);
  if (crash === undefined) throw new Error("nothing stopped");
  expect(await deliver(crash)).toMatchObject({
    came: "alert",
    cause: "exit during a rotation",
    severity: "P2",
    count: 1,
  });
  const [message, ...more] = stopMessages();
  expect(more).toEqual([]);
  const last = JSON.stringify(message?.revisions.at(-1));
  expect(last).toContain("app: exit code 7");
  expect(last).toContain(`\`\`\`\\n${pid}\\n\`\`\``);
});
