/**
 * Whether Rekey may write what a run will write, asked before anything is. Only a definite "no" refuses a secret; where
 * nobody can say, the first denied write drops the secret or takes it back, as it always does.
 */
import type { Objection } from "./strategy.ts";

export interface Subject {
  readonly kind: "secret" | "service";
  readonly arn: string;
  /** Undefined when they are not known; then no answer that hangs on a tag is definite. */
  readonly tags?: ReadonlyMap<string, string>;
}

export interface Lack {
  readonly arn: string;
  /** As policies spell it. */
  readonly action: string;
}

export interface RightsAnswer {
  /** Who would write. */
  readonly principal?: string;
  readonly lacking: readonly Lack[];
  /** Why some or all of it could not be asked. */
  readonly unasked?: string;
}

export interface Rights {
  /** Never throws: what cannot be asked stands in the answer. */
  toWrite(subjects: readonly Subject[]): Promise<RightsAnswer>;
}

/** @param arns the secret and the services that consume it */
export function objectToRights(
  name: string,
  arns: ReadonlySet<string>,
  { principal, lacking }: RightsAnswer,
): readonly Objection[] {
  return lacking
    .filter(({ arn }) => arns.has(arn))
    .map(({ arn, action }) => ({
      code: "MISSING_RIGHTS",
      message: `${name}: ${principal ?? "Rekey's role"} may not ${action} on ${arn}; allow it in that role's policies`,
    }));
}
