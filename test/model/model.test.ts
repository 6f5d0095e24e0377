import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MISTAKES } from "./mistakes.ts";
import { play } from "./play.ts";
import { scripts } from "./script.ts";

const RUNS = 10_000;
const seed = Number(process.env["REKEY_MODEL_SEED"] ?? Date.now() & 0x7fffffff);

test(`in ${RUNS} worlds every law holds`, { timeout: 300_000 }, async () => {
  const outcomes: Record<string, number> = {};
  const property = fc.asyncProperty(scripts, async (script) => {
    const { violation, outcomes: ended } = await play(script);
    for (const outcome of ended) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (violation !== undefined) throw new Error(violation);
  });
  const found = await fc.check(property, { numRuns: RUNS, seed });
  console.log(`seed ${seed}: ${found.numRuns} runs, ${JSON.stringify(outcomes)}`);
  const replay = `npm run soak -- --seed ${seed} --path ${found.counterexamplePath}`;
  const { errorInstance: error } = found;
  const violation = error instanceof Error ? `${error.message}; ${replay}` : undefined;
  expect(violation, JSON.stringify(found.counterexample)).toBeUndefined();
  // Worlds in which nothing ever goes wrong, or in which nothing ever goes right, would prove little.
  for (const outcome of ["rotated", "dropped", "rolledBack", "waiting"])
    expect(outcomes[outcome], outcome).toBeGreaterThan(RUNS / 100);
});

describe("a planted mistake breaks a law", () => {
  test.each(Object.entries(MISTAKES))("%s", { timeout: 120_000 }, async (_mistake, plant) => {
    const property = fc.asyncProperty(scripts, async (script) => {
      const { violation } = await play(script, { plant });
      if (violation !== undefined) throw new Error(violation);
    });
    const found = await fc.check(property, { numRuns: 5_000, seed: 1, endOnFailure: true });
    expect(found.failed).toBe(true);
  });
});
