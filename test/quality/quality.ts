/**
 * `npm run detect:quality`: what the detection makes of tenants that are generated, with attacks planted in them.
 *
 *     npm run detect:quality -- --json
 *     npm run detect:quality -- --only slowAndLow --seeds 40
 *     npm run detect:quality -- --strip-agents
 *
 * `episodeRecall` is the share of planted episodes that a finding overlaps, with the same principal. `precision` is the share
 * of findings that overlap an attack. `findingsPerTenantDay` counts all findings, `falsePerTenantDay` those that overlap none.
 * Findings of every severity count. The exit code is 1 if a mean is outside of its limit, and 2 for a wrong option.
 */
import { parseArgs } from "node:util";
import { contextOf } from "./context.ts";
import { fleetOf } from "./fleet.ts";
import { judge } from "./judge.ts";
import { partsOf } from "./loader.ts";
import { isWithinLimits, linesOf } from "./report.ts";
import { run } from "./run.ts";
import { ScoreSheet } from "./score.ts";

const USAGE =
  "usage: npm run detect:quality -- [--json] [--seeds 6] [--first-seed 1] [--days 30] [--attacks-each 2] [--only <attack>] [--strip-agents]";

function options() {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      seeds: { type: "string", default: "6" },
      "first-seed": { type: "string", default: "1" },
      days: { type: "string", default: "30" },
      "attacks-each": { type: "string", default: "2" },
      only: { type: "string" },
      "strip-agents": { type: "boolean", default: false },
    },
  });
  const whole = (name: "seeds" | "first-seed" | "days" | "attacks-each", least: number) => {
    const number = Number(values[name]);
    if (Number.isInteger(number) && number >= least) return number;
    throw new TypeError(`--${name} is to be a whole number of at least ${least}`);
  };
  return {
    isJson: values.json,
    only: values.only,
    seeds: whole("seeds", 2),
    firstSeed: whole("first-seed", 0),
    days: whole("days", 7),
    attacksEach: whole("attacks-each", 1),
    hasPlainAgents: values["strip-agents"],
  };
}

async function measure({ only, seeds, firstSeed, ...fleet }: ReturnType<typeof options>) {
  const all = await partsOf();
  const attacks = new Map([...all.attacks].filter(([name]) => only === undefined || name === only));
  if (attacks.size === 0)
    throw new TypeError(`there is no attack ${only}; there are ${[...all.attacks.keys()].join(", ")}`);
  const sheet = new ScoreSheet(all.archetypes.keys());
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++)
    for (const month of fleetOf(seed, { ...all, attacks }, fleet)) {
      const { findings, malformed } = run(month, contextOf(month.tenant));
      if (malformed > 0) throw new Error(`${malformed} records of tenant ${month.tenant.seed} are none`);
      sheet.add(seed, month, judge(findings, month.planted));
    }
  return sheet.score();
}

try {
  const asked = options();
  const score = await measure(asked);
  for (const line of linesOf(score)) console.log(line);
  if (asked.isJson) console.log(JSON.stringify(score));
  // One attack alone says nothing about how often people are disturbed.
  if (asked.only === undefined && !isWithinLimits(score)) process.exitCode = 1;
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
