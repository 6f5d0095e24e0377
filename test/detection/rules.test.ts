import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { detect, NOTHING_SEEN } from "../../lib/detection/detect.ts";
import { RULES } from "../../lib/detection/rules.ts";
import { eventsOf } from "./sketches.ts";

const NOW = new Date("2026-11-24T13:00:00Z");

test("every rule has a file of its own, named like it, and no other rule its id", () => {
  const files = readdirSync(new URL("../../lib/detection/rules", import.meta.url));
  expect(RULES.map(({ id }) => `${id}.ts`)).toEqual(files.toSorted());
});

describe.each(RULES.map((rule) => [rule.id, rule] as const))("%s", (id, rule) => {
  const rulesOf = (sketches: (typeof rule.fires)[number]["events"]) =>
    detect(RULES, eventsOf(sketches), NOTHING_SEEN, NOW).found.flatMap(({ rules }) => rules);

  test.each(rule.fires)("fires: $what", ({ events }) => {
    expect(rulesOf(events)).toContain(id);
  });

  test.each(rule.silent)("is silent: $what", ({ events }) => {
    expect(rulesOf(events)).not.toContain(id);
  });

  test("says what happened in one sentence, and how it is known elsewhere", () => {
    expect(rule.says).toMatch(/^[A-Z][^.]+\.$/);
    for (const technique of rule.attack) expect(technique).toMatch(/^T\d{4}(\.\d{3})?$/);
    expect(rule.falsePositives.length).toBeGreaterThan(0);
  });
});
