/**
 * What to do next about a run, from its record, its runbook, what was looked at in this round, and the time. Pure; the
 * loop does it, writes down what came of it, and asks again, from whichever process and however often it died.
 *
 * Condition, what is so before, consent, what is so now, act, prove. Only a passing proof gives a step its tick. What may
 * have happened is looked at before it is done again. While people are waited for, evidence is collected.
 */
import { ACTIONS } from "./actions.ts";
import { atoms, holds } from "./condition.ts";
import type { Decision, Facts, Wait } from "./decision.ts";
import { referencesIn } from "./references.ts";
import { isSettled, knownIn, type Run } from "./run.ts";
import type { Runbook, Step } from "./runbook.ts";
import { decideWork } from "./work.ts";

/** Long enough for any one act; a worker that lives renews it by working. */
const LEASE_MS = 120_000;
/** A lease that ends within an act would be no lease. */
const RENEW_MS = 60_000;

export function next(run: Run, runbook: Runbook, facts: Facts, now: Date): Decision {
  if (run.ended) return { do: "nothing" };
  if (run.runbook.hash !== runbook.hash)
    return {
      do: "load",
      hash: run.runbook.hash,
      because: "the run keeps to the page as it was when it began",
    };
  const lease = leaseFor(run, facts, now);
  if (lease) return lease;
  const waits: Wait[] = [];
  for (const step of runbook.steps) {
    const { undo, passedOverBy } = run.steps[step.id] ?? {};
    if (!undo || passedOverBy !== undefined) continue;
    const decision = decideWork(run, step, { step: step.id, undo: true }, facts, now);
    if (decision?.do === "wait") waits.push(decision);
    else if (decision) return decision;
  }
  for (const step of runbook.steps) {
    if (isSettled(run, step) || (waits.length > 0 && !mayGoAhead(run, runbook, step))) continue;
    const decision = unmet(run, step) ?? decideWork(run, step, { step: step.id, undo: false }, facts, now);
    if (decision?.do === "wait") waits.push(decision);
    else if (decision) return decision;
  }
  return soonest(waits) ?? { do: "record", event: { what: "completed", because: "every step is settled" } };
}

function leaseFor({ lease }: Run, { worker }: Facts, now: Date): Decision | undefined {
  const leftMs = lease ? Date.parse(lease.until) - now.getTime() : 0;
  if (lease && lease.holder !== worker && leftMs > 0)
    return { do: "leave", because: `${lease.holder} is at work on it`, until: new Date(lease.until) };
  if (lease?.holder === worker && leftMs > RENEW_MS) return undefined;
  return {
    do: "record",
    event: { what: "leased", holder: worker, until: new Date(now.getTime() + LEASE_MS) },
  };
}

function unmet(run: Run, step: Step): Decision | undefined {
  const isUntouched = (run.steps[step.id]?.status ?? "pending") === "pending";
  if (!isUntouched || !step.when || holds(step.when, knownIn(run))) return undefined;
  const place = { step: step.id, undo: false };
  return { do: "record", event: { what: "skipped", place, because: "its condition does not hold" } };
}

/** Evidence need not wait for people, unless it wants to know what is not settled yet. A check would come too early. */
function mayGoAhead(run: Run, { steps }: Runbook, step: Step): boolean {
  if (!ACTIONS[step.run].isEvidence) return false;
  const asked = step.when
    ? atoms(step.when).map((atom) =>
        "done" in atom ? `${atom.done}.` : "given" in atom ? atom.given : atom.value,
      )
    : [];
  const names = [
    ...asked,
    ...Object.values(step.with).flatMap((value) => (value === undefined ? [] : referencesIn(value))),
  ];
  const needed = names.flatMap((name) => (name.includes(".") ? [name.split(".")[0]] : []));
  return steps.every((other) => !needed.includes(other.id) || isSettled(run, other));
}

/** The first says why; the loop comes back for whichever ends first. */
function soonest(waits: readonly Wait[]): Wait | undefined {
  const [first] = waits;
  const times = waits.flatMap(({ until }) => (until ? [until.getTime()] : []));
  return first && times.length > 0 ? { ...first, until: new Date(Math.min(...times)) } : first;
}
