import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { isWithinLimits } from "./report.ts";

async function quality(...args: string[]) {
  const file = join(import.meta.dirname, "quality.ts");
  return promisify(execFile)(process.execPath, [file, ...args]).then(
    ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
    ({ stdout, stderr, code }) => ({ stdout, stderr, code }),
  );
}

test("the last line is the score, with an interval for each rate", async () => {
  const { stdout, code } = await quality("--only", "rootReads", "--seeds", "2", "--days", "7", "--json");
  const score = JSON.parse(stdout.trimEnd().split("\n").at(-1));
  expect(score).toMatchObject({
    episodeRecall: { mean: 1, low: 1, high: 1 },
    seeds: 2,
    tenants: 2,
    perAttack: { rootReads: { planted: 2, caught: 2, rules: { rootTouchesSecret: 2 } } },
  });
  for (const rate of ["precision", "findingsPerTenantDay", "falsePerTenantDay"])
    expect(score[rate]).toEqual({
      mean: expect.any(Number),
      low: expect.any(Number),
      high: expect.any(Number),
    });
  expect(score.perArchetype).toHaveProperty("ecsBoot");
  expect(code).toBe(0);
});

test.each([
  ["an attack that is not there", ["--only", "nothing"], "there is no attack nothing"],
  [
    "one seed, of which there is no interval",
    ["--seeds", "1"],
    "--seeds is to be a whole number of at least 2",
  ],
  ["an option that is not there", ["--sedes", "3"], "usage: npm run detect:quality"],
])("%s ends with 2 and a sentence", async (_what, args, sentence) => {
  const { stderr, code } = await quality(...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
});

const exactly = (mean: number) => ({ mean, low: mean, high: mean });
test.each([
  [0.95, 0.9, 0.199, true],
  [0.949, 0.9, 0.1, false],
  [0.95, 0.899, 0.1, false],
  [0.95, 0.9, 0.2, false],
])(
  "recall %d, precision %d and %d findings a day: good enough is %s",
  (recall, precision, aDay, isEnough) => {
    const score = {
      episodeRecall: exactly(recall),
      precision: exactly(precision),
      findingsPerTenantDay: exactly(aDay),
      falsePerTenantDay: exactly(0),
      ...{ seeds: 2, tenants: 2, records: 0, coincidences: 0, perAttack: {}, perArchetype: {} },
    };
    expect(isWithinLimits(score)).toBe(isEnough);
  },
);
