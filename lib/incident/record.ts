/**
 * What happened, written into the run: the only way a run changes. It refuses what must never be, whoever asks: an act
 * without its approval, an approval used twice, a tick without a proof.
 */
import { RekeyError } from "../errors.ts";
import type { Values } from "./inputs.ts";
import {
  type Before,
  PENDING,
  type PersonId,
  type Place,
  type Proof,
  type Request,
  type Run,
  type StepRecord,
  type Work,
  workAt,
} from "./run.ts";

export type Event =
  | { readonly what: "leased"; readonly holder: string; readonly until: Date }
  | { readonly what: "asked"; readonly place: Place; readonly request: Request; readonly before?: Before }
  | { readonly what: "agreed"; readonly place: Place; readonly by: PersonId; readonly digest: string }
  /** Nobody answered, or the world is another one now: it starts over. */
  | { readonly what: "lapsed"; readonly place: Place; readonly because: string; readonly isSilence: boolean }
  /** Written before the act. `approval` is the digest of the request that it uses up. */
  | { readonly what: "began"; readonly place: Place; readonly approval?: string; readonly before?: Before }
  | { readonly what: "answered"; readonly place: Place; readonly gave?: Values }
  | { readonly what: "lost"; readonly place: Place; readonly because: string }
  /** It was looked at, and nothing of it is there. */
  | { readonly what: "leftNoTrace"; readonly place: Place; readonly because: string }
  /** `gave`: what only the proof could tell, as after an act whose answer was lost. */
  | { readonly what: "proven"; readonly place: Place; readonly proof: Proof; readonly gave?: Values }
  | { readonly what: "skipped"; readonly place: Place; readonly because: string }
  | { readonly what: "failed"; readonly place: Place; readonly because: string }
  | { readonly what: "tryAgain" | "goOn" | "takeBack"; readonly step: string; readonly by: PersonId }
  | { readonly what: "cancelled"; readonly by: PersonId; readonly because: string }
  | { readonly what: "completed"; readonly because: string };

/** @throws RekeyError RECORD_INVALID for a change that the run does not allow */
export function record(run: Run, event: Event, now: Date): Run {
  if (run.ended) refuse(run, event, "it has ended");
  const at = now.toISOString();
  const changed = { ...run, revision: run.revision + 1 };
  switch (event.what) {
    case "leased":
      return { ...changed, lease: { holder: event.holder, until: event.until.toISOString() } };
    case "completed":
      return { ...changed, ended: { as: "completed", at, because: event.because } };
    case "cancelled":
      return { ...changed, ended: { as: "cancelled", at, because: event.because, by: event.by } };
    case "tryAgain":
    case "goOn":
    case "takeBack":
      return withStep(changed, event.step, chosen(run, event));
    default:
      return withWork(changed, event.place, changedWork(run, event, at));
  }
}

type WorkEvent = Extract<Event, { place: Place }>;

function changedWork(run: Run, event: WorkEvent, at: string): Work {
  const work = workAt(run, event.place);
  switch (event.what) {
    case "asked": {
      only(run, event, work, "pending");
      const { request, before } = event;
      return { ...work, status: "waiting", request, asks: work.asks + 1, ...(before && { before }) };
    }
    case "agreed": {
      only(run, event, work, "waiting");
      const { request } = work;
      if (!request || request.digest !== event.digest) return refuse(run, event, "another question is open");
      const given = [...request.given, { by: event.by, at }];
      if (new Set(given.map(({ by }) => by)).size < given.length) refuse(run, event, "the same person twice");
      const isEnough = given.length >= request.people;
      return { ...work, status: isEnough ? "approved" : "waiting", request: { ...request, given } };
    }
    case "lapsed": {
      only(run, event, work, "waiting", "approved");
      const { attempts, asks } = work;
      const silences = work.silences + (event.isSilence ? 1 : 0);
      return { ...PENDING, attempts, asks, silences, because: event.because };
    }
    case "began":
      return begun(run, event, work, at);
    case "answered":
      only(run, event, work, "acting");
      return { ...work, answeredAt: at, ...(event.gave && { gave: event.gave }) };
    case "lost":
      only(run, event, work, "acting");
      return { ...work, status: "unknown", because: event.because };
    case "leftNoTrace": {
      only(run, event, work, "unknown");
      const { silences, attempts, asks } = work;
      return { ...PENDING, silences, attempts, asks, because: event.because };
    }
    case "proven":
      only(run, event, work, "pending", "waiting", "acting", "unknown");
      return {
        ...work,
        status: event.place.undo ? "undone" : "done",
        proof: event.proof,
        settledAt: at,
        ...(event.gave && { gave: event.gave }),
      };
    case "skipped":
      only(run, event, work, "pending");
      return { ...work, status: "skipped", because: event.because, settledAt: at };
    case "failed":
      only(run, event, work, "pending", "waiting", "approved", "acting", "unknown");
      return { ...work, status: "failed", because: event.because, settledAt: at };
  }
}

/** The approval is used up in the same write that says that the act begins: no two acts can have it. */
function begun(run: Run, event: Extract<Event, { what: "began" }>, work: Work, at: string): Work {
  const begins = { ...work, status: "acting" as const, attempts: work.attempts + 1, beganAt: at };
  const before = event.before && { before: event.before };
  if (event.approval === undefined) {
    only(run, event, work, "pending");
    return { ...begins, ...before };
  }
  only(run, event, work, "approved");
  const { request } = work;
  if (!request || request.digest !== event.approval || request.usedAt !== undefined)
    return refuse(run, event, "its approval is for something else, or used");
  return { ...begins, ...before, request: { ...request, usedAt: at } };
}

function chosen(run: Run, event: Extract<Event, { step: string }>): StepRecord {
  const step: StepRecord = run.steps[event.step] ?? PENDING;
  const { undo } = step;
  switch (event.what) {
    case "goOn":
      if (undo?.status === "failed" || undo?.status === "unknown")
        return { ...step, undo: { ...undo, status: "failed" }, passedOverBy: event.by };
      only(run, event, step, "failed", "unknown");
      return { ...step, status: "failed", passedOverBy: event.by };
    case "tryAgain":
      only(run, event, step, "failed");
      return { ...PENDING, asks: step.asks, because: `${event.by} has it tried again` };
    case "takeBack": {
      only(run, event, step, "done");
      if (undo && undo.status !== "failed") refuse(run, event, "it is being undone");
      const { passedOverBy: _, ...done } = step;
      return { ...done, undo: { ...PENDING, asks: undo?.asks ?? 0, requestedBy: event.by } };
    }
  }
}

function withWork(run: Run, { step, undo }: Place, work: Work): Run {
  const old: StepRecord = run.steps[step] ?? PENDING;
  if (!undo) return withStep(run, step, { ...work, ...(old.undo && { undo: old.undo }) });
  if (!old.undo) throw invalid(run, `the step "${step}" is not being undone`);
  const status = work.status === "undone" ? "undone" : old.status;
  return withStep(run, step, { ...old, status, undo: { ...work, requestedBy: old.undo.requestedBy } });
}

const withStep = (run: Run, step: string, record: StepRecord): Run => ({
  ...run,
  steps: { ...run.steps, [step]: record },
});

function only(run: Run, event: Event, { status }: Work, ...allowed: readonly Work["status"][]): void {
  if (!allowed.includes(status)) refuse(run, event, `the step is ${status}`);
}

function refuse(run: Run, event: Event, why: string): never {
  throw invalid(run, `"${event.what}" cannot be recorded: ${why}`);
}

const invalid = (run: Run, why: string) => new RekeyError("RECORD_INVALID", `Run ${run.id}: ${why}`);
