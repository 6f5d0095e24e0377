/** Hands plans to lanes until all are tried, and adds up what came of them. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LaneAnswer, LaneOrder, LaneTask } from "./lane.ts";
import { nameOf, type Plan, type Point } from "./points.ts";
import type { Scenario } from "./smallWorld.ts";
import type { Verdict } from "./trial.ts";

const LANE = fileURLToPath(new URL("./lane.ts", import.meta.url));

export interface Tried {
  readonly scenario: Scenario;
  readonly plan: Plan;
  readonly verdict: Verdict;
  /** What the handlers wrote last. */
  readonly log: string;
}

export class Lane {
  readonly scenario: Scenario;
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;

  private constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.#child = fork(LANE, [], { execArgv: ["--disable-warning=ExperimentalWarning"] });
    this.#gone = once(this.#child, "exit");
  }

  static async open(order: LaneOrder): Promise<Lane> {
    const lane = new Lane(order.scenario);
    await lane.#ask(order);
    return lane;
  }

  /** @throws Error if the lane itself failed, which says nothing about the plan */
  async try(plan?: Plan): Promise<{ readonly verdict: Verdict; readonly log: string }> {
    const answer = await this.#ask({ ...(plan ? { plan } : {}) });
    if (!("verdict" in answer)) throw new Error(`the ${this.scenario} lane gave no verdict`);
    return answer;
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.send({ stop: true } satisfies LaneTask, () => undefined);
    const late = setTimeout(() => this.#child.kill("SIGKILL"), 20_000);
    await this.#gone;
    clearTimeout(late);
  }

  async #ask(message: LaneOrder | LaneTask): Promise<LaneAnswer> {
    const answered = once(this.#child, "message").then(([answer]) => answer as LaneAnswer);
    const died = this.#gone.then((): LaneAnswer => ({ failed: "its process ended" }));
    this.#child.send(message, () => undefined);
    const answer = await Promise.race([answered, died]);
    if ("failed" in answer) throw new Error(`the ${this.scenario} lane failed: ${answer.failed}`);
    return answer;
  }
}

const MOST_UNHURT = 6;

/**
 * The points that a run reaches every time: how often a service is looked at depends on how long its tasks take, so of
 * each operation only as many calls count as the shorter of two runs has.
 */
export async function record(lane: Lane): Promise<{ points: Point[]; violations: readonly string[] }> {
  // The first run of a world may need a wave more than those after it.
  const violations = [...(await lane.try()).verdict.violations];
  const rotated: Verdict[] = [];
  for (let tries = 0; rotated.length < 2 && tries < MOST_UNHURT; tries += 1) {
    const { verdict, log } = await lane.try();
    violations.push(...verdict.violations);
    if (verdict.end === "rotated") rotated.push(verdict);
    else console.error(`${lane.scenario}, unhurt, ended on the old value; its log ends:\n${log}`);
  }
  const [first, second] = rotated;
  if (!second) violations.push(`${MOST_UNHURT} runs that nobody hurt did not rotate twice`);
  const inBoth = new Set(second?.calls.map(nameOf));
  return { points: (first?.calls ?? []).filter((point) => inBoth.has(nameOf(point))), violations };
}

const MOST_TRIES = 3;

/**
 * A plan that the run did not come to, because it looked fewer times, is tried once more, and then at the last call of the
 * same operation that it did come to.
 */
export async function work(
  lane: Lane,
  queue: Plan[],
  tell: (tried: Tried) => void,
  isOver: () => boolean,
): Promise<void> {
  for (let plan = queue.shift(); plan && !isOver(); plan = queue.shift()) {
    let tried = await lane.try(plan);
    for (let tries = 1; isMissed(tried.verdict) && tries < MOST_TRIES; tries += 1) {
      if (tries > 1) plan = { ...plan, point: lastReached(plan.point, tried.verdict.calls) };
      tried = await lane.try(plan);
    }
    tell({ scenario: lane.scenario, plan, ...tried });
  }
}

const isMissed = ({ hits, violations }: Verdict) => hits.length === 0 && violations.length === 0;

const lastReached = (point: Point, calls: readonly Point[]): Point =>
  calls.findLast(({ target, operation }) => target === point.target && operation === point.operation) ??
  point;
