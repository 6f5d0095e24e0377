/** What `decide` is told of the world, and what it may answer. */
import type { RolloutFacts } from "./rollout.ts";
import type { Straggler, Verdict, Wave } from "./strategy.ts";

/** What is, as far as it was looked at; an absent part has not been asked for in this round. */
export interface Facts {
  readonly labels: {
    readonly current?: string;
    readonly pending?: string;
    readonly previous?: string;
    /** Whether the wave's new version is there and readable. */
    readonly staged: boolean;
    /** Whether Secrets Manager's own rotation is turned on. */
    readonly native?: boolean;
  };
  /** Whether Secrets Manager asks for a step just now. */
  readonly asked?: boolean;
  /** The wave that the run has come to; a rotation that needs no `publish` waits there for those that do. */
  readonly runWave: Wave;
  readonly target?: Target;
  /** Until when the staged document may be promoted, if it says so itself. */
  readonly promotableUntil?: Date;
  readonly rollout?: RolloutFacts;
  /** Whether the promoted value has been readable long enough; Secrets Manager is eventually consistent after a write. */
  readonly settled?: boolean;
  /** The credentials that this wave changes, once the rollout has ended: each old value dies in its own time. */
  readonly credentials?: readonly CredentialFacts[];
}

export interface CredentialFacts {
  readonly label: string;
  readonly takenBy: "server" | "tasks";
  /** Whether its old value stops working at the end of this wave. */
  readonly revokes: boolean;
  readonly quietUntil: Date;
  readonly stragglers?: readonly Straggler[];
  readonly target?: Target;
}

export type Target = { readonly from: Verdict; readonly to: Verdict } | { readonly unreachable: string };

export type Decision =
  | { readonly do: "look"; readonly at: "target" | "rollout" | "credentials" }
  | { readonly do: "look"; readonly at: "stragglers" | "revocation"; readonly label: string }
  | { readonly do: "stage" | "set" | "promote" | "demote" | "withdraw"; readonly because: string }
  | { readonly do: "revoke"; readonly label: string; readonly because: string }
  | {
      readonly do: "note";
      readonly that: "tested" | "promoted" | "displaced" | "returned" | "rolledOut" | "confirmed";
    }
  | { readonly do: "note"; readonly that: "revoked"; readonly label: string }
  | { readonly do: "note"; readonly that: "cut"; readonly label: string; readonly cut: readonly Straggler[] }
  | {
      readonly do: "finish";
      readonly as: "wave" | "rotated" | "dropped" | "rolledBack";
      readonly because: string;
    }
  | { readonly do: "giveUp"; readonly code: GiveUpCode; readonly because: string; readonly service?: string }
  | Wait
  | { readonly do: "nothing" };

export interface Wait {
  readonly do: "wait";
  readonly because: string;
  readonly until?: Date;
  /** Nothing but a person's act will end it. */
  readonly forPerson?: boolean;
}

export type GiveUpCode =
  | "FOREIGN_PENDING"
  | "LABEL_MOVED"
  | "PENDING_REFUSED"
  | "PENDING_EXPIRED"
  | "OLD_VALUE_REFUSED"
  | "TARGET_UNREACHABLE"
  | "DEPLOYMENT_FAILED"
  | "ROTATION_ABANDONED"
  | "AWS_DENIED"
  | "AWS_FAILED";

export const look = (at: "target" | "rollout" | "credentials"): Decision => ({ do: "look", at });
