/** What a post-mortem's timeline takes from who read a secret. */
import { expect, test } from "vitest";
import { blastRadius } from "../../lib/detection/blastRadius.ts";
import { coverageOf } from "../../lib/detection/trailCoverage.ts";
import { timelineOf } from "../../lib/detection/versionTimeline.ts";
import { radiusMoments } from "../../lib/journeys/reached.ts";
import { ACCOUNT } from "../detection/records.ts";
import { move, NOON, read, role, SECRET } from "../detection/secretEvents.ts";

const HOUR_MS = 3_600_000;
const asked = { from: new Date(NOON - HOUR_MS).toISOString(), to: new Date(NOON + HOUR_MS).toISOString() };

test("only the reads of those whom nobody expected stand there, and what happened to the versions, each by its clock", () => {
  const events = [
    read("shop", -60),
    read("thief", 10),
    read("thief", 20),
    read("late", 30),
    move(60, "v1", "v2"),
  ];
  const radius = blastRadius(events, {
    ...{ secret: SECRET, fromMs: NOON - HOUR_MS, toMs: NOON + HOUR_MS },
    timeline: timelineOf(events, NOON - HOUR_MS, { revoked: new Map() }),
    revoked: new Map([["v1", NOON + 90_000]]),
    possible: [{ principal: role("shop"), because: "a consumer" }],
    coverage: coverageOf(
      {
        ...{ place: `${ACCOUNT}/eu-central-1`, asked, searched: asked, pages: 1, malformed: 0 },
        provable: { asked: 0, of: 0 },
      },
      [],
      new Date(NOON + 10 * HOUR_MS),
    ),
  });
  const { moments, firstUse } = radiusMoments(radius);
  const name = SECRET.name;
  expect(firstUse).toEqual({
    at: "2026-11-24T12:00:10.000Z",
    source: "CloudTrail",
    says: `first read of ${name} by ${role("thief")}, who was not expected`,
  });
  expect(moments).toHaveLength(5);
  expect(moments).toEqual(
    expect.arrayContaining([
      firstUse,
      {
        at: "2026-11-24T12:00:20.000Z",
        source: "CloudTrail",
        says: `last of 2 reads of ${name} by ${role("thief")}`,
      },
      {
        at: "2026-11-24T12:00:30.000Z",
        source: "CloudTrail",
        says: `first read of ${name} by ${role("late")}, who was not expected`,
      },
      { at: "2026-11-24T12:01:00.000Z", source: "Secrets Manager", says: "version v2 became current" },
      { at: "2026-11-24T12:01:30.000Z", source: "the target", says: "version v1 was refused" },
    ]),
  );
});
