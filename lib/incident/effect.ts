/**
 * What stands behind an action: how it is before, the act, and the proof. Each is safe to repeat, and can be looked at after
 * an act whose answer never came. Undoing is an effect of its own.
 */
import type { ActionName } from "./actions.ts";
import type { Verdict } from "./decision.ts";
import type { Values } from "./inputs.ts";
import type { Before, Order } from "./run.ts";

export interface Task {
  readonly runId: string;
  readonly order: Order;
  /** 32 hexadecimal digits; the same act has the same, however often it is sent. */
  readonly token: string;
  /** What was so when people were asked. */
  readonly before?: Before;
  /** When the act began; now, before it has. */
  readonly beganAt: Date;
  readonly reason: string;
}

export interface Effect {
  /** @throws RekeyError AWS_UNANSWERED, AWS_THROTTLED when it is to be asked again; any other, when the step cannot be done */
  before(task: Task): Promise<Before & { readonly isAlready: boolean }>;
  /**
   * @returns what later steps may use, if it is known already
   * @throws RekeyError AWS_UNANSWERED, LEASE_LOST when nobody knows whether it took place; any other, when it did not
   */
  act(task: Task): Promise<Values | undefined>;
  /** @throws RekeyError when it could not be asked */
  prove(task: Task): Promise<Verdict>;
}

export type Effects = Readonly<Record<Exclude<ActionName, "human">, Effect>>;

/** For what needs nobody's consent: there is nothing to decide otherwise about. */
export const nothingBefore: Effect["before"] = async () => ({ digest: "", shows: "", isAlready: false });

export const passed = (check: string, shows: string, at: Date, more: PassedMore = {}): Verdict => ({
  verdict: "passed",
  proof: {
    check,
    shows,
    at: at.toISOString(),
    ...(more.providerAt === undefined ? {} : { providerAt: more.providerAt.toISOString() }),
  },
  ...(more.gave === undefined ? {} : { gave: more.gave }),
});

interface PassedMore {
  readonly providerAt?: Date;
  readonly gave?: Values;
}

export const notYet = (because: string): Verdict => ({ verdict: "notYet", because });
export const impossible = (because: string): Verdict => ({ verdict: "impossible", because });
export const absent = (because: string): Verdict => ({ verdict: "absent", because });
