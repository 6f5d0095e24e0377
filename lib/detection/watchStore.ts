/** Where the detection keeps what it knows between two batches, as its journeys need it. */
import type { Sighting, Usual } from "./history.ts";
import type { Known } from "./known.ts";
import type { Watched } from "./state.ts";
import type { Suppression } from "./suppression.ts";
import type { Told } from "./telling.ts";

/** What is kept of one principal, and what of it people were told. */
export interface Kept {
  readonly watched: Watched;
  readonly told: readonly Told[];
  /** Of the write that made it; 0 if there is none yet. */
  readonly rev: number;
}

export interface WatchStore {
  kept(account: string, principal: string): Promise<Kept>;
  /**
   * @param isWaiting whether something is held back, or still to be told
   * @returns false if somebody else wrote meanwhile: read again, and do it again
   */
  keep(account: string, principal: string, kept: Kept, isWaiting: boolean): Promise<boolean>;
  /** Principals of which something is held back, or is still to be told. */
  waiting(account: string): Promise<readonly string[]>;
  /** What is usual of these subjects: principals, secrets, the account. */
  usual(account: string, subjects: readonly string[]): Promise<Usual>;
  /** Of what is usual only what changed is given. Merges; safe to repeat, in any order, and beside others. */
  learn(account: string, news: ReadonlyMap<string, ReadonlyMap<string, Sighting>>): Promise<void>;
  /** When the history was read from end to end; undefined until then. */
  seededAtMs(account: string): Promise<number | undefined>;
  seeded(account: string, atMs: number): Promise<void>;
  /** What was known when the account was last looked at; undefined before. */
  known(account: string): Promise<Known | undefined>;
  keepKnown(account: string, known: Known): Promise<void>;
  suppressions(account: string): Promise<readonly Suppression[]>;
  suppress(account: string, suppression: Suppression): Promise<void>;
}
