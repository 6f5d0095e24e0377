/**
 * Secrets Manager's own rotation between its steps. It asks for one step after the other, tries again from the first when
 * one fails, and at some point gives up without telling: what is left behind then shows in labels and in silence.
 */
import type { Rotation, WaveRecord } from "./intent.ts";

interface Labels {
  readonly current?: string;
  readonly pending?: string;
  /** Whether Secrets Manager's own rotation is turned on. */
  readonly native?: boolean;
}

/** A description may be older than the step that was just asked for; Secrets Manager is eventually consistent. */
const STALE_MS = 10_000;

/** @returns why nobody will ask for the next step any more, or undefined while somebody may */
export function whyAbandoned(
  native: NonNullable<Rotation["native"]>,
  wave: Pick<WaveRecord, "fromVersionId" | "toVersionId">,
  { current, pending, native: isEnabled }: Labels,
  now: Date,
): string | undefined {
  if (now.getTime() - Date.parse(native.askedAt) < STALE_MS) return undefined;
  if (!isEnabled) return "Secrets Manager's own rotation was turned off before finishSecret";
  if (current !== wave.fromVersionId) return "AWSCURRENT was moved to another version before finishSecret";
  if (pending !== wave.toVersionId)
    return "Secrets Manager abandoned it: AWSPENDING is gone from its version";
  if (isTooLate(native, now))
    return `finishSecret was not done by ${native.until}, and its value does not keep`;
  return undefined;
}

/**
 * How long the four steps may take together. A new value does not keep: a keyset says until when its previous key verifies,
 * counted from its making, and the rollout must still fit before that.
 */
export const stepsSeconds = (rolloutSeconds: number): number => rolloutSeconds / 2;

/** The record of the first step. */
export function firstAsked(now: Date, rolloutSeconds: number): NonNullable<Rotation["native"]> {
  const until = new Date(now.getTime() + stepsSeconds(rolloutSeconds) * 1000);
  return { askedAt: now.toISOString(), until: until.toISOString() };
}

export const isTooLate = (native: NonNullable<Rotation["native"]>, now: Date): boolean =>
  now >= new Date(native.until);

/** Whether an ARN, qualified or not, means the function of this name. */
export function isFunction(arn: string | undefined, name: string | undefined): boolean {
  return arn !== undefined && name !== undefined && arn.split(":")[6] === name;
}
