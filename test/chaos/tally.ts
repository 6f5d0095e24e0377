/** What a campaign has shown so far, for people as it goes and for machines at the end. */
import type { Tried } from "./campaign.ts";
import { nameOf, type Plan, type Point } from "./points.ts";
import type { Scenario } from "./smallWorld.ts";

export interface Result {
  /** Distinct places where a run was killed: strategy, call, before or after. */
  readonly points: number;
  readonly pointsByStrategy: Readonly<Record<string, number>>;
  /** All faults together. */
  readonly runs: number;
  readonly runsByFault: Readonly<Record<string, number>>;
  readonly violations: number;
  readonly stuck: number;
  /** How runs ended: on the new value, or on the old one again. */
  readonly ends: Readonly<Record<string, number>>;
  /** Plans whose point the run never came to; none of them counts as a point. */
  readonly missed: readonly string[];
  readonly seconds: number;
}

const faultOf = ({ fault, twice }: Plan) => `${fault}${twice ? " twice" : ""}`;

export class Tally {
  readonly #isLoud: boolean;
  readonly #begunAt = Date.now();
  readonly #killed = new Map<Scenario, Set<string>>();
  readonly #runsByFault: Record<string, number> = {};
  readonly #ends: Record<string, number> = {};
  readonly #missed: string[] = [];
  #expected = 0;
  #runs = 0;
  #violations = 0;
  #stuck = 0;

  constructor(isLoud: boolean) {
    this.#isLoud = isLoud;
  }

  begin(scenario: Scenario, points: readonly Point[], violations: readonly string[]): void {
    this.#killed.set(scenario, new Set());
    if (this.#isLoud) console.log(`${scenario}: a run makes ${points.length} calls that can be hurt`);
    this.#violations += violations.length;
    for (const violation of violations) console.error(`${scenario}, unhurt: ${violation}`);
  }

  expect(plans: number): void {
    this.#expected += plans;
  }

  add({ scenario, plan, verdict, log }: Tried): void {
    const what = `${scenario}: ${faultOf(plan)} at ${nameOf(plan.point)}`;
    this.#runs += 1;
    // Where there was no next call of the same operation, the second time never came.
    const struck = faultOf({ ...plan, twice: verdict.hits.length > 1 });
    this.#runsByFault[struck] = (this.#runsByFault[struck] ?? 0) + 1;
    this.#ends[verdict.end] = (this.#ends[verdict.end] ?? 0) + 1;
    if (verdict.hits.length === 0) this.#missed.push(what);
    else if (plan.fault.startsWith("kill"))
      this.#killed.get(scenario)?.add(`${nameOf(plan.point)} ${plan.fault}`);
    if (verdict.end === "stuck") this.#stuck += 1;
    else this.#violations += verdict.violations.length;
    if (verdict.violations.length > 0) {
      console.error(`\nVIOLATION ${what}\n  ${verdict.violations.join("\n  ")}`);
      console.error(
        `  again with: npm run chaos -- --strategy ${scenario} --fault ${plan.fault}${plan.twice ? " --twice" : ""} --at "${nameOf(plan.point)}"`,
      );
      console.error(`  its log ends:\n${log.replace(/^/gm, "    ")}`);
    } else if (this.#isLoud) {
      const progress = `${this.#runs}/${this.#expected}`.padStart(9);
      console.log(
        `${progress}  ${verdict.end.padEnd(7)} ${verdict.seconds.toFixed(1).padStart(5)} s  ${what}`,
      );
    }
  }

  summarize(isThinned: boolean): void {
    const { points, runs, violations, stuck, ends, missed, seconds } = this.result();
    console.error(
      `${runs} runs in ${seconds} s, killed at ${points} points; ${JSON.stringify(ends)}; ${violations} violations, ${stuck} stuck, ${missed.length} points not reached`,
    );
    if (isThinned)
      console.error(
        "Thinned: each run was killed before and after the first call of each operation and at calls spread evenly over the rest; other faults, and faults twice in a row, are rarer. --all leaves nothing out.",
      );
  }

  result(): Result {
    const byStrategy = Object.fromEntries([...this.#killed].map(([name, places]) => [name, places.size]));
    return {
      points: Object.values(byStrategy).reduce((sum, count) => sum + count, 0),
      pointsByStrategy: byStrategy,
      runs: this.#runs,
      runsByFault: this.#runsByFault,
      violations: this.#violations,
      stuck: this.#stuck,
      ends: this.#ends,
      missed: this.#missed,
      seconds: Math.round((Date.now() - this.#begunAt) / 100) / 10,
    };
  }
}
