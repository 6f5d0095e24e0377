/** The scan as it runs: the real clients over HTTP against the local cloud's CloudTrail, STS and DynamoDB, on a clock that jumps. */
import { randomUUID } from "node:crypto";
import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { cloudTrailLog } from "../../lib/adapters/cloudTrail.ts";
import { dynamoCursors } from "../../lib/adapters/dynamoCursor.ts";
import { type Cursor, newCursor, newSeed } from "../../lib/detection/cursor.ts";
import { RekeyError } from "../../lib/errors.ts";
import type { Take } from "../../lib/journeys/readWindows.ts";
import { type ScanPorts, type ScanReport, scanAccess } from "../../lib/journeys/scanAccess.ts";
import { builtHandlers } from "../builtHandlers.ts";
import { createTable } from "../demo/world.ts";
import { JumpingClock, readAt } from "../detection/scanWorld.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const PLACE = "123456789012/us-east-1";
const NOON = "2026-11-25T12:00:00Z";

let clock = new JumpingClock(NOON);
let cloud: Cloud;
let at: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
let trail: CloudTrailClient;
let dynamo: DynamoDBClient;
let ports: ScanPorts;
let taken: { readonly id: string; readonly isSeed: boolean }[] = [];
let told: Readonly<Record<string, unknown>>[] = [];
let TABLE = "";

beforeEach(async () => {
  clock = new JumpingClock(NOON);
  [taken, told, TABLE] = [[], [], `rekey-${randomUUID()}`];
  cloud = await startCloud({ processes: false, history: { now: () => clock.ms, tokenSeconds: 3_600 } });
  at = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "scan", secretAccessKey: "local" },
  };
  // STS is asked by a client of the adapter's own.
  vi.stubEnv("AWS_ENDPOINT_URL", cloud.endpoint);
  trail = new CloudTrailClient({ ...at, maxAttempts: 1 });
  dynamo = new DynamoDBClient(at);
  await createTable(at, TABLE);
  ports = {
    // At no pace: what the local cloud's clock does not know of is not to be waited for.
    accessLog: cloudTrailLog(trail, (call) => call()),
    cursors: dynamoCursors(TABLE, dynamo),
    take,
    tell: (event) => void told.push(event),
    now: clock.now,
    sleep: clock.sleep,
  };
  return async () => {
    vi.unstubAllEnvs();
    trail.destroy();
    dynamo.destroy();
    await cloud.stop();
  };
});

const take: Take = async (records, { isSeed }) => {
  for (const one of records) taken.push({ id: (one as { eventID: string }).eventID, isSeed });
};
/** @param minutes before the clock's now */
const plant = (id: string, minutes: number, delaySeconds = 0) =>
  cloud.trail.plant(readAt(id, clock.ms - minutes * 60_000), delaySeconds);
const plantMany = (count: number, minutes: number) => {
  for (let index = 0; index < count; index++) plant(`many-${index}`, minutes);
};
const minutes = (count: number) => {
  clock.ms += count * 60_000;
};
const scan = (changes: Partial<ScanPorts> = {}, seconds = 285): Promise<ScanReport> =>
  scanAccess({ ...ports, ...changes }, { deadline: new Date(clock.ms + seconds * 1000) });
const ids = () => taken.map(({ id }) => id);

test("what happened is taken once, and looked at again only while more may turn up", async () => {
  plant("just-now", 1);
  plant("a-while-ago", 10);
  plant("an-hour-ago", 60);
  const first = await scan();
  expect(taken).toEqual([
    { id: "a-while-ago", isSeed: false },
    { id: "an-hour-ago", isSeed: true },
  ]);
  expect(first).toMatchObject({
    outcome: "caught up",
    place: PLACE,
    coveredFrom: "2026-11-25T11:38:00.000Z",
    coveredTo: "2026-11-25T11:58:00.000Z",
    gaps: [],
    lagSeconds: 120,
    isBehind: false,
    windows: [{ from: "2026-11-25T11:38:00.000Z", to: "2026-11-25T11:58:00.000Z", records: 1, fresh: 1 }],
    calls: 1,
    throttled: 0,
    seed: {
      outcome: "caught up",
      gaps: [],
      calls: 90,
      share: 1,
      records: 1,
      completeAt: "2026-11-25T12:00:00.000Z",
    },
  });
  minutes(5);
  const second = await scan();
  expect(ids().slice(2)).toEqual(["just-now"]);
  expect(second).toMatchObject({ calls: 1, pages: 1, records: 2, fresh: 1, repeated: 1, seed: { calls: 0 } });
  minutes(20);
  expect(await scan()).toMatchObject({ fresh: 0, coveredFrom: "2026-11-25T11:38:00.000Z", gaps: [] });
});

test("a record that turns up twenty minutes after it happened is taken", async () => {
  await scan();
  plant("late", 3, 20 * 60);
  for (let look = 0; look < 5; look++) {
    minutes(5);
    await scan();
  }
  expect(ids()).toEqual(["late"]);
});

test("the line that is told is the report, with windows as a number", async () => {
  const { windows, seed, ...report } = await scan();
  expect(told).toEqual([
    {
      event: "access.scanned",
      ...report,
      windows: windows.length,
      seed: { ...seed, windows: seed.windows.length },
    },
  ]);
});

describe("whoever dies", () => {
  const LIVES = ["before taking", "after taking", "before saving", "after saving"] as const;

  test.each(LIVES)("%s leaves a page that is asked for again, and no other", async (when) => {
    plantMany(130, 10);
    const dies = async () => {
      throw new Error("died");
    };
    const mortal: Partial<ScanPorts> = {
      "before taking": { take: dies },
      "after taking": { take: async (...given: Parameters<Take>) => take(...given).then(dies) },
      "before saving": { cursors: { ...ports.cursors, save: dies } },
      "after saving": {
        cursors: {
          ...ports.cursors,
          save: async (cursor: Parameters<typeof ports.cursors.save>[0]) =>
            ports.cursors.save(cursor).then(dies),
        },
      },
    }[when];
    // With each page once: the window is not opened anew, so the same three pages are met each time.
    for (let life = 0; life < 3; life++) {
      const before = cloud.trail.records.length;
      await expect(scan(mortal)).rejects.toThrow("died");
      expect(cloud.trail.records.length - before).toBeLessThanOrEqual(2);
    }
    const report = await scan();
    expect(new Set(ids()).size).toBe(130);
    const cursor = await ports.cursors.read(PLACE, "live");
    expect(cursor?.totals).toMatchObject({ pages: 3, records: 130, fresh: 130 });
    expect(report.gaps).toEqual([]);
    const again = { "before taking": 130, "after taking": 280, "before saving": 280, "after saving": 130 };
    expect(ids().length).toBe(again[when]);
  });

  test("in the middle of the seed leaves the day to be gone on with", async () => {
    plantMany(120, 24 * 60 * 3);
    let left = 6;
    const save: typeof ports.cursors.save = async (cursor) => {
      if (--left < 0) throw new Error("died");
      return ports.cursors.save(cursor);
    };
    await expect(scan({ cursors: { ...ports.cursors, save } })).rejects.toThrow("died");
    minutes(5);
    const { seed } = await scan();
    expect(seed).toMatchObject({ share: 1, coveredFrom: "2026-08-27T12:05:01.000Z" });
    expect((await ports.cursors.read(PLACE, "seed"))?.totals).toMatchObject({
      windows: 90,
      pages: 92,
      records: 120,
      fresh: 120,
    });
  });
});

test("a failed scan still tells how far it came", async () => {
  plant("one", 10);
  const failing: Take = async () => {
    throw new Error("the sink is full");
  };
  await expect(scan({ take: failing })).rejects.toThrow("the sink is full");
  expect(told).toMatchObject([{ event: "access.behind", outcome: "failed", fresh: 0, calls: 1 }]);
  await scan();
  expect(ids()).toEqual(["one"]);
});

test("a sink that was overtaken itself has failed: its records are handed over again", async () => {
  plant("one", 10);
  const overtaken: Take = async () => {
    throw new RekeyError("LEASE_LOST", "others kept something else");
  };
  await expect(scan({ take: overtaken })).rejects.toMatchObject({ code: "LEASE_LOST" });
  await scan();
  expect(ids()).toEqual(["one"]);
});

test("throttled, the scan waits a little and goes on; out of time, the next one does", async () => {
  plantMany(120, 10);
  let refusals = 2;
  const { LookupEvents } = cloud.trail.service().operations;
  expect(LookupEvents).toBeDefined();
  trail.middlewareStack.add(
    (next) => async (args) => {
      if (refusals-- <= 0) return next(args);
      throw Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException" });
    },
    { step: "deserialize", priority: "low" },
  );
  const first = await scan();
  expect(first).toMatchObject({ outcome: "caught up", throttled: 2, calls: 5, pages: 3, fresh: 120 });
  // A second, then two.
  expect(clock.ms - Date.parse(NOON)).toBe(3_000);
  minutes(5);
  refusals = 1_000;
  const second = await scan({}, 100);
  expect(second).toMatchObject({ outcome: "out of time", isBehind: true, fresh: 0 });
  expect(clock.ms - Date.parse(NOON)).toBeLessThan(303_000 + 100_000);
  refusals = 0;
  expect(await scan()).toMatchObject({ outcome: "caught up", gaps: [] });
});

test("without an answer it asks four times; a right that it lacks it does not ask for again", async () => {
  const answers: string[] = ["TimeoutError", "TimeoutError", "TimeoutError"];
  trail.middlewareStack.add(
    (next) => async (args) => {
      const name = answers.shift();
      if (name === undefined) return next(args);
      throw Object.assign(new Error(name), { name });
    },
    { step: "deserialize", priority: "low" },
  );
  plant("one", 10);
  expect(await scan()).toMatchObject({ outcome: "caught up", calls: 4, fresh: 1 });
  minutes(5);
  answers.push("TimeoutError", "TimeoutError", "TimeoutError", "TimeoutError");
  await expect(scan()).rejects.toMatchObject({ code: "AWS_UNANSWERED" });
  answers.push("AccessDeniedException");
  await expect(scan()).rejects.toMatchObject({ code: "AWS_DENIED" });
  expect(told.map(({ outcome, calls }) => [outcome, calls])).toEqual([
    ["caught up", 4],
    ["failed", 4],
    ["failed", 1],
  ]);
});

test("the seed has what time the scan leaves, and goes on in the next one", async () => {
  const report = await scan({ accessLog: slowly(10) });
  expect(report).toMatchObject({ outcome: "caught up", isBehind: false, calls: 1 });
  expect(report.seed).toMatchObject({ outcome: "out of time", calls: 28, gaps: [] });
  expect(report.seed.share).toBeCloseTo(28 / 90, 5);
  minutes(5);
  const next = await scan({ accessLog: slowly(200) });
  expect(next).toMatchObject({ outcome: "caught up", calls: 1, seed: { calls: 1 } });
});

test("after ten days away everything is read, the oldest first, each hour once, and it says that it was behind", async () => {
  await scan();
  taken = [];
  for (let hour = 1; hour <= 240; hour++) plant(`hour-${hour}`, -hour * 60);
  minutes(10 * 24 * 60);
  const first = await scan({ accessLog: slowly(2) });
  expect(first).toMatchObject({ outcome: "out of time", isBehind: true, gaps: [] });
  expect(told.at(-1)).toMatchObject({ event: "access.behind" });
  const second = await scan({ accessLog: slowly(2) });
  expect(second).toMatchObject({ outcome: "caught up", isBehind: false, gaps: [], repeated: 0 });
  // And one for the eight minutes that it took.
  expect(first.calls + second.calls).toBe(241);
  expect(ids()).toEqual(Array.from({ length: 240 }, (_, index) => `hour-${index + 1}`));
});

/** As if a call took so long. */
const slowly = (seconds: number): ScanPorts["accessLog"] => ({
  ...ports.accessLog,
  page: async (...asked) => {
    clock.ms += seconds * 1000;
    return ports.accessLog.page(...asked);
  },
});

test("a token that grew too old is not needed: the window goes on where it was, and nothing counts twice", async () => {
  for (let index = 0; index < 220; index++) plant(`one-${index}`, 5 + index / 20);
  const first = await scan({ accessLog: slowly(30) }, 70);
  expect(first).toMatchObject({ outcome: "out of time", pages: 3, open: { pages: 3 } });
  minutes(90);
  const second = await scan();
  expect(second).toMatchObject({ outcome: "caught up", refusedTokens: 1, gaps: [] });
  expect(second.windows[0]).toMatchObject({
    from: "2026-11-25T11:38:00.000Z",
    to: "2026-11-25T11:58:00.000Z",
  });
  expect(ids().length).toBe(220);
  expect(new Set(ids()).size).toBe(220);
  // The refused one, two more pages; five of a window that meets them all again, and one of the last half hour.
  expect(second.calls).toBe(9);
});

test("a stranger's token in the record is refused and done without", async () => {
  plantMany(70, 10);
  await scan({}, 0);
  const cursor = newCursor(PLACE, clock.ms);
  await ports.cursors.save({
    ...cursor,
    open: {
      fromMs: cursor.fromMs,
      toMs: clock.ms - 120_000,
      askedToMs: clock.ms - 120_000,
      startedAtMs: clock.ms,
      token: "made up",
      pages: 1,
      pagesAtRefusal: 0,
      records: 0,
      fresh: 0,
      isInOrder: true,
    },
  });
  expect(await scan()).toMatchObject({ outcome: "caught up", refusedTokens: 1, fresh: 70 });
});

test("two at once: one goes on, the other stops and says so, and everything counts once", async () => {
  plantMany(340, 10);
  const both = await Promise.all([scan(), scan()]);
  expect(both.map(({ outcome }) => outcome).toSorted()).toEqual(["caught up", "overtaken"]);
  const cursor = await ports.cursors.read(PLACE, "live");
  expect(cursor?.totals).toMatchObject({ pages: 7, records: 340, fresh: 340 });
  expect(both[0].fresh + both[1].fresh).toBe(340);
  expect(new Set(ids()).size).toBe(340);
  expect(both.flatMap(({ gaps }) => gaps)).toEqual([]);
  expect(both.map(({ isBehind }) => isBehind)).toEqual([false, false]);
});

test("many ids are filed beside the cursor, known again, and dropped when their time is over", async () => {
  plantMany(600, 10);
  const lots = async () =>
    ((await dynamo.send(new ScanCommand({ TableName: TABLE }))).Items ?? []).filter(({ sk }) =>
      sk?.S?.startsWith("SEEN#"),
    );
  await scan();
  const filed = await lots();
  expect(filed.length).toBe(2);
  // Two days after its youngest record, in whole seconds.
  expect(Number(filed[0]?.["expiresAt"]?.N)).toBe(Date.parse("2026-11-27T11:50:00Z") / 1000);
  minutes(5);
  expect(await scan()).toMatchObject({ records: 600, fresh: 0 });
  // The cursor had been full once more.
  expect((await lots()).length).toBe(3);
  minutes(30);
  await scan();
  expect(await lots()).toEqual([]);
});

test("the handler, as it is deployed, reads what there is and answers with the report", async () => {
  clock.ms = Date.now();
  plant("one", 10);
  // Ninety days at one and a half calls a second would take a minute.
  const live = newCursor(PLACE, clock.ms);
  await ports.cursors.save({ ...newSeed(live), completeAtMs: clock.ms });
  const { scanAccess: bundle = "" } = await builtHandlers();
  const env = { ...cloud.env, REKEY_TABLE: TABLE };
  cloud.lambda.register("scanAccess", { bundle, env, timeoutSeconds: 300, memoryMb: 512 });
  const { payload, failure, log } = await cloud.lambda.invoke("scanAccess", {});
  expect(failure).toBeUndefined();
  expect(payload).toMatchObject({ outcome: "caught up", place: PLACE, fresh: 1, calls: 1, isBehind: false });
  expect(log.map((line) => JSON.parse(line))).toMatchObject([
    { event: "access.taken", records: 1, events: 1, malformed: {} },
    { event: "access.scanned", fresh: 1 },
  ]);
});

test("of two writers of the same cursor the second is refused, and a write sent twice is one's own", async () => {
  const cursor = newCursor(PLACE, clock.ms);
  const saved = await ports.cursors.save(cursor);
  expect(saved?.rev).toBe(1);
  expect(await ports.cursors.save(cursor)).toBeUndefined();
  const stuttering = new DynamoDBClient({ ...at, maxAttempts: 2 });
  let lost = 0;
  stuttering.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      if (lost++ > 0) return answer;
      throw Object.assign(new Error("socket hang up"), { name: "TimeoutError" });
    },
    { step: "deserialize", priority: "low" },
  );
  expect((await dynamoCursors(TABLE, stuttering).save(saved as Cursor))?.rev).toBe(2);
  stuttering.destroy();
});
