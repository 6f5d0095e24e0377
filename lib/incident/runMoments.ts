/** What happened in a run, and what people decided in it, out of its record. Nothing of it is escaped. */
import { byTime, type Moment, provenMoment } from "./incidentTimes.ts";
import type { Run, StepRecord, Work } from "./run.ts";
import type { Runbook, Step } from "./runbook.ts";

export interface Decided {
  readonly by: string;
  readonly at?: string;
  /** In our words. */
  readonly what: string;
  /** In theirs. */
  readonly detail?: string;
  /** What was so when it was decided. */
  readonly on?: string;
}

/** In the order of time, whoever's clock it is. */
export function runMoments(run: Run, runbook: Runbook): readonly Moment[] {
  const { requestedBy } = run;
  const asker = "person" in requestedBy ? { by: requestedBy.person } : {};
  const began: Moment = {
    at: run.startedAt,
    source: "Rekey",
    says: `The run "${runbook.title}" began`,
    ...asker,
  };
  const { ended } = run;
  const ends: Moment[] = ended
    ? [
        {
          at: ended.at,
          source: "Rekey",
          says: `The run ${wordOf(ended.as)}`,
          detail: ended.because,
          ...by(ended.by),
        },
      ]
    : [];
  const steps = runbook.steps.flatMap((step) => {
    const record = run.steps[step.id];
    if (!record) return [];
    const undo = record.undo ? workMoments(step, record.undo, `Taking back "${step.title}"`) : [];
    return [...workMoments(step, record, `"${step.title}"`), ...undo];
  });
  return [began, ...steps, ...ends].toSorted(byTime);
}

function workMoments(step: Step, work: Work, name: string): Moment[] {
  const { request, beganAt, proof, settledAt, status, because } = work;
  const ours = (at: string | undefined, says: string, detail?: string): Moment[] =>
    at ? [{ at, source: "Rekey", says, ...(detail !== undefined && { detail }) }] : [];
  const isOpen = proof === undefined && settledAt !== undefined;
  return [
    ...ours(request?.askedAt, `${name} was put to people`),
    ...(request?.given ?? []).map(
      ({ by: person, at }): Moment => ({
        at,
        source: "Slack",
        isReceived: true,
        says: `${name} was agreed to`,
        by: person,
      }),
    ),
    ...ours(beganAt, `${name} was begun`),
    ...(proof ? [provenMoment(step.run, proof, `${name} was proven`)] : []),
    ...(isOpen ? ours(settledAt, `${name} is ${status}`, because) : []),
  ];
}

/** In the runbook's order: who asked, agreed, did by hand, passed over, took back, ended. */
export function decisionsIn(run: Run, runbook: Runbook): readonly Decided[] {
  const asked: Decided = { by: requesterOf(run), at: run.startedAt, what: `asked for "${runbook.title}"` };
  const { ended } = run;
  return [
    asked,
    ...runbook.steps.flatMap((step) => {
      const record = run.steps[step.id];
      return record ? stepDecisions(step, record) : [];
    }),
    ...(ended?.by === undefined
      ? []
      : [{ by: ended.by, at: ended.at, what: "ended the run", detail: ended.because }]),
  ];
}

function stepDecisions({ title, run: action }: Step, record: StepRecord): Decided[] {
  const { undo, proof, passedOverBy } = record;
  const agreed = ({ request, before }: Work, what: string): Decided[] =>
    (request?.given ?? []).map(({ by: person, at }) => ({
      by: person,
      at,
      what,
      ...(before && { on: before.shows }),
    }));
  const byHand =
    action === "human" && proof?.by !== undefined
      ? [{ by: proof.by, at: proof.at, what: `did "${title}"`, detail: proof.shows }]
      : [];
  return [
    ...agreed(record, `agreed to "${title}"`),
    ...byHand,
    ...(undo ? [{ by: undo.requestedBy, what: `asked to take back "${title}"` }] : []),
    ...(undo ? agreed(undo, `agreed to take back "${title}"`) : []),
    ...(passedOverBy === undefined
      ? []
      : [
          {
            by: passedOverBy,
            what: `let the run go on although "${title}" ${record.status === "failed" ? "failed" : "is open"}`,
          },
        ]),
  ];
}

const STARTERS = { finding: "a finding", stop: "a container's stop", schedule: "the schedule" } as const;

export const requesterOf = ({ requestedBy }: Run): string =>
  "person" in requestedBy ? requestedBy.person : STARTERS[requestedBy.rekey];

const wordOf = (as: "completed" | "cancelled") => (as === "completed" ? "was completed" : "was cancelled");
const by = (person: string | undefined) => (person === undefined ? {} : { by: person });
