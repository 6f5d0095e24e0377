/** What every journey is given: the outside world behind interfaces, the clock, and the few numbers that can be set. */
import type { Announcer } from "../message.ts";
import type { ConsumerFleet } from "../rotation/fleet.ts";
import type { RotationLog } from "../rotation/intent.ts";
import type { Rights } from "../rotation/rights.ts";
import type { SecretStore } from "../rotation/secretStore.ts";
import type { Strategy } from "../rotation/strategy.ts";

/** One structured line; never with a value. */
export type Tell = (event: Readonly<Record<string, unknown>> & { readonly event: string }) => void;

export interface Ports {
  readonly store: SecretStore;
  readonly fleet: ConsumerFleet;
  /** Undefined where nobody can tell. */
  readonly rights?: Rights;
  readonly log: RotationLog;
  readonly strategies: ReadonlyMap<string, Strategy>;
  /** Undefined when no channel is configured. */
  readonly announcer?: Announcer;
  readonly tell: Tell;
  readonly now: () => Date;
  /** Ends early, and without an error, when the signal says so. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Called by whoever writes, right before it does. @throws RekeyError LEASE_LOST once another worker may have taken over */
  readonly mayWrite: () => void;
  readonly settings: {
    /** The longest a rollout may take before it is stopped and rolled back. */
    readonly rolloutSeconds: number;
    /** After which another worker may take a run over from one that stopped answering. */
    readonly leaseSeconds: number;
    readonly pollMs: number;
    /** Name of the function behind Secrets Manager's own rotation; secrets that another one rotates are left alone. */
    readonly rotationFunction?: string;
    /** How long a promoted value is left to become readable everywhere before tasks are started on it. */
    readonly settleSeconds: number;
    /** Secrets worked on at the same time. */
    readonly concurrency: number;
    /**
     * Rotations begun in one round. Secrets Manager takes 50 writes a second from everybody together, so the services of the
     * first secrets are deployed while the last ones wait for their turn: the fewer, the sooner.
     */
    readonly mostBegun: number;
  };
}
