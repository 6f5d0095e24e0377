/**
 * The heart: what to do next about one rotation, from what was meant, what is, and the time. Pure; the loop gathers what
 * `look` asks for, acts, and asks again, from whichever process and however often it died.
 *
 * Accept, then promote, then roll out, then confirm, then revoke. Every value that a task can read must work until no
 * running task can hold it; each branch below keeps that, or stops.
 */
import { type Decision, type Facts, look } from "./decision.ts";
import { afterEmergencyPromotion, afterPromotion } from "./forward.ts";
import type { Rotation, WaveRecord } from "./intent.ts";
import { whyAbandoned } from "./native.ts";
import { displaced, retreat, turnForward } from "./wayBack.ts";

/** A value that the target refuses although it was set twice is not worth a third try. */
const MAX_SET_ATTEMPTS = 2;
/** For how long a version that was just written may not show: Secrets Manager is eventually consistent after a put. */
const UNSEEN_MS = 10_000;
/** Rounds in which the target could not be asked before a secret that is not promoted leaves the run. */
export const MAX_UNREACHABLE = 5;

export function decide(rotation: Rotation, facts: Facts, now: Date): Decision {
  const wave = rotation.history.at(-1);
  if (rotation.outcome !== undefined || wave === undefined) return { do: "nothing" };
  const isPromoted = facts.labels.current === wave.toVersionId;
  // The process may have died between the label's move and its own note of it, and tasks may have started since; also
  // when somebody has moved the label on by now, which leaves AWSPREVIOUS where it was.
  const wasPromoted = isPromoted || facts.labels.previous === wave.toVersionId;
  if (wasPromoted && wave.promotedAt === undefined) return { do: "note", that: "promoted" };
  if (wave.retreat) {
    // A leaked value is not gone back to: once the new one is current, the way is forward, and the record says so.
    return isPromoted && rotation.emergency ? turnForward(wave.retreat, now) : retreat(wave, facts);
  }
  if (isPromoted) {
    // Somebody put it back where we had it. Tasks that started in between are as old as those from before.
    if (wave.displacedAt !== undefined) return { do: "note", that: "returned" };
    return rotation.emergency
      ? afterEmergencyPromotion(rotation, wave, facts)
      : afterPromotion(rotation, wave, facts, now);
  }
  if (wave.promotedAt !== undefined) return displaced(rotation, wave, facts, now);
  // An emergency does not wait for Secrets Manager's steps.
  if (rotation.native && wave.wave === "rotate" && !facts.asked && !rotation.emergency)
    return betweenSteps(rotation.native, wave, facts, now);
  return beforePromotion(rotation, wave, facts, now);
}

/** Up to finishSecret each act is Secrets Manager's to ask for; what it abandons is ours to clean up. */
function betweenSteps(
  native: NonNullable<Rotation["native"]>,
  wave: WaveRecord,
  { labels }: Facts,
  now: Date,
): Decision {
  const because = whyAbandoned(native, wave, labels, now);
  return because === undefined
    ? { do: "wait", because: "for Secrets Manager to ask for the next step", until: new Date(native.until) }
    : { do: "giveUp", code: "ROTATION_ABANDONED", because };
}

function beforePromotion(rotation: Rotation, wave: WaveRecord, facts: Facts, now: Date): Decision {
  const { current, pending, staged } = facts.labels;
  if (wave.wave !== facts.runWave && !rotation.emergency)
    return { do: "wait", because: `for the ${facts.runWave} wave of other secrets` };
  if (current !== wave.fromVersionId) {
    // A label that was moved right before is seen where it was for some seconds, and an emergency begins in the midst of things.
    // To give it up would take the new value back, and leave a leaked one alive.
    if (rotation.emergency && now.getTime() - Date.parse(wave.startedAt) < UNSEEN_MS)
      return { do: "wait", because: "for AWSCURRENT to be seen where it was when this began" };
    return {
      do: "giveUp",
      code: "LABEL_MOVED",
      because: "AWSCURRENT was moved to another version while this rotation was under way",
    };
  }
  if (pending !== undefined && pending !== wave.toVersionId) {
    return {
      do: "giveUp",
      code: "FOREIGN_PENDING",
      because: `AWSPENDING sits on version ${pending}, which is not ours`,
    };
  }
  if (!staged) {
    if (wave.stagedAt === undefined)
      return { do: "stage", because: "the new value must be durable before the target learns it" };
    return now.getTime() - Date.parse(wave.stagedAt) < UNSEEN_MS
      ? { do: "wait", because: "for the staged version to be readable" }
      : { do: "giveUp", code: "LABEL_MOVED", because: "the staged version was taken away" };
  }
  if (!facts.target) return look("target");
  if ("unreachable" in facts.target) {
    return rotation.failures >= MAX_UNREACHABLE
      ? { do: "giveUp", code: "TARGET_UNREACHABLE", because: facts.target.unreachable }
      : { do: "wait", because: facts.target.unreachable };
  }
  const { to } = facts.target;
  // A retire wave is the one whose document no longer has the old value: it is given up here, not kept beside the new one.
  // In an emergency it is to die, and whoever has it may have seen to it that it does not work for us.
  const from = wave.wave === "retire" || rotation.emergency ? "accepted" : facts.target.from;
  // A process that died in the middle may have left a value that works and is not saved: a restart would take it away.
  const isWhole = wave.setAttempts === 0 || wave.setAt !== undefined;
  if (from === "accepted" && to === "accepted" && isWhole) {
    if (facts.promotableUntil !== undefined && facts.promotableUntil < now) {
      return {
        do: "giveUp",
        code: "PENDING_EXPIRED",
        because:
          "the new document waited too long for its promotion: its previous key would die before the rollout ends",
      };
    }
    return wave.testedAt === undefined
      ? { do: "note", that: "tested" }
      : { do: "promote", because: "the target accepts both values" };
  }
  if (from === "refused" && wave.setAttempts === 0) {
    return {
      do: "giveUp",
      code: "OLD_VALUE_REFUSED",
      because: "the target refuses the value that is in use",
    };
  }
  if (wave.setAttempts < MAX_SET_ATTEMPTS)
    return { do: "set", because: "the target does not accept both values for good yet" };
  return {
    do: "giveUp",
    code: from === "refused" && to === "accepted" ? "OLD_VALUE_REFUSED" : "PENDING_REFUSED",
    because:
      from === to && to === "accepted"
        ? "setting the new value at the target was begun twice and did not end"
        : `the target refuses the ${to === "refused" ? "new" : "old"} value after it was set`,
  };
}
