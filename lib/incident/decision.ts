/** What `next` is told of the world, and what it may answer. */
import type { People } from "./approval.ts";
import type { Values } from "./inputs.ts";
import type { Event } from "./record.ts";
import type { Before, Order, PersonId, Place, Proof } from "./run.ts";

/** Who asks, and what was looked at in this round: since something was last recorded, done or waited for. */
export interface Facts {
  /** Of this process and no other. */
  readonly worker: string;
  readonly people: People;
  readonly befores?: readonly BeforeFact[];
  readonly proofs?: readonly ProofFact[];
}

export interface BeforeFact extends Before {
  readonly place: Place;
  /** It may be as it should be already. Its proof is asked. */
  readonly isAlready: boolean;
}

export type ProofFact = { readonly place: Place } & Verdict;

/**
 * `notYet`: it is under way. `impossible`: it was tried, and will not come. `absent`: nothing of it is there. `couldNotAsk`: nobody knows, and nothing is repeated on
 * the strength of that.
 */
export type Verdict =
  | { readonly verdict: "passed"; readonly proof: Proof; readonly gave?: Values }
  | { readonly verdict: "notYet" | "absent" | "impossible" | "couldNotAsk"; readonly because: string };

export type Decision =
  | { readonly do: "nothing" }
  | { readonly do: "load"; readonly hash: string; readonly because: string }
  | { readonly do: "leave"; readonly because: string; readonly until: Date }
  | { readonly do: "look"; readonly at: "before"; readonly order: Order }
  | { readonly do: "look"; readonly at: "proof"; readonly order: Order; readonly check: string }
  | { readonly do: "record"; readonly event: Event }
  /** First the event is recorded; whoever could not record it does not act. */
  | { readonly do: "act"; readonly order: Order; readonly token: string; readonly event: Event }
  | Wait;

export interface Wait {
  readonly do: "wait";
  readonly because: string;
  readonly until?: Date;
  /** Whose word would end it; empty if only time does. */
  readonly people: readonly PersonId[];
  /** They did not answer, or not in time: it is said louder, and to more of them. */
  readonly isOverdue: boolean;
}
