/**
 * The post-mortem of a run as a page: what records know is filled in, what only people can judge is left open where it can be
 * seen. Ids, names, times and proofs; sentences from outside are scrubbed and stand for themselves.
 */

import { byTime, type Interval, intervalsOf, type Moment, type Since } from "./incidentTimes.ts";
import type { InputName, Value } from "./inputs.ts";
import { code, list, plain, sentence, table } from "./markdownText.ts";
import { type Part, writePage } from "./markedPage.ts";
import type { PersonId, Run } from "./run.ts";
import type { Runbook } from "./runbook.ts";
import { decisionsIn, requesterOf, runMoments } from "./runMoments.ts";
import { scrub } from "./scrub.ts";

/** Who read what: a page of Markdown that is escaped already, the lines that a step has kept, or why there is neither. */
export type Reach =
  | { readonly page: string }
  | { readonly lines: readonly string[] }
  | { readonly missing: string };

export interface PostMortemFacts {
  readonly run: Run;
  /** Of the hash that the run pins. */
  readonly runbook: Runbook;
  readonly since: Since;
  /** What happened outside of the run, and by whose clock. */
  readonly moments: readonly Moment[];
  readonly blastRadius: Reach;
  readonly refusedClicks: readonly { readonly at: string; readonly by: PersonId; readonly what: string }[];
}

export function writePostMortem(facts: PostMortemFacts): string {
  const { run, runbook } = facts;
  const about = run.inputs.secret ?? run.inputs.service ?? run.inputs.principal;
  const parts: Part[] = [
    {
      text: `# Post-mortem: ${plain(runbook.title)}${about === undefined ? "" : `, ${code(String(about))}`}`,
    },
    { section: "facts", text: factsOf(facts) },
    { text: open("Summary", "in three sentences: what happened, who felt it, how it ended") },
    { text: open("Impact", "in numbers: requests that failed, customers, money, minutes") },
    { section: "metrics", text: `## How long it took\n\n${metricsOf(facts)}` },
    { section: "timeline", text: `## What happened, and when\n\n${timelineOf(facts)}` },
    { text: open("What no record has", "when somebody first wondered, what was tried in vain", "###") },
    { section: "steps", text: `## Steps and their proofs\n\n${stepsOf(facts)}` },
    { section: "reach", text: `## Blast radius\n\n${reachOf(facts)}` },
    { section: "decisions", text: `## Decisions, and who took them\n\n${decisionsOf(facts)}` },
    { text: open("What went well", "what helped, and should stay so") },
    { text: open("What did not go well", "where we waited, wondered, or did a thing twice") },
    { text: open("Where we were lucky", "what could as easily have gone the other way") },
    {
      text: open("Contributing causes", 'what made the mistake easy, what hid it; "human error" is no cause'),
    },
    {
      text: `## Action items\n\n${table(
        ["What will be changed", "Prevents it, or tells sooner?", "Owner", "By (date)"],
        [["**OPEN**", "", "**nobody yet**", "**no date yet**"]],
        "",
      )}`,
    },
  ];
  return writePage(parts);
}

const open = (title: string, asks: string, level = "##") =>
  `${level} ${title}\n\n> **OPEN**: to be written by a person. Owner: **nobody yet**. Asked for: ${asks}.`;

function factsOf({ run, runbook }: PostMortemFacts): string {
  const { ended } = run;
  const inputs = Object.entries(run.inputs) as [InputName, Value][];
  return [
    "*What stands between the marks in this page's source is Rekey's, and is written anew. Everything else is yours, and so is a part that you change.*",
    list(
      [
        `Run ${code(run.id)}, runbook ${code(runbook.id)} as of ${code(run.runbook.hash.slice(0, 12))}, severity **${runbook.severity}**`,
        `Asked for by ${person(requesterOf(run))} at ${run.startedAt}`,
        ended ? `**${ended.as}** at ${ended.at}: ${sentence(ended.because)}` : "**Not ended yet**",
        ...inputs.map(([name, value]) => `${name}: ${shown(name, value)}`),
      ],
      "",
    ),
  ].join("\n\n");
}

/** Of a key the last four are enough to find it by. */
function shown(name: InputName, value: Value): string {
  if (name === "accessKey") return code(`…${String(value).slice(-4)}`);
  if (name === "reason" || name === "text" || name === "record") return sentence(String(value));
  return (
    [value]
      .flat()
      .map((one) => code(String(one)))
      .join(", ") || "none"
  );
}

const NAMES: Readonly<Record<Interval["name"], string>> = {
  detect: "To detect",
  acknowledge: "To acknowledge",
  contain: "To contain, from notice",
  containFromFirstUse: "To contain, from first bad use",
  recover: "To recover, from containment",
};

function metricsOf({ run, runbook, since }: PostMortemFacts): string {
  const rows = intervalsOf(run, runbook, since).map(({ name, seconds, start, end, missing }) => [
    NAMES[name],
    seconds === undefined ? `not known: ${plain(missing ?? "")}` : `**${durationOf(seconds)}**`,
    start ? pointOf(start) : "",
    end ? pointOf(end) : "",
  ]);
  return table(["", "Took", "From", "To"], rows, "");
}

const pointOf = (moment: Moment) => `${moment.at} (${sourceOf(moment)}: ${plain(moment.says)})`;
const sourceOf = ({ source, isReceived }: Moment) => (isReceived ? `${source}, as Rekey heard it` : source);

export function durationOf(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${Number(seconds.toFixed(1))} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${rest} s`;
}

function timelineOf({ run, runbook, moments }: PostMortemFacts): string {
  const all = [...runMoments(run, runbook), ...moments].toSorted(byTime);
  const rows = all.map((moment) => [
    moment.at,
    sourceOf(moment),
    said(moment.says, moment.detail),
    moment.by === undefined ? "" : person(moment.by),
    moment.heardAt ?? "",
  ]);
  return table(["Time (UTC)", "By the clock of", "What", "Who", "Heard at"], rows, "Nothing is on record.");
}

function stepsOf({ run, runbook }: PostMortemFacts): string {
  const rows = runbook.steps.map(({ id, phase, title }) => {
    const { status = "pending", proof, because, undo } = run.steps[id] ?? {};
    const undone = undo ? `; taking it back: ${undo.status}` : "";
    return [
      phase,
      plain(title),
      `**${status}**${undone}`,
      proof
        ? `${code(scrub(proof.check))}: ${sentence(proof.shows)}`
        : `no proof${because === undefined ? "" : `: ${sentence(because)}`}`,
      proof ? (proof.providerAt ?? proof.at) : "",
    ];
  });
  return table(["Phase", "Step", "Status", "Proof", "Came true"], rows, "");
}

/** A page of its own becomes a part of this one. */
function reachOf({ blastRadius }: PostMortemFacts): string {
  if ("missing" in blastRadius) return `*Not available: ${sentence(blastRadius.missing)}*`;
  if ("lines" in blastRadius) return list(blastRadius.lines.map(sentence), "*Nothing was found.*");
  return blastRadius.page.trim().replace(/^#{1,4} /gm, "##$&");
}

function decisionsOf({ run, runbook, refusedClicks }: PostMortemFacts): string {
  const taken = decisionsIn(run, runbook).map(({ by, at, what, detail, on }) => [
    person(by),
    at ?? "",
    said(what, detail),
    on === undefined ? "" : sentence(on),
  ]);
  const refused = refusedClicks.map(({ by, at, what }) => [person(by), at, sentence(what)]);
  const decisions = table(["Who", "When", "Decided", "What was then so"], taken, "");
  if (refused.length === 0) return decisions;
  return `${decisions}\n\n### Clicks that counted for nothing\n\n${table(["Who", "When", "Why"], refused, "")}`;
}

const said = (words: string, theirs: string | undefined) =>
  theirs === undefined ? plain(words) : `${plain(words)}: ${sentence(theirs)}`;
const person = (id: string) => code(scrub(id));

/** For those who read it without having to know: people are numbered in the order in which they come up. */
export function withoutNames(
  page: string,
  { run, runbook, moments, refusedClicks }: PostMortemFacts,
): string {
  const isPerson = "person" in run.requestedBy;
  const people = [
    ...decisionsIn(run, runbook)
      .map(({ by }) => by)
      .slice(isPerson ? 0 : 1),
    ...[...moments, ...refusedClicks].flatMap(({ by }) => by ?? []),
  ];
  const numbers = new Map([...new Set(people)].map((person, at) => [person, `person ${at + 1}`]));
  return page.replace(/[\w.-]+/g, (word) => numbers.get(word) ?? word);
}
