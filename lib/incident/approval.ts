/**
 * Who may say yes, to what, and for how long. An approval is for one act: this step of this run, with these inputs, on
 * what was so when people were asked. It is used once, and it does not keep. The button carries the digest and nothing
 * else; every click is answered with a reason, and a refused one is kept as well.
 */
import { createHash } from "node:crypto";
import { ACTIONS, barsRequester } from "./actions.ts";
import type { Event } from "./record.ts";
import { type Before, type Order, type PersonId, type Place, type Run, workAt } from "./run.ts";
import type { Step } from "./runbook.ts";

export interface People {
  /** At least one, so that whatever happens somebody can be asked. */
  readonly approvers: readonly [PersonId, ...PersonId[]];
  /** Who may say that they have done a person's step. Approvers may as well. */
  readonly responders: readonly PersonId[];
}

export interface Click {
  readonly by: PersonId;
  readonly digest: string;
  /** What they wrote down, for a person's step. */
  readonly note?: string;
}

export const REFUSALS = {
  ended: "the run has ended",
  superseded: "this question has been taken back; answer the newer one",
  answered: "somebody has answered it already",
  used: "it has been approved, and begun",
  expired: "it came too late; the question is asked anew",
  notAllowed: "only the people named in Rekey's settings may answer this",
  requester: "whoever asked for it may not approve it",
  twice: "you have said yes already; somebody else must as well",
  noNote: "write down what the step asks for",
} as const;
export type Refusal = keyof typeof REFUSALS;

/** Of everything that the approval is for. Two questions never have the same, not even two about the same act. */
export function digestOf(run: Run, order: Order, before: Before | undefined, ask: number): string {
  const inputs = Object.entries(order.inputs).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const whole = [run.id, run.runbook, order.place, order.action, inputs, before?.digest ?? "", ask];
  return createHash("sha256").update(JSON.stringify(whole)).digest("hex");
}

/** @returns who may still answer the question at this place */
export function whoMayAnswer(run: Run, step: Step, place: Place, people: People): PersonId[] {
  const given = workAt(run, place).request?.given ?? [];
  const all = step.run === "human" ? [...people.approvers, ...people.responders] : people.approvers;
  const barred = barredFrom(run, step, place);
  return [...new Set(all)].filter((id) => !barred.includes(id) && !given.some(({ by }) => by === id));
}

function barredFrom(run: Run, step: Step, place: Place): PersonId[] {
  const { undo } = ACTIONS[step.run];
  const action = place.undo && "by" in undo ? undo.by : step.run;
  if (!barsRequester(ACTIONS[action].risk)) return [];
  const undoer = place.undo ? run.steps[place.step]?.undo?.requestedBy : undefined;
  return [...("person" in run.requestedBy ? [run.requestedBy.person] : []), ...(undoer ? [undoer] : [])];
}

/** @returns what to record, or why the click counts for nothing */
export function judgeClick(
  run: Run,
  steps: readonly Step[],
  click: Click,
  people: People,
  now: Date,
): { readonly event: Event } | { readonly refused: Refusal } {
  if (run.ended) return { refused: "ended" };
  const asked = steps
    .flatMap((step) => [false, true].map((undo) => ({ step, place: { step: step.id, undo } })))
    .find(({ place }) => workAt(run, place).request?.digest === click.digest);
  if (!asked) return { refused: "superseded" };
  const { step, place } = asked;
  const { request, status } = workAt(run, place);
  if (!request || request.usedAt !== undefined) return { refused: "used" };
  if (status === "approved" || status === "done" || status === "undone") return { refused: "answered" };
  if (status !== "waiting") return { refused: "superseded" };
  if (request.expiresAt !== undefined && now.getTime() >= Date.parse(request.expiresAt))
    return { refused: "expired" };
  if (request.given.some(({ by }) => by === click.by)) return { refused: "twice" };
  if (barredFrom(run, step, place).includes(click.by)) return { refused: "requester" };
  if (!whoMayAnswer(run, step, place, people).includes(click.by)) return { refused: "notAllowed" };
  if (step.run !== "human") return { event: { what: "agreed", place, by: click.by, digest: click.digest } };
  const note = click.note?.trim() ?? "";
  if (step.with.record !== undefined && note.length < 3) return { refused: "noNote" };
  const proof = { check: step.prove, shows: note || "said to be done", at: now.toISOString(), by: click.by };
  return { event: { what: "proven", place, proof } };
}
