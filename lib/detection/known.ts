/**
 * What is known of an account besides its records, and what no other watcher of CloudTrail has: which services consume a
 * secret, when it rotated, which of its versions were revoked, and what Rekey itself did.
 */

export interface Known {
  /** By the secret's key. A secret that is missing here is known by its records alone. */
  readonly secrets: ReadonlyMap<string, KnownSecret>;
  /** Roles of Rekey's own functions. What they do never alerts, unless it is none of what they are for. */
  readonly ourRoles: ReadonlySet<string>;
  /** Every invocation of ours, by the mark that its calls carry in their user agent; undefined where none are kept. */
  readonly invocations?: ReadonlyMap<string, Span>;
  /** Accounts that are no strangers, besides the trail's own. */
  readonly accounts: ReadonlySet<string>;
  /** ARNs of keys that encrypt secrets, besides those that the records show. */
  readonly keys: ReadonlySet<string>;
  /** ARNs or names of functions that rotate secrets, besides those that the records show. */
  readonly rotationFunctions: ReadonlySet<string>;
  /** How the names of Rekey's own functions, rules and schedules begin. */
  readonly watch: ReadonlySet<string>;
}

export interface KnownSecret {
  /** Keys of the principals that are meant to read it; undefined where nobody can tell. */
  readonly consumers?: ReadonlySet<string>;
  readonly isProduction?: boolean;
  /** Nobody has a reason to read it. */
  readonly isCanary?: boolean;
  /** Read by people in an emergency, and then with an approval. */
  readonly isBreakGlass?: boolean;
  /**
   * Versions that somebody else may give it; what Rekey's own roles write is known without it. Undefined for a secret that is
   * not managed.
   */
  readonly versions?: ReadonlySet<string>;
  /** Which version carries AWSCURRENT, and since when. */
  readonly current?: { readonly versionId: string; readonly fromMs: number };
  /** Version id -> when it was revoked. */
  readonly retired?: ReadonlyMap<string, number>;
  /** When rotations of ours were open. */
  readonly rotations?: readonly Span[];
  /** When AWSCURRENT moved last, and by when every consumer is to have read it anew. */
  readonly promoted?: { readonly atMs: number; readonly reReadByMs: number };
  /** When a person may read it; of everybody where no principal is named. */
  readonly approvals?: readonly (Span & { readonly principal?: string })[];
}

export interface Span {
  readonly fromMs: number;
  /** Open where it is missing. */
  readonly toMs?: number;
}

export const NOTHING_KNOWN: Known = {
  secrets: new Map(),
  ourRoles: new Set(),
  accounts: new Set(),
  keys: new Set(),
  rotationFunctions: new Set(),
  watch: new Set(),
};

export const isWithin = (atMs: number, { fromMs, toMs }: Span, marginMs = 0): boolean =>
  atMs >= fromMs - marginMs && (toMs === undefined || atMs <= toMs + marginMs);
