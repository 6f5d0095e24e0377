/**
 * People at work in the middle of a rotation, under traffic, on the built handlers with real servers and tasks: AWSCURRENT
 * moved back, AWSCURRENT moved to a third version, and two callers at once. No request fails, and the report says what
 * happened in one sentence.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Report } from "../../lib/rotation/report.ts";
import { type Crowd, startCrowd } from "../demo/crowd.ts";
import { tryOldAndNew } from "../demo/proof.ts";
import { GUARD_DATABASE, GUARD_REDIS, startWorld, type World } from "../demo/world.ts";

let world: World;
let crowd: Crowd;
beforeAll(async () => {
  world = await startWorld();
}, 90_000);
afterAll(() => world?.stop());
beforeEach(() => {
  crowd = startCrowd(world.cloud, 60);
});
afterEach(() => crowd.kill());

const begin = (only: string) => world.cloud.lambda.start("rotateAll", { only: [only] });
async function reportOf({ result }: ReturnType<typeof begin>): Promise<Report> {
  const { payload, failure } = await result;
  if (failure) throw new Error(failure.errorMessage);
  return payload as Report;
}
const line = (text: string) =>
  new Promise<void>((resolve) => {
    world.cloud.lambda.emitter.on("line", (_name, said) => {
      if (said.includes(text)) resolve();
    });
  });
const current = (name: string) => {
  const { secrets } = world.cloud;
  return secrets.holder(secrets.find(name), "AWSCURRENT")?.versionId ?? "";
};
function move(name: string, to: string): void {
  const { secrets } = world.cloud;
  secrets.moveLabel(secrets.find(name), "AWSCURRENT", current(name), to);
}
async function expectNoFailure(): Promise<void> {
  await crowd.stop();
  expect(crowd.requests()).toBeGreaterThan(100);
  expect(crowd.failures).toEqual([]);
}

test("AWSCURRENT moved back by a person in mid-run is followed, and the report says so", async () => {
  const before = current(GUARD_DATABASE);
  const [promoted, running] = [line('"phase":"promote"'), begin(GUARD_DATABASE)];
  await promoted;
  const rotated = current(GUARD_DATABASE);
  move(GUARD_DATABASE, before);
  const { secrets, status } = await reportOf(running);
  await expectNoFailure();
  expect(status).toBe("done");
  expect(secrets).toMatchObject([
    {
      name: GUARD_DATABASE,
      outcome: "rolledBack",
      newVersionId: rotated,
      because: "somebody moved AWSCURRENT back to the old version by hand, so the services follow it",
      errors: [{ code: "LABEL_MOVED" }],
    },
  ]);
  expect(current(GUARD_DATABASE)).toBe(before);
  const proof = await tryOldAndNew(world, { [GUARD_DATABASE]: rotated });
  expect(proof[GUARD_DATABASE]).toEqual({
    "password at PostgreSQL": { oldRefused: false, newAccepted: false },
  });
}, 90_000);

test("AWSCURRENT moved to a third version stops every revocation until it is where the report says it must be", async () => {
  const { secrets: store } = world.cloud;
  const secret = store.find(GUARD_REDIS);
  const before = current(GUARD_REDIS);
  // Somebody's copy of the document in use: whatever starts with it works.
  const copy = crypto.randomUUID();
  const [promoted, running] = [line('"phase":"promote"'), begin(GUARD_REDIS)];
  await promoted;
  const rotated = current(GUARD_REDIS);
  store.put(secret, store.read(secret, before, undefined).text, copy, ["BY_HAND"]);
  move(GUARD_REDIS, copy);
  const stopped = await reportOf(running);
  const sentence = `somebody moved AWSCURRENT to version ${copy} by hand, which is not ours; whoever did must move it to ${rotated}: nothing is revoked until then`;
  expect(stopped.secrets).toMatchObject([{ name: GUARD_REDIS, outcome: "open", because: sentence }]);
  expect(stopped.open).toEqual([`${GUARD_REDIS}: ${sentence}`]);
  const waiting = await tryOldAndNew(world, { [GUARD_REDIS]: rotated });
  expect(new Set(Object.values(waiting[GUARD_REDIS] ?? {}).map((trial) => JSON.stringify(trial)))).toEqual(
    new Set([JSON.stringify({ oldRefused: false, newAccepted: true })]),
  );

  move(GUARD_REDIS, rotated);
  const finished = await world.cloud.lambda.invoke("advance", {});
  await expectNoFailure();
  expect((finished.payload as Report[])[0]?.secrets).toMatchObject([
    { name: GUARD_REDIS, outcome: "rotated", because: "the new value works and the old one is refused" },
  ]);
  for (const trial of Object.values((await tryOldAndNew(world))[GUARD_REDIS] ?? {}))
    expect(trial).toEqual({ oldRefused: true, newAccepted: true });
}, 120_000);

test("two callers at once rotate once: the second is told of the run that is under way", async () => {
  const before = current(GUARD_DATABASE);
  const reports = await Promise.all([begin(GUARD_DATABASE), begin(GUARD_DATABASE)].map(reportOf));
  await expectNoFailure();
  const [first] = reports.filter(({ status }) => status === "done");
  const [second] = reports.filter(({ status }) => status === "running");
  expect(second?.runId).toBe(first?.runId);
  expect(second?.summary).toMatch(/^a run is already under way: /);
  expect(first?.secrets).toMatchObject([
    {
      outcome: "rotated",
      oldVersionId: before,
      newVersionId: current(GUARD_DATABASE),
      because: "the new value works and the old one is refused",
    },
  ]);
  expect(first?.services).toHaveLength(1);
}, 90_000);
