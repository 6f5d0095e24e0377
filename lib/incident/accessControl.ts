/** IAM, as far as an incident needs it: keys that are switched off, and sessions of a role that are refused. */

export interface KeyFacts {
  readonly user: string;
  readonly isActive: boolean;
  readonly lastUsed?: { readonly at: Date; readonly service: string; readonly region: string };
}

/** @throws RekeyError AWS_*; AWS_UNANSWERED when it may have taken effect */
export interface AccessControl {
  /** @returns undefined for a key that nobody of this account has */
  key(id: string): Promise<KeyFacts | undefined>;
  /** Safe to repeat. */
  setKey(id: string, user: string, isActive: boolean): Promise<void>;
  /**
   * @returns before when a session must have begun to be refused everything; `none` without such a denial; undefined if there
   *   is no such role
   */
  deniedBefore(role: string): Promise<Date | "none" | undefined>;
  /** Safe to repeat; a later time replaces an earlier one. */
  denyBefore(role: string, at: Date): Promise<void>;
  /** Safe to repeat. */
  allowAll(role: string): Promise<void>;
  /** What IAM's simulator says of a session of the role that began then. */
  isRefused(role: string, begunAt: Date): Promise<boolean>;
}
