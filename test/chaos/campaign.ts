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

/**
 * The points that a run reaches every time: how often a service is looked at depends on how long its tasks take, so of
 * each operation only as many calls count as the shorter of two runs has.
 */
export async function record(lane: Lane): Promise<{ points: Point[]; violations: readonly string[] }> {
  // The first run of a world may need a wave more than those after it.
  const runs = [await lane.try(), await lane.try(), await lane.try()].map(({ verdict }) => verdict);
  const [, first, second] = runs;
  const most = (point: Point) => second?.calls.some((other) => nameOf(other) === nameOf(point)) ?? false;
  return {
    points: (first?.calls ?? []).filter(most),
    violations: runs.flatMap(({ violations }) => violations),
  };
}

/** A plan that the run did not come to, because it looked fewer times, is tried once more. */
export async function work(
  lane: Lane,
  queue: Plan[],
  tell: (tried: Tried) => void,
  isOver: () => boolean,
): Promise<void> {
  for (let plan = queue.shift(); plan && !isOver(); plan = queue.shift()) {
    let tried = await lane.try(plan);
    if (tried.verdict.hits.length === 0 && tried.verdict.violations.length === 0)
      tried = await lane.try(plan);
    tell({ scenario: lane.scenario, plan, ...tried });
  }
}
