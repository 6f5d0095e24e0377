/** The event history through the real client, and the local cloud's as strict as AWS describes its own. */
import {
  CloudTrailClient,
  LookupEventsCommand,
  type LookupEventsCommandInput,
} from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { cloudTrailLog } from "../../lib/adapters/cloudTrail.ts";
import type { AccessLog } from "../../lib/detection/accessLog.ts";
import { JumpingClock, readAt } from "../detection/scanWorld.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";
import { EventHistory } from "../standin/lookupEvents.ts";

const SOURCE = "secretsmanager.amazonaws.com";
const clock = new JumpingClock("2026-11-25T12:00:00Z");
const at = (time: string) => Date.parse(`2026-11-25T${time}Z`);
const period = (from: string, to: string) => ({ fromMs: at(from), toMs: at(to) });

let cloud: Cloud;
let client: CloudTrailClient;
/** One for all tests, so that they keep to its pace together. */
let log: AccessLog;
beforeAll(async () => {
  cloud = await startCloud({
    processes: false,
    throttles: true,
    history: { now: () => clock.ms, tokenSeconds: 60 },
  });
  vi.stubEnv("AWS_ENDPOINT_URL", cloud.endpoint);
  client = new CloudTrailClient({
    region: "us-east-1",
    credentials: { accessKeyId: "scan", secretAccessKey: "local" },
    maxAttempts: 1,
  });
  log = cloudTrailLog(client);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  client?.destroy();
  await cloud?.stop();
});

const idsOf = (records: readonly unknown[]) => records.map((one) => (one as { eventID: string }).eventID);

test("a place is an account and a Region", async () => {
  expect(await log.place()).toBe("123456789012/us-east-1");
});

test("a period holds its first second and not its last, and no record is in two periods that touch", async () => {
  for (const second of [9, 10, 11, 19, 20])
    cloud.trail.plant(readAt(`at-${second}`, at(`10:00:${String(second).padStart(2, "0")}`)));
  expect(idsOf((await log.page(SOURCE, period("10:00:10", "10:00:20"))).records)).toEqual([
    "at-19",
    "at-11",
    "at-10",
  ]);
  expect(idsOf((await log.page(SOURCE, period("10:00:20", "10:00:30"))).records)).toEqual(["at-20"]);
  expect(idsOf((await log.page(SOURCE, period("10:00:09.500", "10:00:10.500"))).records)).toEqual(["at-10"]);
  expect(await log.page(SOURCE, period("10:00:10", "10:00:10"))).toEqual({ records: [] });
});

test("what does not parse is handed on as it is", async () => {
  cloud.trail.plant({ ...readAt("odd", at("09:00:00")), toJSON: () => undefined });
  const looked = await log.page(SOURCE, period("09:00:00", "09:01:00"));
  expect(looked).toEqual({ records: [""] });
});

test("a token continues its own question, for a while, and no other", async () => {
  for (let index = 0; index < 60; index++)
    cloud.trail.plant(readAt(`page-${index}`, at("07:00:00") + index * 1000));
  const whole = period("07:00:00", "07:10:00");
  const first = await log.page(SOURCE, whole);
  expect(idsOf(first.records)[0]).toBe("page-59");
  const second = await log.page(SOURCE, whole, first.next);
  expect([first.records.length, second.records.length, second.next]).toEqual([50, 10, undefined]);
  const refused = { code: "AWS_FAILED", message: expect.stringContaining("InvalidNextTokenException") };
  await expect(log.page(SOURCE, period("07:00:00", "07:09:59"), first.next)).rejects.toMatchObject(refused);
  await expect(log.page("kms.amazonaws.com", whole, first.next)).rejects.toMatchObject(refused);
  await expect(log.page(SOURCE, whole, "made up")).rejects.toMatchObject(refused);
  clock.ms += 61_000;
  await expect(log.page(SOURCE, whole, first.next)).rejects.toMatchObject(refused);
});

test("what turns up above the page that was reached is not in the pages that follow", async () => {
  for (let index = 0; index < 60; index++)
    cloud.trail.plant(readAt(`turn-${index}`, at("06:00:00") + index * 1000));
  cloud.trail.plant(readAt("turns-up", at("06:00:58")), 10);
  const whole = period("06:00:00", "06:10:00");
  const first = await log.page(SOURCE, whole);
  clock.ms += 10_000;
  const second = await log.page(SOURCE, whole, first.next);
  expect(idsOf([...first.records, ...second.records])).not.toContain("turns-up");
  expect(idsOf((await log.page(SOURCE, whole)).records)).toContain("turns-up");
});

test("a history can be late with everything", () => {
  const late = new EventHistory({ now: () => clock.ms, delaySeconds: ({ eventName }) => eventName.length });
  late.add({ ...readAt("named", clock.ms), eventName: "RotationSucceeded" });
  clock.ms += 16_999;
  expect(late.count({})).toBe(0);
  clock.ms += 1;
  expect(late.count({})).toBe(1);
});

test.each<[string, LookupEventsCommandInput]>([
  ["that ends before it begins", { StartTime: new Date(at("06:00:01")), EndTime: new Date(at("06:00:00")) }],
  ["that is over for more than ninety days", { EndTime: new Date("2026-08-01T00:00:00Z") }],
])("a time range %s is refused", async (_which, question) => {
  // In the rate that the tests before left.
  await new Promise((resolve) => setTimeout(resolve, 600));
  await expect(client.send(new LookupEventsCommand(question))).rejects.toMatchObject({
    name: "InvalidTimeRangeException",
  });
});

test("at its own pace it is never throttled; without one it is, and says so", async () => {
  const five = Array.from({ length: 5 }, () => log.page(SOURCE, period("08:00:00", "08:01:00")));
  expect((await Promise.all(five)).length).toBe(5);
  const unpaced = cloudTrailLog(client, (call) => call());
  const rush = Array.from({ length: 5 }, () => unpaced.page(SOURCE, period("08:00:00", "08:01:00")));
  const refused = (await Promise.allSettled(rush)).find(({ status }) => status === "rejected");
  expect(refused).toMatchObject({ reason: { code: "AWS_THROTTLED" } });
});
