/** What to do next about one step, or about the undoing of one. See `next` for the order and its reasons. */
import { ACTIONS, type ActionName, PEOPLE } from "./actions.ts";
import { digestOf, whoMayAnswer } from "./approval.ts";
import type { Decision, Facts, Verdict, Wait } from "./decision.ts";
import type { Values } from "./inputs.ts";
import { resolve } from "./references.ts";
import { type Before, knownIn, type Order, type Place, type Run, type Work, workAt } from "./run.ts";
import type { Step } from "./runbook.ts";

const MOST_ATTEMPTS = 2;
const MOST_SILENCES = 3;
/** How long nothing of an act may be seen although it took place: IAM and CloudTrail are eventually consistent. */
const UNSEEN_MS = 60_000;
const POLL_MS = 5_000;

/** @returns undefined if there is nothing to be done at this place */
export function decideWork(
  run: Run,
  step: Step,
  place: Place,
  facts: Facts,
  now: Date,
): Decision | undefined {
  const work = workAt(run, place);
  if (work.status === "done" || work.status === "skipped" || work.status === "undone") return undefined;
  const task = taskAt(step, place);
  if (!task) return fail(place, `${step.run} cannot be taken back`);
  if (work.status === "failed") return forPerson(step, facts, work.because ?? "it failed", place.undo);
  if (work.status === "waiting" && step.run === "human")
    return waitForHand(run, step, place, work, facts, now);
  const resolved = resolve(step.with, knownIn(run));
  if ("missing" in resolved) return fail(place, resolved.missing);
  const at: At = {
    ...{ run, step, place, work, task, facts, now },
    order: orderFor(place, task.action, resolved.values),
  };
  switch (work.status) {
    case "pending":
      return pending(at);
    case "waiting":
      return waiting(at);
    case "approved":
      return approved(at);
    case "acting":
      return acting(at);
    case "unknown":
      return unknown(at);
  }
}

interface Task {
  readonly action: ActionName;
  readonly people: number;
  readonly approvalMs: number;
  readonly ifSilent: "escalate" | "fail";
  readonly prove: string;
  readonly withinMs: number;
}

interface At {
  readonly run: Run;
  readonly step: Step;
  readonly place: Place;
  readonly work: Work;
  readonly task: Task;
  readonly order: Order;
  readonly facts: Facts;
  readonly now: Date;
}

/** An undoing has no block of its own: its action says who must agree, and what proves it. */
function taskAt(step: Step, place: Place): Task | undefined {
  const { undo } = ACTIONS[step.run];
  const approvalMs = (step.approve?.withinMinutes ?? 10) * 60_000;
  const ifSilent = step.approve?.ifSilent ?? "escalate";
  if (place.undo) {
    if ("never" in undo) return undefined;
    const action = ACTIONS[undo.by];
    const [prove = ""] = Object.keys(action.proofs);
    const within = action.withinMinutes * 60_000;
    return { action: undo.by, people: PEOPLE[action.risk], approvalMs, ifSilent, prove, withinMs: within };
  }
  const people = Math.max(step.approve?.people ?? 0, PEOPLE[ACTIONS[step.run].risk]);
  return {
    action: step.run,
    people,
    approvalMs,
    ifSilent,
    prove: step.prove,
    withinMs: step.withinMinutes * 60_000,
  };
}

const orderFor = (place: Place, action: ActionName, inputs: Values): Order => ({ place, action, inputs });

function pending(at: At): Decision {
  const { run, step, place, work, task, order, facts, now } = at;
  if (task.action === "human") return ask(at, undefined);
  if (task.people === 0) return act(at, undefined);
  const before = beforeAt(at);
  if (!before) return { do: "look", at: "before", order };
  if (before.isAlready) {
    const verdict = proofAt(at);
    if (!verdict) return { do: "look", at: "proof", order, check: task.prove };
    if (verdict.verdict === "passed") return proven(place, verdict);
  }
  if (work.silences >= (task.ifSilent === "fail" ? 1 : MOST_SILENCES)) return fail(place, "nobody answered");
  const able = whoMayAnswer(run, step, place, facts.people);
  if (able.length < task.people)
    return fail(
      place,
      `it needs ${task.people} of the approvers besides the requester, and there are ${able.length}`,
    );
  return ask(at, before, new Date(now.getTime() + task.approvalMs));
}

function ask(
  { run, place, work, task, order, now }: At,
  before: Before | undefined,
  expiresAt?: Date,
): Decision {
  const request = {
    digest: digestOf(run, order, before, work.asks + 1),
    people: Math.max(task.people, 1),
    askedAt: now.toISOString(),
    ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
    given: [],
  };
  const seen = before && { before: { digest: before.digest, shows: before.shows } };
  return { do: "record", event: { what: "asked", place, request, ...seen } };
}

function waiting({ run, step, place, work, facts, now }: At): Decision {
  const until = new Date(work.request?.expiresAt ?? now);
  if (now >= until) return lapse(place, "nobody answered in time", true);
  const people = whoMayAnswer(run, step, place, facts.people);
  return {
    do: "wait",
    because: `"${step.title}" needs consent`,
    until,
    people,
    isOverdue: work.silences > 0,
  };
}

function approved(at: At): Decision {
  const { place, work, order, now } = at;
  const { request } = work;
  if (!request || now >= new Date(request.expiresAt ?? now))
    return lapse(place, "it was approved, and not begun in time", false);
  const before = beforeAt(at);
  if (!before) return { do: "look", at: "before", order };
  if (before.digest !== work.before?.digest)
    return lapse(place, "what it was approved for has changed since", false);
  return act(at, request.digest);
}

function act({ run, place, work, order }: At, approval: string | undefined): Decision {
  // The same act has the same token, so that a provider that knows tokens does it once.
  const token = digestOf(run, order, work.before, work.attempts + 1).slice(0, 32);
  return {
    do: "act",
    order,
    token,
    event: { what: "began", place, ...(approval !== undefined && { approval }) },
  };
}

function acting(at: At): Decision {
  const { place, work, task, order, now } = at;
  if (work.answeredAt === undefined)
    return {
      do: "record",
      event: { what: "lost", place, because: "whoever began it never said how it went" },
    };
  const verdict = proofAt(at);
  if (!verdict) return { do: "look", at: "proof", order, check: task.prove };
  if (verdict.verdict === "passed") return proven(place, verdict);
  if (verdict.verdict === "impossible") return fail(place, verdict.because);
  const deadline = new Date(Date.parse(work.answeredAt) + task.withinMs);
  return now >= deadline
    ? fail(place, `done, and not proven: ${verdict.because}`)
    : poll(verdict.because, now, deadline);
}

function unknown(at: At): Decision {
  const { step, place, work, task, order, facts, now } = at;
  const verdict = proofAt(at);
  if (!verdict) return { do: "look", at: "proof", order, check: task.prove };
  if (verdict.verdict === "passed") return proven(place, verdict);
  if (verdict.verdict === "impossible") return fail(place, verdict.because);
  const beganMs = Date.parse(work.beganAt ?? now.toISOString());
  const deadline = new Date(beganMs + task.withinMs);
  if (verdict.verdict === "absent" && now.getTime() - beganMs >= UNSEEN_MS)
    return work.attempts < MOST_ATTEMPTS
      ? { do: "record", event: { what: "leftNoTrace", place, because: "the first try left no trace" } }
      : fail(place, `begun ${work.attempts} times, and nothing of it is there: ${verdict.because}`);
  if (now < deadline) return poll(verdict.because, now, deadline);
  if (verdict.verdict === "notYet") return fail(place, `begun, and not proven: ${verdict.because}`);
  // Neither done nor not done: only a person can say that the run goes on.
  return {
    ...forPerson(step, facts, verdict.because, place.undo),
    until: new Date(now.getTime() + UNSEEN_MS),
  };
}

function waitForHand(run: Run, step: Step, place: Place, work: Work, facts: Facts, now: Date): Decision {
  const dueMs = Date.parse(work.request?.askedAt ?? now.toISOString()) + step.withinMinutes * 60_000;
  const people = whoMayAnswer(run, step, place, facts.people);
  const isOverdue = now.getTime() >= dueMs;
  const because = `"${step.title}" is for a person`;
  return { do: "wait", because, people, isOverdue, ...(!isOverdue && { until: new Date(dueMs) }) };
}

/** Somebody says whether it is tried again, passed over, or the run ended. */
function forPerson(step: Step, { people }: Facts, why: string, isUndo: boolean): Wait {
  const all = [...new Set([...people.approvers, ...people.responders])];
  const because = `"${step.title}"${isUndo ? " could not be undone" : ""}: ${why}`;
  return { do: "wait", because, people: all, isOverdue: true };
}

type Passed = Extract<Verdict, { readonly verdict: "passed" }>;

/** What was looked at counts for the place that it was looked at for. */
const isAt = (a: Place, b: Place) => a.step === b.step && a.undo === b.undo;
const beforeAt = ({ facts, place }: At) => facts.befores?.find((one) => isAt(one.place, place));
/** And a proof of something else proves nothing. */
const proofAt = ({ facts, place, task }: At) =>
  facts.proofs?.find(
    (one) => isAt(one.place, place) && (one.verdict !== "passed" || one.proof.check === task.prove),
  );

const fail = (place: Place, because: string): Decision => ({
  do: "record",
  event: { what: "failed", place, because },
});
const proven = (place: Place, { proof, gave }: Passed): Decision => ({
  do: "record",
  event: { what: "proven", place, proof, ...(gave && { gave }) },
});
const lapse = (place: Place, because: string, isSilence: boolean): Decision => ({
  do: "record",
  event: { what: "lapsed", place, because, isSilence },
});
const poll = (because: string, now: Date, deadline: Date): Wait => ({
  do: "wait",
  because,
  until: new Date(Math.min(now.getTime() + POLL_MS, deadline.getTime())),
  people: [],
  isOverdue: false,
});
