import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { detect } from "../../lib/detection/detect.ts";
import { DAY_MS } from "../../lib/detection/history.ts";
import type { Example } from "../../lib/detection/rule.ts";
import { RULES } from "../../lib/detection/rules.ts";
import { NOTHING_SEEN } from "../../lib/detection/state.ts";
import { eventsOf, knownOf, START } from "./sketches.ts";

/** Everything in it was seen a month before, and is told of nobody. */
const MONTH_AGO = START - 30 * DAY_MS;

function rulesOf({ events, usually, known: sketch }: Example): readonly string[] {
  const known = knownOf(sketch);
  const isSeeded = usually !== undefined;
  const usual = { ...NOTHING_SEEN.usual, ...(isSeeded ? { seededAtMs: START - DAY_MS } : {}) };
  const before = detect(
    RULES,
    eventsOf(usually ?? [], "before", MONTH_AGO),
    { ...NOTHING_SEEN, usual },
    new Date(START - DAY_MS),
    known,
  ).state;
  const now = new Date(Math.max(START + 3_600_000, ...eventsOf(events).map(({ atMs }) => atMs + 600_000)));
  return detect(RULES, eventsOf(events), before, now, known).found.flatMap(({ rules }) => rules);
}

test("every rule has a file of its own, named like it, and no other rule its id", () => {
  const files = readdirSync(new URL("../../lib/detection/rules", import.meta.url));
  expect(RULES.map(({ id }) => `${id}.ts`)).toEqual(files.toSorted());
});

describe.each(RULES.map((rule) => [rule.id, rule] as const))("%s", (id, rule) => {
  test.each(rule.fires)("fires: $what", (example) => {
    expect(rulesOf(example)).toContain(id);
  });

  test.each(rule.silent)("is silent: $what", (example) => {
    expect(rulesOf(example)).not.toContain(id);
  });

  test("says what happened in one sentence, and how it is known elsewhere", () => {
    expect(rule.says).toMatch(/^[A-Z][^.]+\.$/);
    for (const technique of rule.attack) expect(technique).toMatch(/^T\d{4}(\.\d{3})?$/);
    expect(rule.falsePositives.length).toBeGreaterThan(0);
  });
});
