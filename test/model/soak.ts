/**
 * Plays scripts until it is stopped, or until a law is broken; then it prints the smallest script that breaks it and how
 * to see it again.
 *
 *     npm run soak
 *     npm run soak -- --seed 42 --path 12:0:1
 */
import { parseArgs } from "node:util";
import fc from "fast-check";
import { play } from "./play.ts";
import { scripts } from "./script.ts";

const { values } = parseArgs({
  options: { seed: { type: "string" }, path: { type: "string" }, runs: { type: "string" } },
});
const BATCH = 2_000;
const most = values.runs === undefined ? Number.POSITIVE_INFINITY : Number(values.runs);
let seed = values.seed === undefined ? Date.now() & 0x7fffffff : Number(values.seed);
const begun = performance.now();

for (let runs = 0; runs < most; seed++) {
  const numRuns = Math.min(BATCH, most - runs);
  let calls = 0;
  const property = fc.asyncProperty(scripts, async (script) => {
    const played = await play(script);
    calls += played.calls;
    if (played.violation !== undefined) throw new Error(played.violation);
  });
  const path = values.path === undefined ? {} : { path: values.path };
  const found = await fc.check(property, { numRuns, seed, ...path });
  if (found.failed) {
    const [script] = found.counterexample ?? [];
    const error = found.errorInstance instanceof Error ? found.errorInstance.message : "";
    if (script) await play(script, { trace: (line) => console.log(line) });
    console.log(JSON.stringify(script));
    console.log(`violation after ${runs + found.numRuns} runs: ${error}`);
    console.log(`replay: npm run soak -- --seed ${seed} --path ${found.counterexamplePath}`);
    process.exit(1);
  }
  runs += numRuns;
  const seconds = (performance.now() - begun) / 1000;
  console.log(
    `${runs} runs, seed ${seed}, ${Math.round(runs / seconds)} runs/s, ${Math.round(calls / numRuns)} calls a run`,
  );
  // A path leads to one world of one seed.
  if (values.path !== undefined) break;
}
