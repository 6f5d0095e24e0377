/**
 * How long it took, and from what to what: each by the clock of whoever made it so, and named, since when we heard of a thing
 * is not when it came true. Where a provider gave no time, ours stands there and is called ours.
 */
import type { ActionName } from "./actions.ts";
import { containmentOf } from "./containment.ts";
import type { PersonId, Proof, Run } from "./run.ts";
import type { Runbook, Step } from "./runbook.ts";

export type Source =
  | "CloudTrail"
  | "Secrets Manager"
  | "ECS"
  | "IAM"
  | "Slack"
  | "S3"
  | "the target"
  | "Rekey";

/** Something that happened. */
export interface Moment {
  /** ISO 8601. */
  readonly at: string;
  readonly source: Source;
  /** The source has given no time: it is when Rekey heard of it. */
  readonly isReceived?: true;
  /** When we heard of it, where that is known besides. */
  readonly heardAt?: string;
  /** In our words, with names. */
  readonly says: string;
  /** What somebody or something else said of it. */
  readonly detail?: string;
  readonly by?: PersonId;
}

/** What is known besides the run. */
export interface Since {
  /** Absent: the run's beginning. */
  readonly noticed?: Moment;
  /** The first use by somebody who should not have. */
  readonly firstUse?: Moment;
  /** Of a person, by another clock than ours. */
  readonly acknowledged?: Moment;
}

export interface Interval {
  readonly name: "detect" | "acknowledge" | "contain" | "containFromFirstUse" | "recover";
  readonly start?: Moment;
  readonly end?: Moment;
  /** Absent if one of the two is missing, which is then said. */
  readonly seconds?: number;
  readonly missing?: string;
}

/** Whose clock a proof's `providerAt` is. */
export const PROVIDERS: Readonly<Record<ActionName, Source>> = {
  rotate: "the target",
  rotateEmergency: "the target",
  redeploy: "ECS",
  disableAwsKey: "IAM",
  enableAwsKey: "IAM",
  denyOlderSessions: "IAM",
  allowOlderSessions: "IAM",
  blastRadius: "CloudTrail",
  collectTaskEvidence: "ECS",
  taskDefinitionDiff: "ECS",
  verify: "Rekey",
  notify: "Slack",
  openPostMortem: "S3",
  human: "Slack",
};

export function provenMoment(action: ActionName, { at, providerAt, by, shows }: Proof, says: string): Moment {
  const source = PROVIDERS[action];
  const what = { says, detail: shows, ...(by !== undefined && { by }) };
  if (providerAt !== undefined) return { at: providerAt, source, heardAt: at, ...what };
  return { at, source, ...(source !== "Rekey" && { isReceived: true }), ...what };
}

export function intervalsOf(run: Run, runbook: Runbook, since: Since): readonly Interval[] {
  const noticed = since.noticed ?? { at: run.startedAt, source: "Rekey", says: "the run began" };
  const { firstUse } = since;
  const contained = containedMoment(run, runbook, noticed);
  const noFirst = "no use by somebody who should not have is on record";
  const notContained = "it is not contained: a step that contains is open, failed, or none was needed";
  return [
    between("detect", firstUse, noticed, noFirst, ""),
    between("acknowledge", noticed, acknowledgedMoment(run, runbook, since), "", "no person has answered"),
    between("contain", noticed, contained, "", notContained),
    between("containFromFirstUse", firstUse, contained, noFirst, notContained),
    between(
      "recover",
      contained,
      recoveredMoment(run, runbook),
      notContained,
      "it is not proven that all is well again",
    ),
  ];
}

function between(
  name: Interval["name"],
  start: Moment | undefined,
  end: Moment | undefined,
  noStart: string,
  noEnd: string,
): Interval {
  const ends = { ...(start && { start }), ...(end && { end }) };
  if (!start || !end) return { name, ...ends, missing: start ? noEnd : noStart };
  // Two clocks: what came right after may seem to have come before.
  const seconds = Math.max(0, (Date.parse(end.at) - Date.parse(start.at)) / 1000);
  return { name, ...ends, seconds };
}

function acknowledgedMoment(run: Run, runbook: Runbook, { acknowledged }: Since): Moment | undefined {
  const answers = runbook.steps.flatMap(({ id, title }): Moment[] => {
    const { request, proof } = run.steps[id] ?? {};
    const said = [
      ...(request?.given ?? []),
      ...(proof?.by === undefined ? [] : [{ by: proof.by, at: proof.at }]),
    ];
    return said.map(({ by, at }) => ({
      at,
      source: "Slack",
      isReceived: true,
      says: `answered "${title}"`,
      by,
    }));
  });
  return [...answers, ...(acknowledged ? [acknowledged] : [])].toSorted(byTime)[0];
}

function containedMoment(run: Run, runbook: Runbook, noticed: Moment): Moment | undefined {
  const contained = containmentOf(run, runbook, { noticedAt: new Date(noticed.at) });
  if (!contained) return undefined;
  const proofs = runbook.steps
    .filter(({ phase }) => phase === "Contain")
    .flatMap((step) => momentOf(run, step));
  return proofs.find(({ at }) => Date.parse(at) === contained.containedAt.getTime());
}

/** Of what a machine proves. That people were told is not what is waited for. */
function recoveredMoment(run: Run, runbook: Runbook): Moment | undefined {
  const steps = runbook.steps.filter(
    ({ id, phase, run: action }) =>
      phase === "Recover" && action !== "human" && action !== "notify" && run.steps[id]?.status !== "skipped",
  );
  const moments = steps.flatMap((step) => momentOf(run, step));
  return moments.length === steps.length ? moments.toSorted(byTime).at(-1) : undefined;
}

function momentOf(run: Run, { id, title, run: action }: Step): Moment[] {
  const { status, proof } = run.steps[id] ?? {};
  return status === "done" && proof ? [provenMoment(action, proof, `"${title}" came true`)] : [];
}

export const byTime = (a: Moment, b: Moment): number => Date.parse(a.at) - Date.parse(b.at);
