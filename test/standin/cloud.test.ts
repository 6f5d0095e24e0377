/**
 * The rest of the local cloud through real clients: CloudTrail, DynamoDB, Slack, Lambda, and what a task is given when it
 * starts. Each failure that tests provoke with it is shown here to happen.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudTrailClient, type Event, LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { LogLevel, WebClient } from "@slack/web-api";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Cloud, startCloud } from "./cloud.ts";
import { AwsError } from "./service.ts";

let cloud: Cloud;
let at: {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  maxAttempts: number;
};
let secrets: SecretsManagerClient;
let trail: CloudTrailClient;

beforeAll(async () => {
  cloud = await startCloud({ processes: false });
  at = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "operator", secretAccessKey: "local" },
    maxAttempts: 1,
  };
  secrets = new SecretsManagerClient(at);
  trail = new CloudTrailClient(at);
});
afterAll(async () => {
  secrets?.destroy();
  trail?.destroy();
  await cloud?.stop();
});

describe("CloudTrail", () => {
  const record = (event: Event | undefined) => JSON.parse(event?.CloudTrailEvent ?? "{}");
  const lookUp = async (AttributeKey: "EventName" | "EventSource" | "ReadOnly", AttributeValue: string) =>
    (await trail.send(new LookupEventsCommand({ LookupAttributes: [{ AttributeKey, AttributeValue }] })))
      .Events ?? [];

  test("a read leaves a record that says who, when and which secret", async () => {
    cloud.secrets.create("trail/read", "x");
    await secrets.send(new GetSecretValueCommand({ SecretId: "trail/read" }));
    const [newest] = await lookUp("EventName", "GetSecretValue");
    expect(record(newest)).toMatchObject({
      eventSource: "secretsmanager.amazonaws.com",
      eventName: "GetSecretValue",
      awsRegion: "us-east-1",
      readOnly: true,
      managementEvent: true,
      requestParameters: { secretId: "trail/read" },
      userIdentity: { type: "AssumedRole", arn: "arn:aws:sts::123456789012:assumed-role/operator/session" },
    });
    expect(Math.abs(Date.now() - (newest?.EventTime?.getTime() ?? 0))).toBeLessThan(5_000);
  });

  test("a refused call leaves a record with its error", async () => {
    cloud.secrets
      .create("trail/denied", "x")
      .faults.set("GetSecretValue", new AwsError("AccessDeniedException", "no"));
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: "trail/denied" }))).rejects.toThrow();
    const [newest] = await lookUp("EventName", "GetSecretValue");
    expect(record(newest)).toMatchObject({ errorCode: "AccessDeniedException", requestParameters: null });
  });

  test("no value enters the trail, whether it was written, refused or read", async () => {
    const canary = randomBytes(16).toString("hex");
    cloud.secrets.create("trail/canary", `${canary}-0`);
    const write = (SecretId: string) =>
      secrets.send(new PutSecretValueCommand({ SecretId, SecretString: `${canary}-1` }));
    await write("trail/canary");
    await expect(write("trail/absent")).rejects.toThrow();
    await secrets.send(new GetSecretValueCommand({ SecretId: "trail/canary" }));
    const written = cloud.trail.records.filter(({ eventName }) => eventName === "PutSecretValue");
    expect(written.slice(-2).map(({ errorCode }) => errorCode)).toEqual([
      undefined,
      "ResourceNotFoundException",
    ]);
    expect(JSON.stringify(cloud.trail.records)).not.toContain(canary);
  });

  test("events come newest first, by one attribute and no more than 50 at once", async () => {
    const events = await lookUp("EventSource", "secretsmanager.amazonaws.com");
    const times = events.map(({ EventTime }) => EventTime?.getTime() ?? 0);
    expect(times.length).toBeGreaterThan(3);
    expect(times).toEqual(times.toSorted((one, other) => other - one));
    const two = ["EventName", "ReadOnly"].map((key) => ({
      AttributeKey: key as "EventName",
      AttributeValue: "x",
    }));
    await expect(trail.send(new LookupEventsCommand({ LookupAttributes: two }))).rejects.toMatchObject({
      name: "InvalidLookupAttributesException",
    });
    await expect(trail.send(new LookupEventsCommand({ MaxResults: 51 }))).rejects.toMatchObject({
      name: "InvalidMaxResultsException",
    });
  });
});

describe("DynamoDB", () => {
  const TableName = "table";
  let documents: DynamoDBDocumentClient;
  beforeAll(async () => {
    const client = new DynamoDBClient(at);
    documents = DynamoDBDocumentClient.from(client);
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: ["pk", "sk"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
      }),
    );
  });
  afterAll(() => documents?.destroy());

  const claim = (holder: string) =>
    documents.send(
      new PutCommand({
        TableName,
        Item: { pk: "CLAIM", sk: "one", holder },
        ConditionExpression: "attribute_not_exists(pk) or #holder = :holder",
        ExpressionAttributeNames: { "#holder": "holder" },
        ExpressionAttributeValues: { ":holder": holder },
      }),
    );

  test("of many who claim at once one gets it, and may claim it again", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => claim(`holder-${index}`)),
    );
    const refused = outcomes.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
    expect(refused).toHaveLength(19);
    for (const { reason } of refused) expect(reason.name).toBe("ConditionalCheckFailedException");
    const { Item } = await documents.send(
      new GetCommand({ TableName, Key: { pk: "CLAIM", sk: "one" }, ConsistentRead: true }),
    );
    await claim(Item?.["holder"]);
  });

  test("a conditional delete spares what another holds", async () => {
    const Key = { pk: "LEASE", sk: "one" };
    await documents.send(new PutCommand({ TableName, Item: { ...Key, holder: "one" } }));
    const release = (holder: string) =>
      documents.send(
        new DeleteCommand({
          TableName,
          Key,
          ConditionExpression: "holder = :holder",
          ExpressionAttributeValues: { ":holder": holder },
        }),
      );
    await expect(release("two")).rejects.toMatchObject({ name: "ConditionalCheckFailedException" });
    await release("one");
    expect(
      (await documents.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item,
    ).toBeUndefined();
  });

  test("a query pages through one partition in order", async () => {
    for (const sk of ["b", "a", "c"])
      await documents.send(new PutCommand({ TableName, Item: { pk: "PAGE", sk } }));
    const request = {
      TableName,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": "PAGE" },
      Limit: 2,
    };
    const first = await documents.send(new QueryCommand(request));
    const second = await documents.send(
      new QueryCommand({ ...request, ExclusiveStartKey: first.LastEvaluatedKey }),
    );
    expect([first, second].map(({ Items }) => Items?.map((item) => item["sk"]))).toEqual([["a", "b"], ["c"]]);
  });
});

describe("Slack", () => {
  const connect = (token: string) =>
    new WebClient(token, {
      slackApiUrl: `${cloud.endpoint}/api/`,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      logLevel: LogLevel.ERROR,
      logger: {
        debug() {},
        info() {},
        warn() {},
        error() {},
        setLevel() {},
        getLevel: () => LogLevel.ERROR,
        setName() {},
      },
    });
  let slack: WebClient;
  beforeEach(() => {
    cloud.slack.mood = "up";
    slack = connect(cloud.slack.token);
  });
  const section = (text: string) => ({ type: "section" as const, text: { type: "mrkdwn" as const, text } });

  test("a message is posted, edited and replied to, and every revision is kept", async () => {
    const channel = cloud.slack.channel;
    const { ts = "" } = await slack.chat.postMessage({ channel, text: "one", blocks: [section("one")] });
    await slack.chat.update({ channel, ts, text: "two", blocks: [section("two")] });
    await slack.chat.postMessage({ channel, thread_ts: ts, text: "reply" });
    const posted = cloud.slack.messages.find((message) => message.ts === ts);
    expect(posted?.revisions).toEqual([
      { text: "one", blocks: [section("one")], atMs: expect.any(Number) },
      { text: "two", blocks: [section("two")], atMs: expect.any(Number) },
    ]);
    expect(cloud.slack.messages.find(({ thread }) => thread === ts)?.revisions).toMatchObject([
      { text: "reply" },
    ]);
  });

  test("what Slack refuses is refused with Slack's word", async () => {
    const channel = cloud.slack.channel;
    const blocks = (count: number) => Array.from({ length: count }, () => section("x"));
    const refused: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["invalid_auth", () => connect("xoxb-other").auth.test()],
      ["channel_not_found", () => slack.chat.postMessage({ channel: "C0OTHER", text: "x" })],
      ["message_not_found", () => slack.chat.update({ channel, ts: "1.1", text: "x" })],
      ["invalid_blocks", () => slack.chat.postMessage({ channel, text: "x", blocks: blocks(51) })],
      [
        "invalid_blocks",
        () => slack.chat.postMessage({ channel, text: "x", blocks: [section("x".repeat(3001))] }),
      ],
    ];
    for (const [error, attempt] of refused)
      await expect(attempt()).rejects.toMatchObject({ data: { error } });
    await slack.chat.postMessage({ channel, text: "x", blocks: blocks(50) });
    await slack.chat.postMessage({ channel, text: "x", blocks: [section("x".repeat(3000))] });
  });

  test("it can be down, limited or broken, and nothing is posted meanwhile", async () => {
    const before = cloud.slack.messages.length;
    for (const [mood, code] of [
      ["down", "slack_webapi_request_error"],
      ["limited", "slack_webapi_rate_limited_error"],
      ["broken", "slack_webapi_http_error"],
    ] as const) {
      cloud.slack.mood = mood;
      await expect(slack.chat.postMessage({ channel: cloud.slack.channel, text: "x" })).rejects.toMatchObject(
        { code },
      );
    }
    expect(cloud.slack.messages).toHaveLength(before);
  });
});

describe("Lambda", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "rekey-lambda-"));
    const bundle = join(folder, "sample.cjs");
    writeFileSync(
      bundle,
      `exports.handler = async (event, context) => {
        console.log("seen", event.say);
        if (event.say === "throw") throw new TypeError("thrown");
        if (event.say === "exit") process.exit(3);
        if (event.say === "hang") await new Promise((resolve) => setTimeout(resolve, 60_000));
        return { pid: process.pid, argv: process.argv.join(" "), own: process.env.OWN, inherited: process.env.REKEY_INHERITED ?? null,
          left: context.getRemainingTimeInMillis(), requestId: context.awsRequestId };
      };`,
    );
    process.env["REKEY_INHERITED"] = "leaked";
    cloud.lambda.register("sample", { bundle, env: { OWN: "own" }, timeoutSeconds: 5, memoryMb: 128 });
    cloud.lambda.register("short", { bundle, env: {}, timeoutSeconds: 0.5, memoryMb: 128 });
  });
  afterAll(() => {
    delete process.env["REKEY_INHERITED"];
    rmSync(folder, { recursive: true, force: true });
  });

  const post = (name: string, event: object, headers: Record<string, string> = {}) =>
    fetch(`${cloud.endpoint}/2015-03-31/functions/${name}/invocations`, {
      method: "POST",
      headers,
      body: JSON.stringify(event),
    });

  test("every invocation is a new process with its own environment, a context and no event in its arguments", async () => {
    const say = randomBytes(8).toString("hex");
    const [one, two] = [
      await cloud.lambda.invoke("sample", { say }),
      await cloud.lambda.invoke("sample", { say }),
    ];
    const payloads = [one, two].map(({ payload }) => payload as Record<string, never>);
    expect(payloads[0]?.["pid"]).not.toBe(payloads[1]?.["pid"]);
    expect(payloads[0]?.["requestId"]).not.toBe(payloads[1]?.["requestId"]);
    for (const payload of payloads) {
      expect(payload).toMatchObject({ own: "own", inherited: null });
      expect(payload["left"]).toBeGreaterThan(3_000);
      expect(payload["left"]).toBeLessThanOrEqual(5_000);
      expect(payload["argv"]).not.toContain(say);
    }
    expect(one.log).toEqual([`seen ${say}`]);
  });

  test("a thrown error, a dead process and a used-up time limit answer as Lambda says them", async () => {
    expect((await cloud.lambda.invoke("sample", { say: "throw" })).failure).toEqual({
      errorType: "TypeError",
      errorMessage: "thrown",
    });
    expect((await cloud.lambda.invoke("sample", { say: "exit" })).failure?.errorType).toBe(
      "Runtime.ExitError",
    );
    expect((await cloud.lambda.invoke("short", { say: "hang" })).failure?.errorMessage).toBe(
      "Task timed out after 0.50 seconds",
    );
  });

  test("an invocation that is killed ends as a dead process", async () => {
    const running = cloud.lambda.start("sample", { say: "hang" });
    setTimeout(() => running.kill(), 300);
    expect((await running.result).failure?.errorType).toBe("Runtime.ExitError");
  });

  test("over HTTP it answers 200, says an error in a header, and 404 for what is not there", async () => {
    const good = await post("rekey-dev-sample", { say: "x" });
    expect([good.status, good.headers.get("x-amz-function-error")]).toEqual([200, null]);
    const bad = await post("sample", { say: "throw" });
    expect([bad.status, bad.headers.get("x-amz-function-error")]).toEqual([200, "Unhandled"]);
    expect(await bad.json()).toEqual({ errorType: "TypeError", errorMessage: "thrown" });
    expect((await post("absent", {})).status).toBe(404);
  });

  test("an event is accepted at once and runs", async () => {
    const say = randomBytes(8).toString("hex");
    const seen = new Promise<string>((resolve) => {
      cloud.lambda.emitter.on("line", (_name, line) => {
        if (line.includes(say)) resolve(line);
      });
    });
    expect((await post("sample", { say }, { "x-amz-invocation-type": "Event" })).status).toBe(202);
    expect(await Promise.race([seen, sleep(5_000)])).toBe(`seen ${say}`);
  });
});

test("an operation that is not served says so", async () => {
  const answer = await fetch(cloud.endpoint, {
    method: "POST",
    headers: {
      "x-amz-target": "secretsmanager.toString",
      authorization: "AWS4-HMAC-SHA256 Credential=operator/x",
    },
    body: "{}",
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ __type: "UnknownOperationException" });
});
