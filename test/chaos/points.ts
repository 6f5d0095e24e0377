/**
 * Points at which a run can be hurt: every call that leaves the process, counted by target and operation. What is to
 * happen is armed for one of them; the doors ask as each call arrives.
 */

export const TARGETS = ["secretsmanager", "ecs", "iam", "dynamodb", "slack", "postgres", "redis"] as const;
export type Target = (typeof TARGETS)[number];

export interface Point {
  readonly target: Target;
  readonly operation: string;
  /** Which call of this operation in the run, from 1. */
  readonly ordinal: number;
}

export const FAULTS = ["kill-before", "kill-after", "timeout", "throttle", "error-500", "stale"] as const;
export type Fault = (typeof FAULTS)[number];

export interface Plan {
  readonly point: Point;
  readonly fault: Fault;
  /** The same again at the next call of the same operation. */
  readonly twice: boolean;
}

export const nameOf = ({ target, operation, ordinal }: Point) => `${target}:${operation}#${ordinal}`;

/** @throws Error unless it reads as `nameOf` writes it */
export function parsePoint(text: string): Point {
  const [, target, operation = "", ordinal] = /^(\w+):(.+)#(\d+)$/.exec(text) ?? [];
  const known = TARGETS.find((one) => one === target);
  if (!known) throw new Error(`${text} is not a point like secretsmanager:PutSecretValue#1`);
  return { target: known, operation, ordinal: Number(ordinal) };
}

const WEB: readonly Target[] = ["secretsmanager", "ecs", "iam", "dynamodb", "slack"];
const STALE_AFTER = ["PutSecretValue", "UpdateSecretVersionStage"];

/** Whether this fault can happen there at all. */
export function fits(fault: Fault, { target, operation }: Point): boolean {
  if (fault === "stale") return target === "secretsmanager" && STALE_AFTER.includes(operation);
  if (fault === "throttle" || fault === "error-500") return WEB.includes(target);
  return true;
}

/** Counts the calls of a run and picks the one that is hurt. */
export class Injector {
  readonly calls: Point[] = [];
  /** Where the fault struck, in order. */
  readonly hits: Point[] = [];
  /** Ends the process that made the call, and returns when it is gone. */
  kill: () => Promise<void> = async () => {};
  #counts = new Map<string, number>();
  #plan: Plan | undefined;

  begin(plan?: Plan): void {
    this.calls.length = 0;
    this.hits.length = 0;
    this.#counts = new Map();
    this.#plan = plan;
  }

  /** @returns what is to be done to this call */
  arrive(target: Target, operation: string): Fault | undefined {
    const key = `${target}:${operation}`;
    const ordinal = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, ordinal);
    const call = { target, operation, ordinal };
    this.calls.push(call);
    const { point, fault, twice } = this.#plan ?? {};
    if (point === undefined || point.target !== target || point.operation !== operation) return undefined;
    const isNext = ordinal === point.ordinal || (twice === true && this.hits.length === 1);
    if (!isNext) return undefined;
    this.hits.push(call);
    return fault;
  }
}
