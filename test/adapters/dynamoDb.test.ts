import { randomUUID } from "node:crypto";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dynamoRotationLog } from "../../lib/adapters/dynamoDb.ts";
import type { Rotation, RotationLog, Run } from "../../lib/rotation/intent.ts";
import { createTable } from "../demo/world.ts";
import { ARN, at, rotation } from "../rotation/facts.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const TABLE = "rekey-test";

let cloud: Cloud;
let options: {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
};
let client: DynamoDBClient;
let log: RotationLog;
beforeAll(async () => {
  cloud = await startCloud({ processes: false });
  options = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  };
  client = new DynamoDBClient(options);
  await createTable(options, TABLE);
  log = dynamoRotationLog(TABLE, client);
});
afterAll(async () => {
  client?.destroy();
  await cloud?.stop();
});

const newRun = (request: Partial<Run["request"]> = {}): Run => ({
  runId: randomUUID(),
  createdAt: at(0).toISOString(),
  request: { dryRun: false, force: false, emergency: false, scheduled: false, ...request },
  status: "preflight",
  refused: [],
  notDue: [],
  deployments: [],
  rev: 0,
});
const newRotation = (runId: string): Rotation => ({ ...rotation(), runId, rev: 0 });

describe("the lease of a run", () => {
  test("is one worker's at a time", async () => {
    const run = randomUUID();
    expect(await log.lease(run, "first", at(0), 30)).toEqual({ token: 1, tookOver: false });
    expect(await log.lease(run, "second", at(29), 30)).toBeUndefined();
  });

  test("is renewed by its holder and by nobody else", async () => {
    const run = randomUUID();
    await log.lease(run, "first", at(0), 30);
    expect(await log.renew(run, "first", at(20), 30)).toBe(true);
    expect(await log.renew(run, "second", at(20), 30)).toBe(false);
    expect(await log.lease(run, "second", at(49), 30)).toBeUndefined();
  });

  test("is taken over when it has run out, with a greater token, and the old holder is told", async () => {
    const run = randomUUID();
    await log.lease(run, "first", at(0), 30);
    expect(await log.lease(run, "second", at(31), 30)).toEqual({ token: 2, tookOver: true });
    expect(await log.renew(run, "first", at(32), 30)).toBe(false);
    await log.unlease(run, "first");
    expect(await log.lease(run, "third", at(33), 30)).toBeUndefined();
  });

  test("given back is free at once, was not taken over, and its token is still spent", async () => {
    const run = randomUUID();
    await log.lease(run, "first", at(0), 30);
    await log.unlease(run, "first");
    expect(await log.lease(run, "second", at(1), 30)).toEqual({ token: 2, tookOver: false });
  });
});

describe("the fence", () => {
  test("a worker that was overtaken cannot write where its successor wrote", async () => {
    const { runId } = newRun();
    const [early, late] = [log.fencedBy(1), log.fencedBy(2)];
    const first = await early.saveRotation(newRotation(runId));
    const stamped = await late.saveRotation(first);
    await expect(early.saveRotation(stamped)).rejects.toMatchObject({ code: "LEASE_LOST" });
    await expect(late.saveRotation(stamped)).resolves.toMatchObject({ rev: 3 });
  });

  test("a write that is sent again because its answer was lost is still this worker's own", async () => {
    const { runId } = newRun();
    const stuttering = new DynamoDBClient({ ...options, maxAttempts: 2 });
    let lost = 0;
    stuttering.middlewareStack.add(
      (next) => async (args) => {
        const answer = await next(args);
        if (lost++ > 0) return answer;
        throw Object.assign(new Error("socket hang up"), { name: "TimeoutError" });
      },
      { step: "deserialize", priority: "low" },
    );
    const saved = await dynamoRotationLog(TABLE, stuttering).saveRotation(newRotation(runId));
    expect([saved.rev, lost]).toEqual([1, 3]);
    stuttering.destroy();
  });

  test("of two writers that read the same record the second is refused", async () => {
    const { runId } = newRun();
    const saved = await log.saveRotation(newRotation(runId));
    await log.saveRotation(saved);
    await expect(log.saveRotation(saved)).rejects.toMatchObject({ code: "LEASE_LOST" });
  });
});

describe("the pointer to the run that others wait for", () => {
  const point = (runId: string, since: Date) =>
    client.send(
      new PutItemCommand({
        TableName: TABLE,
        Item: {
          pk: { S: "OPEN" },
          sk: { S: "ACTIVE" },
          runId: { S: runId },
          since: { S: since.toISOString() },
        },
      }),
    );

  test.each(["done", "refused", "waiting"] as const)(
    "holds nobody up when its clearing was lost: the run is %s",
    async (status) => {
      const [ended, next] = [newRun(), newRun()];
      expect(await log.begin(ended)).toEqual({ begun: true });
      await log.saveRun({ ...ended, rev: 1, status });
      await point(ended.runId, at(0));
      expect(await log.begin(next)).toEqual({ begun: true });
      expect(await log.openRuns()).toContain(ended.runId);
      await log.saveRun({ ...next, rev: 1, status: "done" });
    },
  );

  test("is trusted for a minute without its run", async () => {
    const [early, late] = [newRun(), { ...newRun(), createdAt: at(61).toISOString() }];
    await point("unborn", at(0));
    expect(await log.begin(early)).toEqual({ begun: false, runId: "unborn" });
    expect(await log.begin(late)).toEqual({ begun: true });
    await log.saveRun({ ...late, rev: 1, status: "done" });
  });

  test("is taken over after a minute, and the process that only stood still cannot begin its run any more", async () => {
    const asleep = newRun();
    const late = { ...newRun(), createdAt: at(61).toISOString() };
    await point(asleep.runId, at(0));
    expect(await log.begin(late)).toEqual({ begun: true });
    await expect(log.open(asleep)).rejects.toMatchObject({ code: "LEASE_LOST" });
    expect(await log.run(asleep.runId)).toMatchObject({ status: "refused" });
    await log.saveRun({ ...late, rev: 1, status: "done" });
  });
});

describe("an emergency", () => {
  test("waits for no other run, and is answered with itself when it is asked for twice", async () => {
    const [routine, other] = [newRun(), newRun()];
    expect(await log.begin(routine)).toEqual({ begun: true });
    expect(await log.begin(other)).toEqual({ begun: false, runId: routine.runId });
    const leak = newRun({ emergency: true, only: ["shop/database", "shop/cache"], reason: "leaked" });
    const again = newRun({ emergency: true, only: ["shop/cache", "shop/database"], reason: "leaked!" });
    const elsewhere = newRun({ emergency: true, only: ["shop/key"], reason: "leaked" });
    expect(await log.begin(leak)).toEqual({ begun: true });
    expect(await log.begin(again)).toEqual({ begun: false, runId: leak.runId });
    expect(await log.begin(elsewhere)).toEqual({ begun: true });
    await log.saveRun({ ...leak, rev: 1, status: "done" });
    expect(await log.begin(again)).toEqual({ begun: true });
  });

  test("marks an open rotation, whose worker then cannot write over the mark", async () => {
    const run = newRun({ emergency: true, only: ["shop/one"], reason: "x" });
    await log.begin(run);
    const worker = log.fencedBy(1);
    const saved = await worker.saveRotation(newRotation(run.runId));
    await log.hurry(run.runId, ARN);
    await expect(worker.saveRotation(saved)).rejects.toMatchObject({ code: "LEASE_LOST" });
    const [marked] = await log.rotations(run.runId);
    expect(marked).toMatchObject({ emergency: true, rev: 2 });
    expect((await log.run(run.runId))?.rev).toBe(2);
    await expect(worker.saveRotation({ ...newRotation(run.runId), ...marked })).resolves.toMatchObject({
      rev: 3,
    });
  });
});
