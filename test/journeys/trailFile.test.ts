/** A trail's files, read from the local cloud's S3 by the real client, and by the function as it is deployed. */
import { gzipSync } from "node:zlib";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { dynamoWatchStore } from "../../lib/adapters/dynamoWatch.ts";
import { type Bounds, s3TrailFiles } from "../../lib/adapters/s3.ts";
import { slackAnnouncer } from "../../lib/adapters/slack.ts";
import { RULES } from "../../lib/detection/rules.ts";
import { watchEvent } from "../../lib/journeys/watchEvent.ts";
import { type TrailFilePorts, watchTrailFiles } from "../../lib/journeys/watchTrailFiles.ts";
import { SecretText } from "../../lib/secret.ts";
import { builtHandlers } from "../builtHandlers.ts";
import { createTable } from "../demo/world.ts";
import { ACCOUNT, record } from "../detection/records.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const OTHER = "210987654321";
const BUCKET = "all-trails";
const rootOf = (account: string) => ({
  type: "Root",
  arn: `arn:aws:iam::${account}:root`,
  accountId: account,
});
const rootReads = (id: string, account = ACCOUNT) =>
  record({ userIdentity: rootOf(account), recipientAccountId: account, eventID: id });
const keyOf = (name: string) =>
  `AWSLogs/${ACCOUNT}/CloudTrail/eu-central-1/2026/11/24/${ACCOUNT}_CloudTrail_eu-central-1_20261124T1205Z_${name}.json.gz`;
const digest = keyOf("d").replace("/CloudTrail/", "/CloudTrail-Digest/");
const trailFile = (records: readonly unknown[]) => gzipSync(JSON.stringify({ Records: records }));

let cloud: Cloud;
let dynamo: DynamoDBClient;
let told: Readonly<Record<string, unknown>>[] = [];
let tables = 0;
let table = "";

beforeAll(async () => {
  cloud = await startCloud({ processes: false });
  for (const [name, value] of Object.entries(cloud.env)) vi.stubEnv(name, value);
});
beforeEach(async () => {
  const at = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  };
  dynamo = new DynamoDBClient(at);
  table = `trail-${++tables}`;
  await createTable(at, table);
  cloud.slack.messages.length = 0;
  cloud.files.buckets.clear();
  cloud.files.asked.length = 0;
  cloud.files.mood = "served";
  told = [];
  return () => dynamo.destroy();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await cloud?.stop();
});

const ports = (bounds?: Bounds): TrailFilePorts => ({
  store: dynamoWatchStore(table, dynamo),
  rules: RULES,
  announcer: slackAnnouncer({
    channel: cloud.slack.channel,
    ...(cloud.env["SLACK_API_URL"] ? { apiUrl: cloud.env["SLACK_API_URL"] } : {}),
    token: async () => new SecretText(cloud.slack.token),
  }),
  tell: (event) => void told.push(event),
  now: () => new Date("2026-11-24T12:10:00Z"),
  files: s3TrailFiles(bounds),
});
const put = (name: string, contents: Buffer) => cloud.files.put(BUCKET, keyOf(name), contents);
const created = (...keys: readonly string[]) => ({
  Records: keys.map((key) => ({
    eventName: "ObjectCreated:Put",
    s3: { bucket: { name: BUCKET }, object: { key } },
  })),
});
const watch = (...names: readonly string[]) =>
  watchTrailFiles(ports(), created(...names.map((name) => keyOf(name))));
const shown = () =>
  cloud.slack.messages.map(({ revisions }) => [revisions.length, revisions.at(-1)?.text] as const);
const SAYS = "high: The account's root user touched a secret.";
/** Without the list of whom to look at again, from which the next look takes who has nothing more to tell. */
const kept = async () =>
  ((await dynamo.send(new ScanCommand({ TableName: table }))).Items ?? [])
    .map(({ pk, sk }) => `${pk?.S} ${sk?.S}`)
    .filter((key) => !key.startsWith("WAITING#"))
    .toSorted();

test("what a file says is told once, however often it comes, and by whichever road besides", async () => {
  put("a", trailFile([rootReads("one"), rootReads("two"), record({ eventName: "ListSecrets" })]));
  const first = await watch("a");
  expect(first).toMatchObject({
    ...{ files: 1, records: 3, events: 3, broken: {}, malformed: {}, ignored: {} },
    told: { posted: 1, edited: 0, waiting: 0 },
  });
  expect(shown()).toEqual([[1, SAYS]]);
  const before = await kept();
  expect((await watch("a")).told).toEqual({ posted: 0, edited: 0, waiting: 0 });
  await watchEvent(ports(), { account: ACCOUNT, detail: rootReads("two") });
  expect(shown()).toEqual([[1, SAYS]]);
  expect(before.length).toBeGreaterThan(5);
  expect(await kept()).toEqual(before);
});

test("each record is of the account to which it was told", async () => {
  put("a", trailFile([rootReads("mine"), rootReads("theirs", OTHER)]));
  expect((await watch("a")).told.posted).toBe(2);
  const store = dynamoWatchStore(table, dynamo);
  for (const account of [ACCOUNT, OTHER]) {
    const { watched } = await store.kept(account, `arn:aws:iam::${account}:root`);
    expect(JSON.stringify([...watched.marks])).toContain(account === ACCOUNT ? "mine" : "theirs");
  }
});

test("more records than one piece has are all looked at", async () => {
  const records = Array.from({ length: 1_201 }, (_, index) => record({ eventID: `many-${index}` }));
  put("a", trailFile([...records, rootReads("last")]));
  expect(await watch("a")).toMatchObject({ records: 1_202, events: 1_202 });
  expect(told.filter(({ event }) => event === "access.seen").map(({ records }) => records)).toEqual([
    500, 500, 202,
  ]);
  expect(shown()).toContainEqual([1, SAYS]);
});

test("digests and other files are counted, and not even fetched", async () => {
  const report = await watchTrailFiles(ports(), created(digest, "AWSLogs/notes.txt"));
  expect(report).toMatchObject({
    files: 0,
    ignored: { "it is a digest, which has no events": 1, "it is no file of a trail": 1 },
  });
  expect(cloud.files.asked).toEqual([]);
});

describe("a broken file is counted, told of, and stops nothing:", () => {
  const whole = trailFile([rootReads("one")]);
  test.each<[string, Buffer, string]>([
    ["cut off", whole.subarray(0, 100), "the file is cut off or damaged"],
    [
      "not what it says",
      Buffer.concat([whole.subarray(0, 40), Buffer.alloc(200)]),
      "the file is cut off or damaged",
    ],
    ["too much zipped", Buffer.alloc(5_000, 1), "the file has more than 4000 bytes"],
    [
      "too much unzipped",
      gzipSync(Buffer.alloc(20_001, 0x20)),
      "the file has more than 20000 bytes unzipped",
    ],
  ])("%s", async (_how, contents, why) => {
    put("broken", contents);
    put("whole", whole);
    const bounded = ports({ zippedBytes: 4_000, unzippedBytes: 20_000 });
    const report = await watchTrailFiles(bounded, created(keyOf("broken"), keyOf("whole")));
    expect(report).toMatchObject({ files: 1, broken: { [why]: 1 }, told: { posted: 1 } });
    expect(told[0]).toEqual({
      event: "trail.broken",
      bucket: BUCKET,
      key: keyOf("broken"),
      account: ACCOUNT,
      why,
    });
  });

  test("of a text that ends too early, what stands before is read", async () => {
    const text = JSON.stringify({ Records: [rootReads("one"), rootReads("two")] });
    put("a", gzipSync(text.slice(0, -40)));
    expect(await watch("a")).toMatchObject({
      ...{ files: 1, records: 1, events: 1 },
      malformed: { "the file ends in the middle of a record": 1 },
      told: { posted: 1 },
    });
  });
});

describe("what S3 does not give is asked for again, after the other files:", () => {
  test("a file that is not there", async () => {
    put("there", trailFile([rootReads("one")]));
    await expect(watch("gone", "there")).rejects.toMatchObject({
      code: "AWS_FAILED",
      message: `could not read the trail's file s3://${BUCKET}/${keyOf("gone")}: NoSuchKey`,
    });
    expect(shown()).toEqual([[1, SAYS]]);
    expect(told.at(-1)).toMatchObject({ event: "trail.read", files: 1, failed: 1 });
  });

  test("a file that may not be read", async () => {
    put("a", trailFile([]));
    cloud.files.mood = "forbidden";
    await expect(watch("a")).rejects.toMatchObject({ code: "AWS_DENIED" });
  });

  test("a file of which half comes", async () => {
    put("a", trailFile([rootReads("one")]));
    cloud.files.mood = "broken off";
    await expect(watch("a")).rejects.toMatchObject({ code: "AWS_UNANSWERED" });
    expect(shown()).toEqual([]);
  });
});

test("an event that is none of S3's is refused", async () => {
  await expect(watchTrailFiles(ports(), { detail: {} })).rejects.toMatchObject({ code: "PAYLOAD_INVALID" });
});

test("the handler, as it is deployed, answers EventBridge with the report", async () => {
  const eventTime = new Date(Date.now() - 600_000).toISOString();
  put("a", trailFile([{ ...rootReads("one"), eventTime }]));
  cloud.secrets.create("rekey/slack", cloud.slack.token);
  const { trailFile: bundle = "" } = await builtHandlers();
  const env = {
    ...cloud.env,
    ...{ REKEY_TABLE: table, REKEY_SLACK_CHANNEL: cloud.slack.channel, REKEY_SLACK_SECRET: "rekey/slack" },
  };
  cloud.lambda.register("trailFile", { bundle, env, timeoutSeconds: 300, memoryMb: 1_024 });
  const { payload, failure, log } = await cloud.lambda.invoke("trailFile", {
    source: "aws.s3",
    "detail-type": "Object Created",
    detail: { bucket: { name: BUCKET }, object: { key: keyOf("a") } },
  });
  expect(failure).toBeUndefined();
  expect(payload).toMatchObject({ files: 1, records: 1, events: 1, told: { posted: 1 } });
  expect(log.map((line) => JSON.parse(line).event)).toEqual(["episode.found", "access.seen", "trail.read"]);
  expect(shown()).toEqual([[1, SAYS]]);
});
