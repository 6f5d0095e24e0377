/** AWSCURRENT is where we did not put it, or the rotation was given up: what to wait for, and how to go back. */
import { type Decision, type Facts, look } from "./decision.ts";
import { isPastReturn } from "./forward.ts";
import type { Rotation, WaveRecord } from "./intent.ts";

/** For how long Secrets Manager may answer with what was before a write. */
const STALE_MS = 2_000;
/** Whoever moves a label by hand may move it once more; a way back, once begun, is gone to its end. */
const SECOND_THOUGHTS_MS = 10_000;

/**
 * AWSCURRENT is not where we put it. Somebody had a reason, and overriding it could take away the value that is in use. Back
 * on the version before, it is a wish to go back, which is granted as long as that value lives.
 */
export function displaced(rotation: Rotation, wave: WaveRecord, facts: Facts, now: Date): Decision {
  const isBack = facts.labels.current === wave.fromVersionId;
  const msSince = (time: string | undefined) => now.getTime() - Date.parse(time ?? "");
  if (isBack && msSince(wave.promotedAt) < STALE_MS)
    return { do: "wait", because: "for the new value to be readable everywhere" };
  if (wave.displacedAt === undefined) return { do: "note", that: "displaced" };
  if (isBack && !isPastReturn(rotation, wave)) {
    return msSince(wave.displacedAt) < SECOND_THOUGHTS_MS
      ? { do: "wait", because: "somebody moved AWSCURRENT back to the old version by hand; about to follow" }
      : {
          do: "giveUp",
          code: "LABEL_MOVED",
          because: "somebody moved AWSCURRENT back to the old version by hand, so the services follow it",
        };
  }
  const where = isBack
    ? "back to the old version by hand, whose value may be dead"
    : `to version ${facts.labels.current} by hand, which is not ours`;
  return {
    do: "wait",
    because: `somebody moved AWSCURRENT ${where}; whoever did must move it to ${wave.toVersionId}: nothing is revoked until then`,
    forPerson: true,
  };
}

export function turnForward({ demotedAt }: NonNullable<WaveRecord["retreat"]>, now: Date): Decision {
  return demotedAt !== undefined && now.getTime() - Date.parse(demotedAt) < STALE_MS
    ? { do: "wait", because: "for the old value to be readable everywhere" }
    : { do: "note", that: "returned" };
}

/** Back, in the order that never leaves a readable value refused: label, services, and only then the value. */
export function retreat(wave: WaveRecord, facts: Facts): Decision {
  const back = wave.retreat;
  if (!back) return { do: "nothing" };
  if (facts.labels.current === wave.toVersionId) {
    // Promoted by a person's hand, perhaps once more: tasks may hold it all the same, so the whole way back is gone. Noted
    // before the label moves, because the same hand may move it first.
    if (wave.promotedAt === undefined || back.demotedAt !== undefined)
      return { do: "note", that: "promoted" };
    return { do: "demote", because: "tasks that start from now on must read the old value" };
  }
  if (wave.promotedAt !== undefined && back.withdrawnAt === undefined) {
    if (back.demotedAt !== undefined && facts.labels.current !== wave.fromVersionId) {
      return {
        do: "wait",
        because:
          "AWSCURRENT was moved to another version on the way back, whose value may be the new one; both stay accepted until a person decides",
        forPerson: true,
      };
    }
    if (back.demotedAt === undefined)
      return { do: "demote", because: "to note when the old value was current again" };
    if (facts.settled === false)
      return { do: "wait", because: "for the old value to be readable everywhere" };
    if (!facts.rollout) return look("rollout");
    if (facts.rollout.state === "failed") {
      return {
        do: "wait",
        because: `the way back failed too: ${facts.rollout.because}; both values stay accepted`,
        forPerson: true,
      };
    }
    if (facts.rollout.state !== "through") return { do: "wait", because: facts.rollout.because };
  }
  // What the target never learnt is not taken from it either: a withdrawal vouches for the old value, which need not be alive.
  if (back.withdrawnAt === undefined && wave.setAttempts > 0) {
    if (facts.labels.staged) return { do: "withdraw", because: "no task can hold the new value" };
    // Nobody but the staged version knows the value that the target may have learnt.
    return {
      do: "wait",
      because: `version ${wave.toVersionId} cannot be read, so its value cannot be taken back from the target; make it readable again`,
      forPerson: true,
    };
  }
  const as = wave.promotedAt === undefined ? "dropped" : "rolledBack";
  return { do: "finish", as, because: back.because };
}
