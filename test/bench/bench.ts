/**
 * `npm run bench`: what Rekey costs against what nobody can avoid, three times over, and how soon it answers, with the limit that
 * each must keep. `npm run bench -- detect`: the same of the detection, and of nothing else.
 * `--json` prints one JSON object as the last line. The exit code is 1 if a limit is exceeded.
 */
import { parseArgs } from "node:util";
import { coldImport } from "./coldImport.ts";
import { DETECTION_BENCHES } from "./detection.ts";
import { type Line, print } from "./line.ts";
import { MANY_LIMIT, manySecrets, PEAK_LIMIT_MIB } from "./manySecrets.ts";
import { ROLLOUT_LIMIT, rolloutFloor } from "./rolloutFloor.ts";
import { ACK_LIMIT_MS, slackAck } from "./slackAck.ts";

/** A cold start is to pay for the AWS clients and little more. */
const COLD_IMPORT_LIMIT = 1.5;

const seconds = (value: number) => `${value.toFixed(1)} s`;

interface Outcome {
  readonly lines: readonly Line[];
  /** Name of the bench -> what it measured. */
  readonly results: Readonly<Record<string, unknown>>;
}

async function rotation(): Promise<Outcome> {
  // One after another, and the quickest first: a bench beside another one measures that other one, too.
  const c = await coldImport();
  const d = await slackAck();
  const a = await rolloutFloor();
  const b = await manySecrets();
  const lines: Line[] = [
    {
      what: "rotation against redeploying by hand",
      measured: `${a.ratio.toFixed(2)} (${seconds(a.rekeySeconds)} to ${seconds(a.floorSeconds)}; JWT key ${seconds(a.tokenWaitSeconds)} later)`,
      limit: `at most ${ROLLOUT_LIMIT}`,
      kept: a.ratio <= ROLLOUT_LIMIT,
    },
    {
      what: "refusals of values that could be read",
      measured: `${a.invariant.refusals} in ${a.invariant.tries} tries`,
      limit: "at most 0",
      kept: a.invariant.refusals === 0,
    },
    {
      what: "200 secrets against AWS's rates",
      measured: `${b.ratio.toFixed(2)} (${seconds(b.rekeySeconds)} to ${seconds(b.floorSeconds)}; ${b.retried} calls retried)`,
      limit: `at most ${MANY_LIMIT}`,
      kept: b.ratio <= MANY_LIMIT,
    },
    {
      what: "throttling that showed in the report or the log",
      measured: b.throttled ? "some" : "none",
      limit: "at most none",
      kept: !b.throttled,
    },
    {
      what: "memory with 200 secrets",
      measured: `${b.peakMiB.toFixed(0)} MiB`,
      limit: `less than ${PEAK_LIMIT_MIB} MiB`,
      kept: b.peakMiB < PEAK_LIMIT_MIB,
    },
    {
      what: "acknowledging a click, at 50 a second",
      measured: `p99 ${d.p99Ms.toFixed(0)} ms (p50 ${d.p50Ms.toFixed(0)} ms; ${d.failed} of ${d.clicks} failed)`,
      limit: `less than ${ACK_LIMIT_MS} ms`,
      kept: d.p99Ms < ACK_LIMIT_MS && d.failed === 0,
    },
    ...c.map(({ handler, ratio, handlerMs, clientsMs }) => ({
      what: `loading ${handler} against the AWS clients alone`,
      measured: `${ratio.toFixed(2)} (${handlerMs.toFixed(0)} ms to ${clientsMs.toFixed(0)} ms)`,
      limit: `at most ${COLD_IMPORT_LIMIT}`,
      kept: ratio <= COLD_IMPORT_LIMIT,
    })),
  ];
  return { lines, results: { a, b, c, d } };
}

async function detection(): Promise<Outcome> {
  const lines: Line[] = [];
  const results: Record<string, unknown> = {};
  for (const { name, run } of DETECTION_BENCHES) {
    const found = await run();
    results[name] = found.result;
    lines.push(...found.lines);
  }
  return { lines, results };
}

const { values: options, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false } },
  allowPositionals: true,
});
const [only] = positionals;
if (positionals.length > 1 || (only !== undefined && only !== "detect"))
  throw new Error("usage: npm run bench -- [detect] [--json]");
const { lines, results } = await (only === "detect" ? detection() : rotation());
print(lines);
if (options.json) console.log(JSON.stringify(results));
process.exitCode = lines.every(({ kept }) => kept) ? 0 : 1;
