/**
 * The heart: what to do next about one rotation, from what was meant, what is, and the time. Pure; the loop gathers what
 * `look` asks for, acts, and asks again, from whichever process and however often it died.
 *
 * Accept, then promote, then roll out, then confirm, then revoke. Every value that a task can read must work until no
 * running task can hold it; each branch below keeps that, or stops.
 */
import type { Rotation, WaveRecord } from "./intent.ts";
import { whyAbandoned } from "./native.ts";
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

/** A value that the target refuses although it was set twice is not worth a third try. */
const MAX_SET_ATTEMPTS = 2;
/** For how long Secrets Manager may answer with what was before a write. */
const STALE_MS = 2_000;
/** For how long a version that was just written may not show: Secrets Manager is eventually consistent after a put. */
const UNSEEN_MS = 10_000;
/** Rounds in which the target could not be asked before a secret that is not promoted leaves the run. */
export const MAX_UNREACHABLE = 5;
/** Whoever moves a label by hand may move it once more; a way back, once begun, is gone to its end. */
const SECOND_THOUGHTS_MS = 10_000;

const look = (at: "target" | "rollout" | "credentials"): Decision => ({ do: "look", at });

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

function afterPromotion(rotation: Rotation, wave: WaveRecord, facts: Facts, now: Date): Decision {
  if (wave.rolledOutAt === undefined) {
    const rollout = aboutRollout(facts);
    if (rollout.do !== "failed") return rollout;
    const { because, service } = rollout;
    if (isPastReturn(rotation, wave)) {
      return {
        do: "wait",
        because: `${because}; the old value may be dead already, so there is no way back: the on-call must deploy ${service ?? "it"} again`,
        forPerson: true,
      };
    }
    return {
      do: "giveUp",
      code: "DEPLOYMENT_FAILED",
      because,
      ...(service === undefined ? {} : { service }),
    };
  }
  if (!facts.credentials) return look("credentials");
  const waits: Wait[] = [];
  for (const credential of facts.credentials) {
    if (!credential.revokes || credential.label in wave.revoked) continue;
    const decision = aboutRevocation(wave, credential, now);
    if (decision.do !== "wait") return decision;
    waits.push(decision);
  }
  const [quietLast] = facts.credentials.map(({ quietUntil }) => quietUntil).toSorted((a, b) => +b - +a);
  if (waits.length === 0 && quietLast !== undefined && quietLast > now) waits.push(untilQuiet(quietLast));
  return soonest(waits) ?? finishWave(rotation, wave);
}

function aboutRollout(
  facts: Facts,
): Decision | { readonly do: "failed"; readonly because: string; readonly service: string | undefined } {
  if (facts.settled === false) return { do: "wait", because: "for the new value to be readable everywhere" };
  if (!facts.rollout) return look("rollout");
  const { state, because, failed } = facts.rollout;
  if (state === "failed") return { do: "failed", because, service: failed };
  return state === "through" ? { do: "note", that: "rolledOut" } : { do: "wait", because };
}

/**
 * The old value first, then the services: whoever holds it is cut off, ours as well, and the deployments bring ours back.
 * A value that the tasks themselves take dies with the last of the old ones.
 */
function afterEmergencyPromotion(rotation: Rotation, wave: WaveRecord, facts: Facts): Decision {
  if (!facts.credentials) return look("credentials");
  const isRolledOut = wave.rolledOutAt !== undefined;
  const waits: Wait[] = [];
  for (const credential of facts.credentials) {
    if (!credential.revokes || credential.label in wave.revoked) continue;
    if (credential.takenBy === "tasks" && (!isRolledOut || isKept(credential))) continue;
    const decision = aboutCutting(wave, credential);
    if (decision.do !== "wait") return decision;
    waits.push(decision);
  }
  if (isRolledOut) return soonest(waits) ?? finishWave(rotation, wave);
  const rollout = aboutRollout(facts);
  if (rollout.do !== "failed")
    return rollout.do === "wait" ? (soonest([...waits, rollout]) ?? rollout) : rollout;
  return {
    do: "wait",
    because: `${rollout.because.replace(/\.$/, "")}; the leaked value is never brought back, so the on-call must deploy ${rollout.service ?? "it"} again`,
    forPerson: true,
  };
}

/** A document made before the emergency keeps the old value beside the new one. A later one takes it out; no act can. */
function isKept({ target }: CredentialFacts): boolean {
  return target !== undefined && "from" in target && target.from === "accepted";
}

function aboutCutting(wave: WaveRecord, { label, stragglers, target }: CredentialFacts): Decision {
  if (!(label in wave.cut)) {
    return stragglers
      ? { do: "note", that: "cut", label, cut: stragglers }
      : { do: "look", at: "stragglers", label };
  }
  return aboutTheOldValue(wave, label, target, "the old value has leaked");
}

function aboutTheOldValue(
  wave: WaveRecord,
  label: string,
  target: Target | undefined,
  because: string,
): Decision {
  if (!target) return { do: "look", at: "revocation", label };
  if ("unreachable" in target) return { do: "wait", because: target.unreachable };
  if (target.to === "refused") {
    return {
      do: "wait",
      because: `${label}: the target refuses the new value, so the old one is kept; the on-call must find out who changed the target`,
      forPerson: true,
    };
  }
  // Refused is not enough: a process that died in the middle may have left it refused until the next restart.
  return target.from === "refused" && wave.switchedOff.includes(label)
    ? { do: "note", that: "revoked", label }
    : { do: "revoke", label, because };
}

function aboutRevocation(wave: WaveRecord, credential: CredentialFacts, now: Date): Decision {
  const { label, quietUntil, stragglers, target } = credential;
  if (quietUntil > now) return untilQuiet(quietUntil);
  if (!stragglers) return { do: "look", at: "stragglers", label };
  const [first] = stragglers;
  if (first) {
    const more = stragglers.length > 1 ? ` and ${stragglers.length - 1} more` : "";
    const program = first.program ? ` (${first.program})` : "";
    return {
      do: "wait",
      because: `${first.login} is still logged in from ${first.from}${program}${more}; end these sessions or declare their service with rekey:consumers`,
      forPerson: true,
    };
  }
  if (wave.confirmedAt === undefined) return { do: "note", that: "confirmed" };
  return aboutTheOldValue(wave, label, target, "no running task can hold the old value");
}

const untilQuiet = (until: Date): Wait => ({
  do: "wait",
  because: `the old value stays accepted until ${until.toISOString()}`,
  until,
});

/** What ends first: something under way, then the nearest time, then a person. */
function soonest(waits: readonly Wait[]): Wait | undefined {
  const rank = ({ until, forPerson }: Wait) =>
    forPerson ? Number.POSITIVE_INFINITY : (until?.getTime() ?? 0);
  return waits.toSorted((a, b) => rank(a) - rank(b))[0];
}

function finishWave(rotation: Rotation, wave: WaveRecord): Decision {
  return rotation.waves.at(-1) === wave.wave
    ? { do: "finish", as: "rotated", because: "the new value works and the old one is refused" }
    : { do: "finish", as: "wave", because: `the ${wave.wave} wave has reached every consumer` };
}

/** Whether the old value may have died, noted or not. */
export function isPastReturn({ emergency }: Rotation, { confirmedAt }: WaveRecord): boolean {
  return emergency || confirmedAt !== undefined;
}

/**
 * AWSCURRENT is not where we put it. Somebody had a reason, and overriding it could take away the value that is in use. Back
 * on the version before, it is a wish to go back, which is granted as long as that value lives.
 */
function displaced(rotation: Rotation, wave: WaveRecord, facts: Facts, now: Date): Decision {
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

function turnForward({ demotedAt }: NonNullable<WaveRecord["retreat"]>, now: Date): Decision {
  return demotedAt !== undefined && now.getTime() - Date.parse(demotedAt) < STALE_MS
    ? { do: "wait", because: "for the old value to be readable everywhere" }
    : { do: "note", that: "returned" };
}

/** Back, in the order that never leaves a readable value refused: label, services, and only then the value. */
function retreat(wave: WaveRecord, facts: Facts): Decision {
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
