/**
 * What one kind of credential must know how to do. Labels, versions, deployments, waves' order and retries are not its
 * business; the engine owns those. A strategy talks to what the secret unlocks and to nothing else.
 *
 * The life of a change, in order:
 *
 *     inspect -> waves -> generate -> set -> test (both accepted) -> [label moves, services roll out]
 *             -> quietUntil -> stragglers -> revoke -> test (from refused, to accepted)
 *
 * and, when it is given up before or after the label moved: `withdraw`. Between rotations, every day: `check`.
 *
 * "Refused" is an answer and comes back as a value. "Could not ask" is not: it is thrown as TARGET_UNREACHABLE, and the
 * engine looks again before it does anything.
 */
import type { ErrorCode } from "../errors.ts";
import type { Credential } from "../secret.ts";

export type Verdict = "accepted" | "refused";

/**
 * The documents a rotation may pass through. Most kinds know only `rotate`. A JWT keyset is preceded by `publish` when a
 * running task does not know `next` yet, and followed by `retire` when its verifiers do not look at `previousNotAfter`.
 */
export type Wave = "publish" | "rotate" | "retire";
export const WAVES = ["publish", "rotate", "retire"] as const satisfies readonly Wave[];

/** One credential on its way from one version of the secret to the next. */
export interface Change {
  readonly wave: Wave;
  readonly from: Credential;
  readonly to: Credential;
}

/** What the engine knows and a strategy may need. Times are UTC; `now` is the only clock. */
export interface Circumstances {
  readonly now: Date;
  /** Tag `rekey:grace`: how long a consumer may hold the old value after the rollout; for JWT the longest token life. */
  readonly graceSeconds: number;
  /** Tag `rekey:skew`: how far consumers' clocks may be apart. */
  readonly skewSeconds: number;
  /** The longest a rollout may take before Rekey stops it. */
  readonly rolloutSeconds: number;
  /** Tag `rekey:admin`, or the secret's own `masterarn`: the credential that may change this one. */
  readonly admin?: Credential;
  /**
   * The value in use has leaked: it dies right after the promotion, under whoever still uses it, and neither it nor
   * anything published beside it may live on in the new document.
   */
  readonly emergency: boolean;
  /** To be called right before each write. @throws RekeyError LEASE_LOST once another worker may have taken over */
  readonly mayWrite: () => void;
  /** Every other `rekey:*` tag that applies to this credential, without the prefix: `alg`, `nodes`, `not-after`. */
  readonly options: ReadonlyMap<string, string>;
}

/** A reason not to start, found without changing anything. */
export interface Objection {
  readonly code: ErrorCode;
  /** One sentence naming the field, node or role, and what to do about it. */
  readonly message: string;
}

/** Who may still hold an older document. */
export interface Audience {
  /** When the oldest running consumer task was created; undefined if nothing runs. */
  readonly oldestTaskCreatedAt?: Date;
  /** When the value now published as `next` became readable; undefined if that is not known. */
  readonly nextPublishedAt?: Date;
}

/** A session that still uses the old value. Never holds a value: where from, and as whom. */
export interface Straggler {
  readonly login: string;
  readonly from: string;
  readonly program?: string;
}

/** What one node says to one value. Where there is no server to ask, the field that holds the value stands for the node. */
export interface Answer {
  readonly where: string;
  readonly verdict: Verdict | "silent";
  /** Why it is silent. */
  readonly because?: string;
}

/** Shell commands that print a password, so that it does not stand in the line that needs it. */
export interface Prints {
  readonly current: string;
  readonly revoked?: string;
  readonly admin?: string;
}

export interface Strategy {
  /** The name that the tag `rekey:strategy` or `rekey:field:<FIELD>` gives. */
  readonly id: string;
  /** `brief-cut`: the target cannot accept two values, so consumers may fail for a moment. Said in plan and report. */
  readonly overlap: "full" | "brief-cut";
  /**
   * Who takes the value: a server, which can be told at any time to refuse the old one, or the tasks themselves, each of
   * which takes it until it is replaced.
   */
  readonly takenBy: "server" | "tasks";
  /**
   * The name of the rotating value itself: what a bundle's tag names. `password` has its siblings beside it in a bundle
   * (`DATABASE_PASSWORD`, `DATABASE_HOST`), any other below it (`JWT_SECRET_KEY`, `JWT_SECRET_KEY_NEXT`).
   */
  readonly valueName: string;

  /** Every reason to refuse, by reading only: fields, reachability of every node, rights, persistence. Never throws for a broken target: that is an objection. */
  inspect(current: Credential, at: Circumstances): Promise<readonly Objection[]>;

  /**
   * What every node says to the value in use and to one that was revoked. Reads only, and a node that does not answer keeps
   * nobody else from being asked.
   *
   * @throws RekeyError SECRET_MALFORMED, TAG_INVALID, MISSING_RIGHTS
   */
  check(
    current: Credential,
    revoked: Credential | undefined,
    at: Circumstances,
  ): Promise<{ readonly current: readonly Answer[]; readonly revoked: readonly Answer[] }>;

  /**
   * The shell line with which a person mends one node where a rotation would refuse to start: `add` the value in use, which
   * it lost; `remove` the revoked one; `replace` the revoked one, which it came back with. Undefined where a rotation does it.
   */
  byHand?(
    what: "add" | "remove" | "replace",
    where: string,
    current: Credential,
    prints: Prints,
    at: Circumstances,
  ): string | undefined;

  /** The waves that this rotation needs, in order. Always contains `rotate`. */
  waves(current: Credential, audience: Audience, at: Circumstances): readonly Wave[];

  /**
   * An id, safe to store, of the value that is already published for the next rotation. Kinds without such a value leave
   * this method out.
   */
  upcoming?(current: Credential): string | undefined;

  /** The next document for this wave; every field it does not understand stays as it is. Touches nothing outside. */
  generate(wave: Wave, current: Credential, at: Circumstances): Promise<Credential>;

  /**
   * Until when `to` may still be promoted, for kinds whose document says itself how long the old value lives: promoted later,
   * it would let that value die under tasks that are not replaced yet.
   */
  promotableUntil?(change: Change, at: Circumstances): Date | undefined;

  /** Makes the target accept `to` as well as `from`. Called when `test` did not find both accepted; safe to repeat. */
  set(change: Change, at: Circumstances): Promise<void>;

  /** Asks the target, on every node and with real work. @throws RekeyError TARGET_UNREACHABLE if it could not be asked. */
  test(change: Change, at: Circumstances): Promise<{ readonly from: Verdict; readonly to: Verdict }>;

  /** The earliest time at which `from` may be revoked, given when the last consumer was replaced. */
  quietUntil(change: Change, rolledOutAt: Date, at: Circumstances): Date;

  /**
   * Sessions still on `from`; undefined if this kind of target cannot tell. In an emergency, right after the promotion,
   * every session is on it, and is told.
   */
  stragglers(change: Change, at: Circumstances): Promise<readonly Straggler[] | undefined>;

  /** Whether `from` stops working at the end of this wave. A publish wave ends with both alive. */
  revokes(wave: Wave, at: Circumstances): boolean;

  /**
   * Makes the target refuse `from` on every node and ends its sessions that began before `promotedAt`; in an emergency it
   * leaves `to` as the only value, whoever added others. Safe to repeat.
   */
  revoke(change: Change, promotedAt: Date, at: Circumstances): Promise<void>;

  /** Takes `to` back so that only `from` is accepted, persistently. Safe to repeat, and when `set` never ran. */
  withdraw(change: Change, at: Circumstances): Promise<void>;
}
