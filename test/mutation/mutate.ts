/**
 * `npm run mutate`: changes lib/rotation one small thing at a time and runs its pure tests, which must notice. Name files,
 * or lines of one, to look at those alone: `npm run mutate -- lib/rotation/plan.ts:28-40`. `--json` prints one JSON object
 * as the last line. The exit code is 1 if too few changes of a file are noticed, or if one that is not noticed has no
 * reason in survivors.ts.
 */
import { globSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { Stryker } from "@stryker-mutator/core";
import { UNNOTICED } from "./survivors.ts";

const LEAST_SCORE = 90;
const KILLED: readonly string[] = ["Killed", "Timeout"];
const SURVIVED: readonly string[] = ["Survived", "NoCoverage"];

const { values: options, positionals: files } = parseArgs({
  options: { json: { type: "boolean", default: false } },
  allowPositionals: true,
});

// Read before the run: whoever edits a file meanwhile must not garble what is told of it.
const sources = new Map(
  globSync("lib/rotation/**/*.ts").map((file) => [file, readFileSync(file, "utf8").split("\n")]),
);

const results = await new Stryker({
  mutate: files.length > 0 ? files : ["lib/rotation/**/*.ts"],
  testRunner: "vitest",
  plugins: [import.meta.resolve("@stryker-mutator/vitest-runner")],
  vitest: { configFile: "test/mutation/vitest.config.ts" },
  // Stryker rewrites the tsconfig with TypeScript's JavaScript API, which TypeScript 7 no longer has; vitest needs none.
  tsconfigFile: "none",
  ignorePatterns: ["/docs", "/.build", "/.serverless"],
  tempDirName: ".build/mutation",
  reporters: ["progress-append-only"],
  concurrency: 2,
  timeoutMS: 30_000,
}).runMutationTest();
type Mutant = (typeof results)[number];

const fileOf = ({ fileName }: Mutant) => relative(process.cwd(), fileName);

/** The lines that the change touches, before and after it: what survivors.ts knows it by, wherever they move to. */
function describe(mutant: Mutant): string {
  const { start, end } = mutant.location;
  const lines = (sources.get(fileOf(mutant)) ?? []).slice(start.line - 1, end.line);
  const head = lines[0]?.slice(0, start.column - 1) ?? "";
  const tail = lines.at(-1)?.slice(end.column - 1) ?? "";
  const brief = (text: string) => {
    const [first = "", ...rest] = text.trim().split("\n");
    return [first, ...rest.slice(-1)].map((line) => line.trim()).join(" ... ");
  };
  return `${brief(lines.join("\n"))} => ${brief(head + mutant.replacement + tail)}`;
}

const summarize = (mutants: readonly Mutant[]) => {
  const killed = mutants.filter(({ status }) => KILLED.includes(status)).length;
  const survived = mutants.filter(({ status }) => SURVIVED.includes(status)).length;
  const score = Math.round((10_000 * killed) / Math.max(killed + survived, 1)) / 100;
  return { mutants: killed + survived, killed, survived, score };
};

const byFile = Map.groupBy(results, fileOf);
const known = new Set(
  Object.entries(UNNOTICED).flatMap(([file, reasons]) =>
    reasons.flatMap(({ changes }) => changes.map((change) => `${file}: ${change}`)),
  ),
);
const left = results
  .filter(({ status }) => SURVIVED.includes(status))
  .map((mutant) => ({ line: mutant.location.start.line, key: `${fileOf(mutant)}: ${describe(mutant)}` }));
const unexplained = left.filter(({ key }) => !known.has(key));
const areLines = files.some((file) => file.includes(":"));
const outdated = [...known].filter(
  (key) => !areLines && byFile.has(key.split(":")[0] ?? "") && !left.some((one) => one.key === key),
);

for (const { line, key } of unexplained) console.log(`survived, line ${line}, ${key}`);
for (const key of outdated) console.log(`explained, but noticed or gone: ${key}`);
for (const [file, mutants] of [...byFile].toSorted(([a], [b]) => a.localeCompare(b))) {
  const { score, killed, survived } = summarize(mutants);
  console.log(
    `${score < LEAST_SCORE ? "LOW" : "ok "} ${file.padEnd(28)} ${score.toFixed(1).padStart(5)} %, ${killed} of ${killed + survived} noticed`,
  );
}
const total = { ...summarize(results), explained: left.length - unexplained.length };
const perFile = Object.fromEntries([...byFile].map(([file, mutants]) => [file, summarize(mutants).score]));
if (options.json) console.log(JSON.stringify({ ...total, perFile }));
else
  console.log(
    `${total.killed} of ${total.mutants} changes noticed (${total.score} %), ${total.survived} not, ${total.explained} of those for a reason`,
  );
const isEnough = Object.values(perFile).every((score) => score >= LEAST_SCORE);
process.exitCode = isEnough && unexplained.length === 0 && outdated.length === 0 ? 0 : 1;
