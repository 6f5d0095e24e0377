/**
 * An incident as its one message, edited in place, and as the messages of its thread. Pure. What is asked of people comes
 * first, with buttons for that and nothing else; a state is a word and a sign, never a colour alone; whatever comes from
 * outside is made harmless.
 */
import type { Severity } from "../finding.ts";
import {
  actions,
  type Button,
  context,
  escapeText,
  header,
  type Message,
  messageOf,
  outsideCode,
  outsideText,
  sections,
} from "../message.ts";
import { ACTIONS } from "./actions.ts";
import { containmentOf } from "./containment.ts";
import type { Incident } from "./incident.ts";
import type { Findings } from "./incidentStore.ts";
import { wordsWith } from "./references.ts";
import { isSettled, knownIn, type Run, type Work } from "./run.ts";
import type { Runbook, Step } from "./runbook.ts";

export const PRIORITIES = { critical: "P1", high: "P2", medium: "P3", low: "P4" } as const satisfies Record<
  Severity,
  string
>;

const SIGNS: Readonly<Record<Work["status"], string>> = {
  pending: ":white_small_square: to do",
  waiting: ":raised_hand: waits for you",
  approved: ":hourglass_flowing_sand: approved",
  acting: ":hourglass_flowing_sand: under way",
  unknown: ":grey_question: being looked for",
  done: ":white_check_mark: done",
  failed: ":x: failed",
  skipped: ":heavy_minus_sign: not needed",
  undone: ":leftwards_arrow_with_hook: taken back",
};

const MOST_LINES = 12;
const MOST_PROSE = 1_500;

/** What a button stands for; the value is the run, and what in it. */
export const CLICKS = {
  approve: "incident.approve",
  refuse: "incident.refuse",
  done: "incident.done",
  tryAgain: "incident.tryAgain",
  goOn: "incident.goOn",
  cancel: "incident.cancel",
} as const;

export function headline(incident: Incident, runbook: Runbook): Message {
  const { run } = incident;
  const current = currentSteps(run, runbook);
  const subject = subjectOf(run);
  const state = stateOf(run, runbook, current);
  const title = `${PRIORITIES[runbook.severity]} ${runbook.title}`;
  const plain = `${title}${subject ? `: ${subject}` : ""}. ${state}`;
  return messageOf(escapeText(plain), [
    header(title),
    ...sections([
      [
        ...(subject ? [`*About* ${outsideCode(subject)}`] : []),
        `*Now* ${escapeText(state)}`,
        `*Contained* ${containedIn(incident, runbook)}`,
        ...(incident.reason ? [`*Why* ${outsideText(incident.reason)}`] : []),
      ].join("\n"),
    ]),
    ...current.flatMap((step) => questionOf(run, step)),
    ...sections([stepLines(run, runbook, current).join("\n")]),
    ...context([
      `run ${run.id}`,
      `begun ${clock(run.startedAt)} by ${requesterIn(run)}`,
      ...(run.ended ? [`ended ${clock(run.ended.at)}`] : []),
    ]),
    ...(run.ended ? [] : actions(buttonsFor(run, current))),
  ]);
}

/** Steps at which a person is waited for. */
function currentSteps(run: Run, { steps }: Runbook): Step[] {
  if (run.ended) return [];
  return steps.filter((step) => {
    const record = run.steps[step.id];
    if (record?.undo && ["waiting", "failed"].includes(record.undo.status) && !record.passedOverBy)
      return true;
    return record?.status === "waiting" || (record?.status === "failed" && !isSettled(run, step));
  });
}

function stateOf(run: Run, { steps }: Runbook, current: readonly Step[]): string {
  if (run.ended) return `${run.ended.as}: ${run.ended.because}`;
  const [asked] = current;
  if (asked) {
    const status = run.steps[asked.id]?.undo?.status ?? run.steps[asked.id]?.status;
    if (status === "failed") return `"${asked.title}" failed; say how it goes on`;
    if (asked.run === "human") return `waits until a person has done "${asked.title}"`;
    const request = requestOf(run, asked);
    const left = (request?.people ?? 1) - (request?.given.length ?? 0);
    return `waits for ${left === 1 ? "one approval" : `${left} approvals`} of "${asked.title}"`;
  }
  const busy = steps.find(({ id }) =>
    ["acting", "unknown", "approved"].includes(run.steps[id]?.status ?? ""),
  );
  return busy ? `Rekey is at "${busy.title}"` : "Rekey is at work";
}

const requestOf = (run: Run, { id }: Step) => {
  const record = run.steps[id];
  return record?.undo && record.undo.status !== "undone" ? record.undo.request : record?.request;
};

function containedIn({ run, noticedAt, firstUseAt }: Incident, runbook: Runbook): string {
  if (!runbook.steps.some(({ phase }) => phase === "Contain")) return "not a matter of this runbook";
  const since = {
    noticedAt: new Date(noticedAt),
    ...(firstUseAt === undefined ? {} : { firstUseAt: new Date(firstUseAt) }),
  };
  const contained = containmentOf(run, runbook, since);
  if (!contained) return ":warning: not yet";
  const { containedAt, fromNoticeSeconds, fromFirstUseSeconds } = contained;
  const first =
    fromFirstUseSeconds === undefined ? "" : `, ${Math.round(fromFirstUseSeconds)} s after the first bad use`;
  return `:white_check_mark: since ${clock(containedAt.toISOString())}, ${Math.round(fromNoticeSeconds)} s after notice${first}`;
}

/** What the step is, in the runbook's own words, and what was so when people were asked. */
function questionOf(run: Run, step: Step) {
  const record = run.steps[step.id];
  const isUndo = record?.undo !== undefined && record.undo.status !== "undone";
  const work = isUndo ? record.undo : record;
  const { undo } = ACTIONS[step.run];
  const action = isUndo && "by" in undo ? undo.by : step.run;
  const says =
    work?.status === "failed"
      ? `:x: ${outsideText(work.because ?? "it failed")}`
      : step.run === "human"
        ? ""
        : `Rekey will ${escapeText(ACTIONS[action].does)}.`;
  // The page is ours; what is put into it is not.
  const prose = wordsWith(escapeText(step.prose), {
    value: (name) => {
      const value = knownIn(run).value(name);
      return typeof value === "string"
        ? outsideText(value)
        : Array.isArray(value)
          ? value.map((one) => outsideText(one))
          : value;
    },
    isDone: knownIn(run).isDone,
  });
  return sections([
    [
      `*${escapeText(step.title)}${isUndo ? " (taking it back)" : ""}*`,
      ...(says ? [says] : []),
      ...(work?.before?.shows ? [`Now: ${outsideText(work.before.shows)}`] : []),
      mrkdwn(prose).slice(0, MOST_PROSE),
    ].join("\n"),
  ]);
}

/** The little Markdown that a page has, in Slack's own. */
const mrkdwn = (markdown: string): string => markdown.replaceAll("**", "*");

function stepLines(run: Run, { steps }: Runbook, current: readonly Step[]): string[] {
  const lines = steps.map((step) => {
    const { status = "pending", proof, undo } = run.steps[step.id] ?? {};
    const proven = proof ? ` (${outsideText(proof.shows, 120)})` : "";
    const back = undo && undo.status !== "undone" ? `, taking it back: ${SIGNS[undo.status]}` : "";
    return `${SIGNS[status]}: ${escapeText(step.title)}${proven}${back}`;
  });
  if (lines.length <= MOST_LINES) return lines;
  const at = Math.max(0, (current[0] ? steps.indexOf(current[0]) : 0) - 3);
  const from = Math.min(at, lines.length - MOST_LINES);
  const [before, after] = [from, lines.length - from - MOST_LINES];
  return [
    ...(before > 0 ? [`_${before} steps before_`] : []),
    ...lines.slice(from, from + MOST_LINES),
    ...(after > 0 ? [`_${after} more steps_`] : []),
  ];
}

function buttonsFor(run: Run, current: readonly Step[]): Button[] {
  const [step] = current;
  const cancel: Button = {
    text: "End this run",
    actionId: CLICKS.cancel,
    value: `${run.id}/`,
    confirm: {
      title: "End this run?",
      text: "What is done stays done; nothing more is.",
      yes: "End it",
      no: "Back",
    },
  };
  if (!step) return [cancel];
  const record = run.steps[step.id];
  const status = record?.undo && record.undo.status !== "undone" ? record.undo.status : record?.status;
  const place = `${run.id}/${step.id}`;
  if (status === "failed")
    return [
      ...(record?.undo ? [] : [{ text: "Try again", actionId: CLICKS.tryAgain, value: place }]),
      { text: "Go on without it", actionId: CLICKS.goOn, value: place },
      cancel,
    ];
  const request = requestOf(run, step);
  const value = `${run.id}/${request?.digest ?? ""}`;
  if (step.run === "human") return [{ text: "Done", actionId: CLICKS.done, value, style: "primary" }, cancel];
  const isGrave =
    ["disruptive", "destructive"].includes(ACTIONS[step.run].risk) || record?.undo !== undefined;
  return [
    {
      text: "Approve",
      actionId: CLICKS.approve,
      value,
      style: isGrave ? "danger" : "primary",
      confirm: {
        title: step.title.slice(0, 100),
        text: `Rekey will ${ACTIONS[step.run].does}.`,
        yes: "Approve",
        no: "Back",
      },
    },
    { text: "Refuse", actionId: CLICKS.refuse, value },
    cancel,
  ];
}

/** One message of the thread for each step that is proven, with what it found. Said once, and as it was. */
export function detailMessages(
  { run }: Incident,
  { steps }: Runbook,
  found: ReadonlyMap<string, Findings | undefined>,
): { readonly key: string; readonly message: Message }[] {
  return steps.flatMap((step) => {
    const { proof, status } = run.steps[step.id] ?? {};
    if (!proof || status === "undone") return [];
    const by = proof.by === undefined ? "" : ` by <@${proof.by}>`;
    const said = `${step.title}: ${proof.shows}`;
    const when = proof.providerAt ?? proof.at;
    const lines = (found.get(step.id)?.lines ?? []).map((line) => `• ${outsideText(line)}`);
    return [
      {
        key: `step ${step.id}`,
        message: messageOf(
          outsideText(said),
          sections([
            `*${escapeText(step.title)}*${by}, ${clock(when)}\n${outsideText(proof.shows, 1_000)}`,
            ...lines,
          ]),
        ),
      },
    ];
  });
}

const subjectOf = ({ inputs }: Run): string =>
  String(inputs.secret ?? inputs.service ?? inputs.accessKey ?? inputs.principal ?? inputs.role ?? "");

const requesterIn = ({ requestedBy }: Run) =>
  "person" in requestedBy ? `<@${requestedBy.person}>` : `Rekey (${requestedBy.rekey})`;

const clock = (iso: string) => `${iso.slice(0, 19).replace("T", " ")} UTC`;
