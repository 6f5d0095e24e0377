/** A drill from the schedule to its result: the run is carried out, the canary's value dies, and a page tells of it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { dynamoDrills } from "../../lib/adapters/dynamoDrills.ts";
import { secretsManagerStore } from "../../lib/adapters/secretsManager.ts";
import { merge } from "../../lib/incident/markedPage.ts";
import { advanceIncidents } from "../../lib/journeys/advanceIncidents.ts";
import { type DrillPorts, drill } from "../../lib/journeys/drill.ts";
import { driveIncident } from "../../lib/journeys/driveIncident.ts";
import { enterClick } from "../../lib/journeys/enterClick.ts";
import { keptIncident } from "../../lib/journeys/keptIncident.ts";
import { beginIncident } from "../../lib/journeys/openIncident.ts";
import { type IncidentWorld, incidentWorld, PAGES, SECRET, TABLE } from "./incidentWorld.ts";

let world: IncidentWorld;
beforeAll(async () => {
  world = await incidentWorld();
  world.cloud.secrets.find(SECRET).tags.set("rekey:canary", "true");
}, 30_000);
afterAll(() => world?.stop());

const ports = (): DrillPorts => {
  const worker = world.worker();
  return {
    store: secretsManagerStore(),
    drills: dynamoDrills(TABLE),
    runs: {
      begin: (asked) => beginIncident(worker, asked),
      read: (id) => keptIncident(world.incidents, id),
    },
    ...(worker.voice && { voice: worker.voice }),
    tell: () => {},
    now: world.now,
  };
};

test("the canary's value is dead after one click, and the time that it took is in the channel and on the page", async () => {
  const old = world.currentVersion();
  const { began: runId = "" } = await drill(ports(), "2026-11");
  const say = async (step: string, says: "approve" | "done", by: string, note = "nothing went wrong") => {
    const digest = (await world.read(runId)).run.steps[step]?.request?.digest ?? "";
    const word = says === "done" ? { runId, says, by, digest, note } : { runId, says, by, digest };
    expect(await enterClick(world.worker(), word)).toMatchObject({ taken: true });
    await driveIncident(world.worker(), runId, world.deadline());
  };
  await advanceIncidents(world.worker(), world.deadline());
  await say("killOld", "approve", "UBEN");
  expect(world.currentVersion()).not.toBe(old);
  await say("findTheLeak", "done", "UDAN");
  expect((await world.read(runId)).run.ended?.as).toBe("completed");

  const { settled } = await drill(ports());
  expect(settled).toMatchObject([{ run: runId, secret: SECRET, result: { as: "completed", failed: [] } }]);
  expect(settled[0]?.result?.containSeconds).toBeGreaterThanOrEqual(0);
  await world.send();
  const texts = world.cloud.slack.messages.map(({ revisions }) => revisions.at(-1)?.text);
  expect(texts).toContainEqual(
    expect.stringMatching(/^Drill: contained after \d+ s, the first that is on record$/),
  );

  const page = world.cloud.files.versions(PAGES, `post-mortems/${runId}.md`).at(-1) ?? "";
  expect(page).toContain("| To contain, from notice | **");
  expect(page).toContain('agreed to "Kill the leaked value"');
  expect(page).toContain("> **OPEN**: to be written by a person.");
  expect(merge(page, page).damage).toEqual([]);
});
