/**
 * `npm run chaos`: kills a rotation before and after each of its calls in turn, hurts it in every other way that a network
 * knows, and judges each time how it ended. `--json` prints one JSON object as the last line.
 */
import { parseArgs } from "node:util";
import { builtHandlers } from "../builtHandlers.ts";
import { Lane, record, type Tried, work } from "./campaign.ts";
import { killNine } from "./killNine.ts";
import { FAULTS, type Fault, fits, type Plan, type Point, parsePoint } from "./points.ts";
import { slackChaos } from "./slackChaos.ts";
import { SCENARIOS, type Scenario } from "./smallWorld.ts";
import { Tally } from "./tally.ts";

const USAGE = `npm run chaos -- [options]
       npm run chaos -- slack [--sends N] [--seed N] [--json]    instead: sends through the outbox to a faulty Slack
  --strategy <name>   only ${SCENARIOS.join(", ")}
  --fault <kind>      only ${FAULTS.join(", ")}
  --twice             the same fault again at the next call of the same operation
  --at <point>        only there, such as secretsmanager:PutSecretValue#1; may be given again
  --from N, --every N every Nth of the plans, beginning with the Nth
  --all               every fault at every point, also twice
  --kill-9 N          instead: a rotation of the demo's backend under traffic is killed N times at any moment
  --seed N            of those moments
  --lanes N           arenas at work at once for each strategy; 1, of the bundle 3
  --json              one JSON object as the last line`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    strategy: { type: "string" },
    fault: { type: "string" },
    twice: { type: "boolean", default: false },
    at: { type: "string", multiple: true },
    from: { type: "string", default: "0" },
    every: { type: "string", default: "1" },
    all: { type: "boolean", default: false },
    "kill-9": { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    lanes: { type: "string" },
    sends: { type: "string", default: "10000" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/**
 * For each strategy, when no option says otherwise: spread evenly over the run. Before and after the first call of each
 * operation it is killed in any case.
 */
const MOST: Readonly<Record<Fault, number>> = {
  "kill-before": 30,
  "kill-after": 30,
  timeout: 5,
  throttle: 2,
  "error-500": 2,
  stale: 2,
};
const MOST_TWICE = 1;

function plansFor(points: readonly Point[]): Plan[] {
  const isNamed = options.all || options.fault !== undefined || options.at !== undefined;
  const plans = faultsAsked().flatMap((fault) => {
    const asked = options.at === undefined ? points : options.at.map(parsePoint);
    const fitting = asked.filter((point) => fits(fault, point));
    const once = isNamed ? fitting : thinned(fitting, MOST[fault], fault.startsWith("kill"));
    const twice = isNamed ? fitting : evenly(fitting, MOST_TWICE);
    return [
      ...(options.twice ? [] : once.map((point) => ({ point, fault, twice: false }))),
      ...(options.twice || !isNamed || options.all
        ? twice.map((point) => ({ point, fault, twice: true }))
        : []),
    ];
  });
  const [from, every] = [Number(options.from), Number(options.every)];
  return plans.filter((_, index) => index >= from && (index - from) % every === 0);
}

function thinned(points: readonly Point[], count: number, withFirsts: boolean): Point[] {
  const isFirst = ({ ordinal }: Point) => withFirsts && ordinal === 1;
  const firsts = points.filter(isFirst);
  const rest = points.filter((point) => !isFirst(point));
  return [...firsts, ...evenly(rest, Math.max(0, count - firsts.length))];
}

function evenly<Item>(items: readonly Item[], count: number): Item[] {
  const places = Array.from({ length: count }, (_, at) => Math.floor(((at + 0.5) * items.length) / count));
  return items.filter((_, at) => places.includes(at));
}

function faultsAsked(): readonly Fault[] {
  return options.fault === undefined ? FAULTS : FAULTS.filter((one) => one === options.fault);
}

async function main(): Promise<number> {
  const scenarios = SCENARIOS.filter((one) => options.strategy === undefined || one === options.strategy);
  if (
    options.help ||
    positionals.some((word) => word !== "slack") ||
    scenarios.length === 0 ||
    faultsAsked().length === 0
  ) {
    console.error(USAGE);
    return 2;
  }
  if (positionals[0] === "slack") {
    const tell = options.json ? () => {} : (line: string) => console.log(line);
    const { kinds, ...sent } = await slackChaos(Number(options.sends), Number(options.seed), tell);
    for (const kind of kinds) tell(kind);
    console.log(JSON.stringify({ ...sent, kinds: kinds.length }));
    return sent.lost + sent.duplicates + sent.misplaced > 0 ? 1 : 0;
  }
  if (options["kill-9"] !== undefined) {
    const killed = await killNine(Number(options["kill-9"]), Number(options.seed), !options.json);
    console.log(JSON.stringify(killed));
    return killed.failed + killed.refused + killed.stuck > 0 ? 1 : 0;
  }
  const tally = new Tally(!options.json);
  const bundles = await builtHandlers();
  const open: Lane[] = [];
  let isOver = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      isOver = true;
    });
  }
  try {
    await Promise.all(scenarios.map((scenario) => perform(scenario, bundles, tally, open, () => isOver)));
  } finally {
    await Promise.all(open.map((lane) => lane.stop()));
  }
  tally.summarize(!options.all && options.fault === undefined && options.at === undefined);
  console.log(options.json ? JSON.stringify(tally.result()) : "");
  const { violations, stuck, missed } = tally.result();
  return violations > 0 || stuck > 0 || missed.length > 0 || isOver ? 1 : 0;
}

async function perform(
  scenario: Scenario,
  bundles: Readonly<Record<string, string>>,
  tally: Tally,
  open: Lane[],
  isOver: () => boolean,
): Promise<void> {
  const first = await Lane.open({ scenario, bundles });
  open.push(first);
  const { points, violations } = await record(first);
  tally.begin(scenario, points, violations);
  const queue = plansFor(points);
  tally.expect(queue.length);
  const lanes = Number(options.lanes ?? (scenario === "bundle" ? 3 : 1));
  const more = Array.from({ length: Math.min(lanes, queue.length) - 1 }, async () => {
    const lane = await Lane.open({ scenario, bundles });
    open.push(lane);
    // Its world, too, must have seen its first run.
    await lane.try();
    await work(lane, queue, tell, isOver);
  });
  const tell = (tried: Tried) => tally.add(tried);
  await Promise.all([work(first, queue, tell, isOver), ...more]);
}

process.exit(await main());
