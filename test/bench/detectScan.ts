/**
 * How fast a trail's files are read: Rekey's scan against parsing everything in the same runtime, against DuckDB on two
 * threads, and against jq, on the same files, with the same question, whose answers must be equal. The engines take turns,
 * each time as a new process, so that a busy machine slows all of them alike; unzipping is part of everybody's work.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { isDeepStrictEqual, promisify } from "node:util";
import { installed } from "../aptGet.ts";
import type { Told } from "./engines/question.ts";
import { type Line, median } from "./line.ts";
import { trailCorpus } from "./trailCorpus.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** Nothing of Rekey needs it, and it has 70 MB: it is no dependency. */
const DUCKDB = "@duckdb/node-api@1.5.6-r.1";

export const SCAN_LIMITS = { againstDuckdb: 1.5, againstJsonParse: 2, peakMiB: 200 };

/** jq takes ten times as long as the others do. */
const ROUNDS = { rekey: 7, jsonParse: 7, duckdb: 7, jq: 5 };
type Engine = keyof typeof ROUNDS;
const ENGINES = Object.keys(ROUNDS) as Engine[];

interface Rate {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export interface DetectScan {
  readonly records: number;
  readonly files: number;
  /** Unzipped. */
  readonly bytes: number;
  readonly principals: number;
  readonly recordsPerSecond: Readonly<Record<Engine, Rate>>;
  readonly peakMiB: Readonly<Record<Engine, number>>;
  /** Median of the rounds' ratios: how many times as fast Rekey's scan is. */
  readonly againstDuckdb: number;
  readonly againstJsonParse: number;
  readonly againstJq: number;
}

/** @throws Error if two engines answer differently, or one of them is missing and cannot be installed */
export async function detectScan(records?: number): Promise<DetectScan> {
  if (!installed("jq")) throw new Error("jq is missing; install it first, on Debian: apt-get install -y jq");
  const duckdb = await installedDuckdb();
  const corpus = await trailCorpus(ROOT, records);
  const told: Record<Engine, Told[]> = { rekey: [], jsonParse: [], duckdb: [], jq: [] };
  for (let round = 0; round < Math.max(...Object.values(ROUNDS)); round++) {
    // Each begins a round in its turn.
    const turn = ENGINES.map((_, place) => ENGINES[(place + round) % ENGINES.length]);
    for (const engine of turn)
      if (engine && round < ROUNDS[engine]) told[engine].push(await ask(engine, corpus.folder, duckdb));
  }
  const [first] = told.rekey;
  for (const engine of ENGINES) {
    const other = told[engine].find(({ answers }) => !isDeepStrictEqual(answers, first?.answers));
    if (other)
      throw new Error(
        `${engine} answers otherwise than Rekey: ${JSON.stringify(other.answers).slice(0, 300)}`,
      );
  }
  const against = (engine: Engine) =>
    median(told[engine].map(({ seconds }, round) => seconds / (told.rekey[round]?.seconds ?? 0)));
  return {
    records: corpus.records,
    files: corpus.files,
    bytes: corpus.bytes,
    principals: first?.answers.length ?? 0,
    recordsPerSecond: ofEach((engine) => rateOf(told[engine].map(({ seconds }) => corpus.records / seconds))),
    peakMiB: ofEach((engine) => Math.max(...told[engine].map(({ peakMiB }) => peakMiB))),
    againstDuckdb: against("duckdb"),
    againstJsonParse: against("jsonParse"),
    againstJq: against("jq"),
  };
}

export function linesOfScan(result: DetectScan): readonly Line[] {
  const { recordsPerSecond, peakMiB, againstDuckdb, againstJsonParse, againstJq } = result;
  const rate = (engine: Engine) => {
    const [min, middle, max] = (["min", "median", "max"] as const).map((one) =>
      (recordsPerSecond[engine][one] / 1000).toFixed(0),
    );
    return `${middle} (${min} to ${max})`;
  };
  const pace = (engine: Engine) => `${rate("rekey")} to ${rate(engine)} thousand records a second`;
  return [
    {
      what: "scan against DuckDB on two threads",
      measured: `${againstDuckdb.toFixed(2)}: ${pace("duckdb")}`,
      limit: `at least ${SCAN_LIMITS.againstDuckdb}`,
      kept: againstDuckdb >= SCAN_LIMITS.againstDuckdb,
    },
    {
      what: "scan against JSON.parse",
      measured: `${againstJsonParse.toFixed(2)}: ${pace("jsonParse")}`,
      limit: `at least ${SCAN_LIMITS.againstJsonParse}`,
      kept: againstJsonParse >= SCAN_LIMITS.againstJsonParse,
    },
    {
      what: "scan against jq",
      measured: `${againstJq.toFixed(2)}: ${pace("jq")}`,
      limit: "no limit",
      kept: true,
    },
    {
      what: "memory of the scan",
      measured: `${peakMiB.rekey.toFixed(0)} MiB`,
      limit: `less than ${SCAN_LIMITS.peakMiB} MiB`,
      kept: peakMiB.rekey < SCAN_LIMITS.peakMiB,
    },
  ];
}

const ofEach = <T>(value: (engine: Engine) => T) =>
  Object.fromEntries(ENGINES.map((engine) => [engine, value(engine)])) as Record<Engine, T>;

const rateOf = (rates: readonly number[]): Rate => ({
  min: Math.min(...rates),
  median: median(rates),
  max: Math.max(...rates),
});

async function ask(engine: Engine, folder: string, duckdb: string): Promise<Told> {
  const file = join(import.meta.dirname, "engines", `${engine}.ts`);
  const env = { PATH: process.env["PATH"] ?? "" };
  const words = [file, folder, ...(engine === "duckdb" ? [duckdb] : [])];
  const { stdout } = await promisify(execFile)(process.execPath, words, { env, maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as Told;
}

/** @returns the file that loads it */
async function installedDuckdb(): Promise<string> {
  const folder = join(ROOT, ".build", DUCKDB.replace(/^.*@/, "duckdb-"));
  const { resolve } = createRequire(join(folder, "index.js"));
  const found = () => {
    try {
      return resolve("@duckdb/node-api");
    } catch {
      return undefined;
    }
  };
  if (found() === undefined) {
    await mkdir(folder, { recursive: true });
    const words = ["install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", DUCKDB];
    spawnSync("npm", words, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  }
  const file = found();
  if (file === undefined)
    throw new Error(`${DUCKDB} is missing, and npm could not install it into ${folder}`);
  return file;
}
