/** Runbooks from the first word to the last, over the local cloud, with everything that goes wrong on the way. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { advanceIncidents } from "../../lib/journeys/advanceIncidents.ts";
import { driveIncident } from "../../lib/journeys/driveIncident.ts";
import { enterClick } from "../../lib/journeys/enterClick.ts";
import { readIncidentRequest } from "../../lib/journeys/incidentRequest.ts";
import { openIncident } from "../../lib/journeys/openIncident.ts";
import { verifyAudit } from "../../lib/journeys/verifyAudit.ts";
import { type IncidentWorld, incidentWorld, KEY, Killed, ROLE, SECRET } from "./incidentWorld.ts";

let world: IncidentWorld;
beforeAll(async () => {
  world = await incidentWorld();
}, 30_000);
afterAll(() => world?.stop());

let asked = 0;
const begin = (payload: object, worker = world.worker()) => {
  asked += 1;
  const whole = { requester: "UANN", reason: "found in a public repository", ...payload };
  return openIncident(worker, readIncidentRequest(whole), `call ${asked}`, world.deadline());
};
const leak = (more: object = {}) => begin({ runbook: "secret-compromised", secret: SECRET, ...more });

const questionOf = async (runId: string, step: string, undo = false) => {
  const record = (await world.read(runId)).run.steps[step];
  return (undo ? record?.undo : record)?.request?.digest ?? "";
};
const approve = async (runId: string, step: string, by: string, undo = false) =>
  enterClick(world.worker(), { runId, says: "approve", by, digest: await questionOf(runId, step, undo) });
const drive = (runId: string, worker = world.worker()) => driveIncident(worker, runId, world.deadline());
const statuses = async (runId: string) =>
  Object.fromEntries(
    Object.entries((await world.read(runId)).run.steps).map(([step, { status }]) => [step, status]),
  );
const audit = () => verifyAudit({ incidents: world.incidents, tell: () => {} });
const entries = async (runId: string) =>
  (await world.incidents.entries(runId)) as { what: string; by?: string; says?: string; step?: string }[];
const isKilled = (error: unknown) => {
  if (!(error instanceof Killed)) throw error;
};
/** Until no worker is killed any more; then one that is not. */
async function driveOn(runId: string): Promise<void> {
  for (;;) {
    // A lease that nobody gives back runs out.
    world.pass(121);
    const driven = await drive(runId);
    if (driven.status !== "busy") return;
  }
}

/** A run has some thirty writes. All of them with KILL_EVERY=1, which takes minutes. */
const KILL_EVERY = Number(process.env["KILL_EVERY"] ?? 11);
const FIRST_KILL = Number(process.env["FIRST_KILL"] ?? 2);

const CONTAINED = {
  killOld: "done",
  keyOff: "skipped",
  endSessions: "skipped",
  reach: "done",
  killTheRest: "skipped",
  allUpdated: "done",
  tellEngineers: "done",
  tellOthers: "skipped",
  writeUp: "done",
  findTheLeak: "waiting",
};

describe("a payload", () => {
  test.each([
    [{ runbook: "secret-compromised", secret: SECRET }, /requester must be the id of a Slack user/],
    [{ runbook: "secret-compromised", requester: "UANN" }, /secret is missing: Name or ARN of the secret/],
    [
      { runbook: "nothing", requester: "UANN" },
      /no runbook is called "nothing"; there are: .*secret-compromised/,
    ],
    [
      { runbook: "secret-compromised", secret: SECRET, requester: "UANN", role: "arn:aws:iam::1:role/x" },
      /role should be a role's name, not its ARN/,
    ],
    [
      { runbook: "secret-compromised", secret: SECRET, requester: "UANN", sercet: "x" },
      /sercet is not a field/,
    ],
    [{ run: "inc-1", says: "approve", by: "UANN" }, /digest is missing/],
    [{ run: "inc-1", says: "maybe", by: "UANN" }, /says must be approve, refuse/],
  ])("%j is refused, naming what is wrong", async (payload, says) => {
    const refused = async () =>
      openIncident(world.worker(), readIncidentRequest(payload), "refused", world.deadline());
    await expect(refused()).rejects.toThrow(says);
    expect(await world.incidents.open()).toEqual([]);
  });
});

describe("a compromised secret", () => {
  test("is dead after one click, and every tick has its proof", async () => {
    const old = world.currentVersion();
    const begun = await leak();
    expect(begun).toMatchObject({ status: "waiting", people: ["UBEN", "UCLEO"] });
    expect(world.currentVersion(), "nothing is done before the click").toBe(old);
    expect(await approve(begun.runId, "killOld", "UBEN")).toEqual({ taken: true, what: "agreed" });
    expect(await drive(begun.runId)).toMatchObject({ status: "waiting" });
    expect(await statuses(begun.runId)).toEqual(CONTAINED);
    expect(world.currentVersion()).not.toBe(old);
    const { run } = await world.read(begun.runId);
    for (const [step, { status, proof }] of Object.entries(run.steps))
      if (status === "done") expect(proof?.shows, step).toBeTruthy();
    expect(run.steps["killOld"]?.proof).toMatchObject({
      check: "oldValueRefused",
      shows: expect.stringContaining("was tried, and refused"),
      providerAt: expect.any(String),
    });
    const digest = await questionOf(run.id, "findTheLeak");
    const silent = await enterClick(world.worker(), { runId: run.id, says: "done", by: "UDAN", digest });
    expect(silent).toEqual({ taken: false, because: "write down what the step asks for" });
    const note = "a build log; it is deleted";
    await enterClick(world.worker(), { runId: run.id, says: "done", by: "UDAN", digest, note });
    expect(await drive(run.id)).toMatchObject({ status: "completed" });
    expect(await world.incidents.open()).toEqual([]);
    expect(await audit()).toMatchObject({ holds: true });
    await world.send();
    const threads = world.cloud.slack.messages.filter(({ thread }) => thread === undefined);
    expect(threads, "one headline").toHaveLength(1);
    const last = JSON.stringify(threads[0]?.revisions.at(-1));
    expect(last).toContain("completed");
    expect(last, "no button is left").not.toContain('"actions"');
  }, 60_000);

  test("asked for twice at a time is one run", async () => {
    const first = await leak();
    const second = await leak();
    expect(second.runId).toBe(first.runId);
    await enterClick(world.worker(), { runId: first.runId, says: "cancel", by: "UDAN", because: "a test" });
    expect(await drive(first.runId)).toMatchObject({ status: "cancelled" });
  }, 30_000);

  test("may be killed after every write of the executor, and ends the same", async () => {
    for (let killAt = FIRST_KILL; ; killAt += KILL_EVERY) {
      const old = world.currentVersion();
      const dying = world.worker(killAt);
      asked += 1;
      const request = readIncidentRequest({
        ...{ runbook: "secret-compromised", secret: SECRET, requester: "UANN", reason: `kill ${killAt}` },
      });
      let isDead = false;
      const begun = await openIncident(dying, request, `kill ${asked}`, world.deadline()).catch((error) => {
        isKilled(error);
        isDead = true;
      });
      const runId = begun?.runId ?? (await world.incidents.open())[0] ?? "";
      if (isDead) await driveOn(runId);
      await approve(runId, "killOld", "UBEN");
      if (!isDead)
        await drive(runId, dying).catch((error) => {
          isKilled(error);
          isDead = true;
        });
      if (isDead) await driveOn(runId);
      // An act whose end nobody knows is looked for, and where nothing of it is there, asked for anew.
      if ((await statuses(runId))["killOld"] === "waiting") {
        await approve(runId, "killOld", "UCLEO");
        await drive(runId);
      }
      const { steps } = (await world.read(runId)).run;
      const why = Object.values(steps).flatMap(({ status, because = "" }) =>
        status === "failed" ? because : [],
      );
      expect(await statuses(runId), `killed after write ${killAt}; ${why.join()}`).toEqual(CONTAINED);
      expect(world.currentVersion()).not.toBe(old);
      const began = (await entries(runId)).filter(({ what, step }) => what === "began" && step === "killOld");
      expect(began.length, "begun again only where nothing of it was there").toBeLessThanOrEqual(2);
      expect(await audit(), `killed after write ${killAt}`).toMatchObject({ holds: true });
      await world.send();
      const threads = world.cloud.slack.messages.filter(
        ({ thread, revisions }) => thread === undefined && JSON.stringify(revisions).includes(runId),
      );
      expect(threads).toHaveLength(1);
      await enterClick(world.worker(), { runId, says: "cancel", by: "UDAN", because: "the next one" });
      await drive(runId);
      if (!isDead) {
        expect(killAt).toBeGreaterThan(20);
        return;
      }
    }
  }, 600_000);
});

describe("a click", () => {
  test("counts once, however often and from how many places it comes", async () => {
    const { runId } = await leak();
    const digest = await questionOf(runId, "killOld");
    const clicks = await Promise.all(
      ["UBEN", "UBEN", "UCLEO", "UANN", "UEVE"].map((by) =>
        enterClick(world.worker(), { runId, says: "approve", by, digest }),
      ),
    );
    expect(clicks.filter(({ taken }) => taken)).toHaveLength(1);
    await Promise.all([drive(runId), drive(runId), drive(runId)]);
    const all = await entries(runId);
    expect(all.filter(({ what, step }) => what === "began" && step === "killOld")).toHaveLength(1);
    const refused = all.filter(({ what }) => what === "clickRefused");
    expect(refused).toHaveLength(4);
    expect(refused.find(({ by }) => by === "UEVE")?.says).toMatch(/only the people named|answered/);
    expect(await audit()).toMatchObject({ holds: true });
    await enterClick(world.worker(), { runId, says: "cancel", by: "UDAN", because: "a test" });
    await drive(runId);
  }, 60_000);

  test("of whoever asked for it is refused, and kept", async () => {
    const { runId } = await leak();
    const refused = await approve(runId, "killOld", "UANN");
    expect(refused).toEqual({ taken: false, because: "whoever asked for it may not approve it" });
    expect((await entries(runId)).at(-1)).toMatchObject({
      what: "clickRefused",
      by: "UANN",
      says: "approve: whoever asked for it may not approve it",
    });
    const digest = await questionOf(runId, "killOld");
    await enterClick(world.worker(), { runId, says: "refuse", by: "UCLEO", digest });
    expect(await drive(runId)).toMatchObject({ because: '"Kill the leaked value": UCLEO refused it' });
    await enterClick(world.worker(), { runId, says: "cancel", by: "UCLEO", because: "a false alarm" });
    expect(await drive(runId)).toMatchObject({ status: "cancelled" });
  }, 30_000);
});

describe("an AWS key", () => {
  const status = () => world.cloud.iam.identities.keys.get(KEY)?.status;
  const policyOf = () => world.cloud.iam.identities.roles.get(ROLE)?.get("AWSRevokeOlderSessions");

  test("is switched off, its role's sessions are ended, and both are taken back by two people", async () => {
    const { runId } = await leak({ accessKey: KEY, role: ROLE });
    for (const step of ["killOld", "keyOff", "endSessions"]) {
      await approve(runId, step, "UBEN");
      await drive(runId);
    }
    expect(status()).toBe("Inactive");
    expect(policyOf()).toContain("aws:TokenIssueTime");
    const { steps } = (await world.read(runId)).run;
    expect(steps["keyOff"]?.proof?.shows).toContain("of deployer is inactive");
    expect(steps["endSessions"]?.proof?.shows).toContain("IAM's simulator refuses a session");
    for (const step of ["keyOff", "endSessions"])
      await enterClick(world.worker(), { runId, says: "takeBack", by: "UDAN", step });
    await drive(runId);
    expect(await approve(runId, "keyOff", "UBEN", true)).toMatchObject({ taken: true });
    await drive(runId);
    expect(status(), "one is not enough").toBe("Inactive");
    expect(await approve(runId, "keyOff", "UBEN", true)).toMatchObject({ taken: false });
    expect(await approve(runId, "keyOff", "UANN", true), "nor the requester").toMatchObject({ taken: false });
    expect(await approve(runId, "keyOff", "UCLEO", true)).toMatchObject({ taken: true });
    await drive(runId);
    expect(status()).toBe("Active");
    for (const by of ["UCLEO", "UBEN"]) await approve(runId, "endSessions", by, true);
    await drive(runId);
    expect(policyOf()).toBeUndefined();
    expect(await statuses(runId)).toMatchObject({ keyOff: "undone", endSessions: "undone" });
    expect(await audit()).toMatchObject({ holds: true });
    await enterClick(world.worker(), { runId, says: "cancel", by: "UDAN", because: "a test" });
    await drive(runId);
  }, 120_000);

  test.each(["after", "before"] as const)(
    "whose switching off was not answered (lost %s the deed) is looked at, and is off once",
    async (lost) => {
      const { runId } = await begin({ runbook: "aws-key-compromised", accessKey: KEY });
      const { run } = await world.read(runId);
      const step = Object.keys(run.steps).find((one) => run.steps[one]?.status === "waiting") ?? "";
      world.cloud.iam.lose.set("UpdateAccessKey", lost);
      await approve(runId, step, "UBEN");
      await drive(runId);
      expect(status()).toBe("Inactive");
      expect((await statuses(runId))[step]).toBe("done");
      Object.assign(world.cloud.iam.identities.keys.get(KEY) ?? {}, { status: "Active" });
      await enterClick(world.worker(), { runId, says: "cancel", by: "UBEN", because: "a test" });
      await drive(runId);
    },
    120_000,
  );
});

test("a worker whose lease was taken over writes nothing more, and acts no more", async () => {
  const { runId } = await leak();
  const stale = world.worker();
  const old = await world.read(runId);
  await approve(runId, "killOld", "UBEN");
  await drive(runId);
  expect(await stale.incidents.save({ ...old, reason: "stale" })).toBeUndefined();
  expect((await world.read(runId)).reason).not.toBe("stale");
  await enterClick(world.worker(), { runId, says: "cancel", by: "UDAN", because: "a test" });
  await drive(runId);
}, 60_000);

test("without Slack the value dies all the same, and what is to be said waits", async () => {
  world.cloud.slack.mood = "down";
  const { runId } = await leak();
  const old = world.currentVersion();
  await approve(runId, "killOld", "UBEN");
  await drive(runId);
  expect(world.currentVersion()).not.toBe(old);
  expect((await statuses(runId))["killOld"]).toBe("done");
  world.cloud.slack.mood = "up";
  world.pass(60);
  await world.send();
  const headline = world.cloud.slack.messages.filter(
    ({ thread, revisions }) => thread === undefined && JSON.stringify(revisions).includes(runId),
  );
  expect(headline).toHaveLength(1);
  await enterClick(world.worker(), { runId, says: "cancel", by: "UDAN", because: "a test" });
  await advanceIncidents(world.worker(), world.deadline());
  expect((await world.read(runId)).run.ended).toMatchObject({ as: "cancelled" });
}, 120_000);
