/** The monthly drill over the local cloud: its secret, its run and its records are real ones, kept and read by the adapters. */
import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dynamoDrills } from "../../lib/adapters/dynamoDrills.ts";
import { dynamoIncidents } from "../../lib/adapters/dynamoIncidents.ts";
import { dynamoOutbox } from "../../lib/adapters/dynamoOutbox.ts";
import { loadRunbook } from "../../lib/adapters/runbooks.ts";
import { secretsManagerStore } from "../../lib/adapters/secretsManager.ts";
import { RekeyError } from "../../lib/errors.ts";
import type { OutboxStore } from "../../lib/incident/channel.ts";
import type { Drills } from "../../lib/incident/drills.ts";
import type { IncidentStore } from "../../lib/incident/incidentStore.ts";
import type { StepRecord } from "../../lib/incident/run.ts";
import { type DrillPorts, drill } from "../../lib/journeys/drill.ts";
import { keptIncident } from "../../lib/journeys/keptIncident.ts";
import { beginIncident } from "../../lib/journeys/openIncident.ts";
import { outboxVoice } from "../../lib/journeys/outboxVoice.ts";
import { readDrillRequest } from "../../lib/journeys/postMortemRequest.ts";
import { createTable, TABLE } from "../demo/world.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

let cloud: Cloud;
let client: DynamoDBClient;
let drills: Drills;
let incidents: IncidentStore;
let now: Date;
let manager: SecretsManagerClient;
let outbox: OutboxStore;

const options = () => ({
  ...{ endpoint: cloud.endpoint, region: "us-east-1" },
  credentials: { accessKeyId: "a", secretAccessKey: "b" },
});

beforeEach(async () => {
  cloud = await startCloud({ processes: false });
  client = new DynamoDBClient(options());
  manager = new SecretsManagerClient(options());
  await createTable(options(), TABLE);
  drills = dynamoDrills(TABLE, client);
  incidents = dynamoIncidents(TABLE, client);
  outbox = dynamoOutbox(TABLE, client);
  now = new Date("2026-11-10T09:00:00Z");
  await makeSecret("shop/database", { "rekey:strategy": "postgres" });
  await makeSecret("canary/bait", { "rekey:canary": "true" });
  await makeSecret("canary/database", { "rekey:canary": "true", "rekey:strategy": "postgres" });
});

afterEach(async () => {
  client?.destroy();
  manager?.destroy();
  await cloud?.stop();
});

const makeSecret = (Name: string, tags: Readonly<Record<string, string>>) =>
  manager.send(
    new CreateSecretCommand({
      ...{ Name, SecretString: "made for this test" },
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  );

/** What is to be said in a thread, as its outbox has it. */
const saidIn = async (thread: string) =>
  ((await outbox.read(thread))?.posts ?? []).map(({ version, message }) => ({
    ...{ version, text: message?.text ?? "" },
    all: JSON.stringify(message),
  }));

const ports = (): DrillPorts => {
  const tell = () => {};
  const clock = () => now;
  return {
    store: secretsManagerStore(undefined, manager),
    drills,
    runs: {
      begin: (asked) => beginIncident({ incidents, loadRunbook, tell, now: clock }, asked),
      read: (id) => keptIncident(incidents, id),
    },
    postMortems: { open: async ({ id }) => ({ link: `https://pages.example/${id}` }) },
    voice: outboxVoice({ outbox, now: clock, newId: randomUUID }),
    tell,
    now: clock,
  };
};

/** As whoever carries it out would leave it. */
async function carryOut(id: string, seconds: number): Promise<void> {
  const stored = await incidents.read(id);
  if (!stored) throw new Error("no such run");
  const at = new Date(Date.parse(stored.incident.noticedAt) + seconds * 1000).toISOString();
  const step = (fields: Partial<StepRecord>): StepRecord => ({
    ...{ status: "pending", silences: 0, attempts: 1, asks: 1 },
    ...fields,
  });
  const steps = {
    killOld: step({
      status: "done",
      proof: { check: "oldValueRefused", shows: "refused", at, providerAt: at },
    }),
    keyOff: step({ status: "skipped" }),
    endSessions: step({ status: "skipped" }),
  };
  const ended = { as: "completed", at, because: "every step is settled" } as const;
  await incidents.save({ ...stored.incident, run: { ...stored.incident.run, steps, ended } });
  now = new Date(Date.parse(at) + 3_600_000);
}

test("it touches the canary that Rekey rotates, and begins one run a month however often it is asked", async () => {
  const first = await drill(ports(), "2026-11");
  const run = (await incidents.read(first.began ?? ""))?.incident.run;
  expect(run).toMatchObject({
    runbook: { id: "secret-compromised" },
    inputs: { secret: "canary/database" },
    requestedBy: { rekey: "schedule" },
  });
  expect(await drill(ports(), "2026-11")).toEqual({ settled: [], open: [first.began] });
  expect(await incidents.open()).toEqual([first.began]);
});

test("its time to contain is told once, against the last ones, and kept", async () => {
  const times: [string, number][] = [
    ["2026-09", 100],
    ["2026-10", 120],
    ["2026-11", 300],
  ];
  const told: string[] = [];
  let last = "";
  for (const [name, seconds] of times) {
    now = new Date(`${name}-10T09:00:00Z`);
    const { began = "" } = await drill(ports(), name);
    expect((await drill(ports())).open).toEqual([began]);
    await carryOut(began, seconds);
    expect((await drill(ports())).settled).toMatchObject([{ name, result: { containSeconds: seconds } }]);
    expect((await drill(ports())).settled).toEqual([]);
    for (const { text, all } of await saidIn(began)) {
      told.push(text);
      last = all;
    }
  }
  expect(told).toEqual([
    "Drill: contained after 1 min 40 s, the first that is on record",
    "Drill: contained after 2 min 0 s, as usual; the last ones took 1 min 40 s",
    "Drill: contained after 5 min 0 s, slower; the last ones took 1 min 50 s",
  ]);
  expect(last).toContain("https://pages.example/inc-");
});

test("whoever dies between the telling and the keeping is followed by one who says the same under the same name", async () => {
  const { began = "" } = await drill(ports(), "2026-11");
  await carryOut(began, 60);
  const dies: DrillPorts = {
    ...ports(),
    drills: { ...drills, settle: () => Promise.reject(new RekeyError("AWS_UNANSWERED", "gone")) },
  };
  await expect(drill(dies)).rejects.toThrow("gone");
  await drill(ports());
  expect(await saidIn(began)).toMatchObject([
    { version: 1, text: expect.stringContaining("after 1 min 0 s") },
  ]);
});

test("a drill whose run never began, since its worker died, begins when it is looked at", async () => {
  const dies: DrillPorts = {
    ...ports(),
    runs: { ...ports().runs, begin: () => Promise.reject(new RekeyError("AWS_UNANSWERED", "gone")) },
  };
  await expect(drill(dies, "2026-11")).rejects.toThrow("gone");
  const { open } = await drill(ports());
  expect(await incidents.open()).toEqual(open);
});

test("a drill that nobody answers is told after two days as not contained, and the next may begin", async () => {
  const { began: first = "" } = await drill(ports(), "2026-11");
  now = new Date("2026-11-12T08:59:59Z");
  expect(await drill(ports(), "2026-12")).toMatchObject({
    notBegun: expect.stringContaining("has not ended"),
  });
  now = new Date("2026-11-12T09:00:00Z");
  const { settled, began } = await drill(ports(), "2026-12");
  expect(settled).toMatchObject([{ name: "2026-11", result: { as: "unfinished" } }]);
  expect(began).toBeDefined();
  expect((await saidIn(first))[0]?.text).toContain("Drill: not contained");
  expect((await saidIn("drill-2026-12"))[0]?.text).toContain("has not ended");
});

test("without a canary no drill begins, and that is told", async () => {
  await manager.send(
    new DeleteSecretCommand({ SecretId: "canary/database", ForceDeleteWithoutRecovery: true }),
  );
  expect(await drill(ports(), "2026-11")).toMatchObject({
    notBegun: expect.stringContaining("rekey:canary=true"),
  });
  expect((await saidIn("drill-2026-11"))[0]?.text).toContain("No drill: no secret has both");
  expect(await drills.all()).toEqual([]);
});

test("of several canaries each has its turn", async () => {
  await makeSecret("canary/cache", { "rekey:canary": "true", "rekey:strategy": "redis" });
  const drilled: unknown[] = [];
  for (const name of ["2026-08", "2026-09", "2026-10"]) {
    now = new Date(`${name}-10T09:00:00Z`);
    const { began = "" } = await drill(ports(), name);
    drilled.push((await incidents.read(began))?.incident.run.inputs.secret);
    await carryOut(began, 60);
    await drill(ports());
  }
  expect(drilled).toEqual(["canary/cache", "canary/database", "canary/cache"]);
});

test("a post-mortem that cannot be opened does not keep the result from being told", async () => {
  const { began = "" } = await drill(ports(), "2026-11");
  await carryOut(began, 60);
  const broken = { open: () => Promise.reject(new RekeyError("AWS_DENIED", "may not")) };
  await drill({ ...ports(), postMortems: broken });
  const [told] = await saidIn(began);
  expect(told?.text).toContain("Drill: contained");
  expect(told?.all).not.toContain("pages.example");
});

test("the schedule names a drill by its month, a person by the minute, and looking begins none", () => {
  expect(readDrillRequest({ "detail-type": "Scheduled Event", id: "x" }, now)).toBe("2026-11");
  expect(readDrillRequest({}, now)).toBe("2026-11-10T09:00");
  expect(readDrillRequest({ look: true }, now)).toBeUndefined();
  expect(() => readDrillRequest({ looks: true }, now)).toThrow("looks is not a field");
});
