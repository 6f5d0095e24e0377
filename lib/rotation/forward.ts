/** From the promotion on: rolled out, confirmed, revoked; or, when the old value has leaked, revoked before anything else. */
import { type CredentialFacts, type Decision, type Facts, look, type Wait } from "./decision.ts";
import type { Rotation, WaveRecord } from "./intent.ts";

export function afterPromotion(rotation: Rotation, wave: WaveRecord, facts: Facts, now: Date): Decision {
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
export function afterEmergencyPromotion(rotation: Rotation, wave: WaveRecord, facts: Facts): Decision {
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

function aboutCutting(wave: WaveRecord, credential: CredentialFacts): Decision {
  const { label, stragglers } = credential;
  if (!(label in wave.cut)) {
    return stragglers
      ? { do: "note", that: "cut", label, cut: stragglers }
      : { do: "look", at: "stragglers", label };
  }
  return aboutTheOldValue(wave, credential, "the old value has leaked");
}

function aboutTheOldValue(
  wave: WaveRecord,
  { label, takenBy, target }: CredentialFacts,
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
  // Of a server, refused is not enough: a process that died in the middle may have left it refused until the next restart.
  const isForGood = takenBy === "tasks" || wave.switchedOff.includes(label);
  return target.from === "refused" && isForGood
    ? { do: "note", that: "revoked", label }
    : { do: "revoke", label, because };
}

function aboutRevocation(wave: WaveRecord, credential: CredentialFacts, now: Date): Decision {
  const { label, quietUntil, stragglers } = credential;
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
  return aboutTheOldValue(wave, credential, "no running task can hold the old value");
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
