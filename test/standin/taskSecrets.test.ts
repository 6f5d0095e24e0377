/** What a starting task reads is a read like any other: it can be denied, CloudTrail sees it, and no refusal quotes a value. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudTrailClient, LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import {
  CreateClusterCommand,
  DescribeTasksCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
} from "@aws-sdk/client-ecs";
import { PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cloud, startCloud } from "./cloud.ts";
import { AwsError } from "./service.ts";

let cloud: Cloud;
let ecs: ECSClient;
let at: {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  maxAttempts: number;
};

beforeAll(async () => {
  cloud = await startCloud({ processes: false });
  at = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "operator", secretAccessKey: "local" },
    maxAttempts: 1,
  };
  ecs = new ECSClient(at);
  await ecs.send(new CreateClusterCommand({ clusterName: "main" }));
});
afterAll(async () => {
  ecs?.destroy();
  await cloud?.stop();
});

/** Runs one task that takes `valueFrom`. @returns why it stopped, or undefined once it runs */
async function run(family: string, valueFrom: string): Promise<string | undefined> {
  const container = { name: "app", image: "app", command: ["true"], secrets: [{ name: "VALUE", valueFrom }] };
  await ecs.send(new RegisterTaskDefinitionCommand({ family, containerDefinitions: [container] }));
  const { tasks: started = [] } = await ecs.send(
    new RunTaskCommand({ cluster: "main", taskDefinition: family }),
  );
  const taskArn = started[0]?.taskArn ?? "";
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(50)) {
    const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster: "main", tasks: [taskArn] }));
    if (tasks[0]?.lastStatus === "RUNNING") return undefined;
    if (tasks[0]?.lastStatus === "STOPPED") return tasks[0].stoppedReason ?? "";
  }
  throw new Error("the task neither ran nor stopped");
}

const reads = (secretId: string) =>
  cloud.trail.records.filter(
    ({ eventName, requestParameters }) =>
      eventName === "GetSecretValue" &&
      Object.entries(requestParameters ?? {}).some(
        ([key, value]) => key === "secretId" && value === secretId,
      ),
  );

test("a task's read is in the trail", async () => {
  const { arn } = cloud.secrets.create("task/read", '{"key":"value"}');
  expect(await run("read", `${arn}:key::`)).toBeUndefined();
  expect(reads(arn)).toHaveLength(1);
  expect(reads(arn)[0]).toMatchObject({ userAgent: expect.stringContaining("Amazon ECS Agent") });
});

test("a task whose role may not read the secret does not start", async () => {
  const { arn, faults } = cloud.secrets.create("task/denied", '{"key":"value"}');
  faults.set("GetSecretValue", new AwsError("AccessDeniedException", "not authorized"));
  expect(await run("denied", `${arn}:key::`)).toContain("not authorized");
});

test("a secret that is not JSON, or has no such key, stops the task without being quoted", async () => {
  const canary = `x${randomBytes(6).toString("hex")}`;
  const { arn } = cloud.secrets.create("task/plain", canary);
  const reason = await run("plain", `${arn}:key::`);
  expect(reason).toBeTruthy();
  for (let index = 0; index + 4 <= canary.length; index++)
    expect(reason).not.toContain(canary.slice(index, index + 4));
});

test("pages of LookupEvents neither repeat nor skip an event while new ones arrive", async () => {
  const trail = new CloudTrailClient(at);
  cloud.secrets.create("task/trail", "x");
  const before = cloud.trail.records.map(({ eventID }) => eventID);
  const seen: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await trail.send(
      new LookupEventsCommand({ MaxResults: 2, ...(NextToken ? { NextToken } : {}) }),
    );
    seen.push(...(page.Events ?? []).map(({ EventId = "" }) => EventId));
    NextToken = page.NextToken;
  } while (NextToken);
  trail.destroy();
  expect(seen).toHaveLength(new Set(seen).size);
  expect(seen).toEqual(expect.arrayContaining(before));
});

test("a put without a value is refused", async () => {
  const secrets = new SecretsManagerClient(at);
  cloud.secrets.create("task/empty", "x");
  await expect(secrets.send(new PutSecretValueCommand({ SecretId: "task/empty" }))).rejects.toMatchObject({
    name: "InvalidParameterException",
  });
  secrets.destroy();
});
