/** What a person may decide about a run besides consent: try again, go on, take back, end it. Each leaves their name. */
import { ACTIONS } from "./actions.ts";
import type { People } from "./approval.ts";
import type { Event } from "./record.ts";
import type { PersonId, Run } from "./run.ts";
import type { Runbook } from "./runbook.ts";

export type Choice =
  | { readonly choose: "tryAgain" | "goOn" | "takeBack"; readonly step: string; readonly by: PersonId }
  | { readonly choose: "cancel"; readonly because: string; readonly by: PersonId };

/** @returns what to record, or why not, in a sentence for whoever clicked */
export function judgeChoice(
  run: Run,
  runbook: Runbook,
  choice: Choice,
  people: People,
): { readonly event: Event } | { readonly refused: string } {
  const { by } = choice;
  if (run.ended) return { refused: "the run has ended" };
  if (![...people.approvers, ...people.responders].includes(by))
    return { refused: "only the people named in Rekey's settings may decide this" };
  if (choice.choose === "cancel")
    return isBusy(run)
      ? { refused: "something is under way; it is ended when that is known" }
      : { event: { what: "cancelled", by, because: choice.because } };
  const step = runbook.steps.find(({ id }) => id === choice.step);
  if (!step) return { refused: "the runbook has no such step" };
  const { status = "pending", undo } = run.steps[step.id] ?? {};
  if (choice.choose === "takeBack") {
    const way = ACTIONS[step.run].undo;
    if ("never" in way) return { refused: `it cannot be taken back: ${way.never}` };
    if (status !== "done") return { refused: `the step is ${status}` };
    if (undo && undo.status !== "failed") return { refused: "it is being taken back already" };
  } else if (choice.choose === "goOn") {
    // Passing over what nobody knows is a decision about a risk, and not a responder's.
    const stuck = [status, undo?.status].filter((one) => one === "failed" || one === "unknown");
    if (stuck.includes("unknown") && !people.approvers.includes(by))
      return { refused: "nobody knows how it ended; an approver must decide" };
    if (stuck.length === 0) return { refused: `the step is ${status}` };
  } else if (status !== "failed") return { refused: `the step is ${status}` };
  return { event: { what: choice.choose, step: step.id, by } };
}

const isBusy = (run: Run): boolean =>
  Object.values(run.steps).some(({ status, undo }) =>
    [status, undo?.status].some((one) => one === "acting" || one === "unknown"),
  );
