/**
 * What a drill came to, against the last ones. A drill that was not contained is a result and not a gap: it is kept and told
 * like the others, and never counts as fast.
 */
import { header, type Message, messageOf, outsideCode, outsideText, section, sections } from "../message.ts";
import { type Interval, intervalsOf, type Since } from "./incidentTimes.ts";
import type { Run } from "./run.ts";
import type { Runbook } from "./runbook.ts";

export interface Drill {
  readonly run: string;
  /** As `2026-11`. */
  readonly name: string;
  readonly secret: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Absent while it is under way. */
  readonly result?: DrillResult;
}

export interface DrillResult {
  /** From notice. Absent if it was not contained. */
  readonly containSeconds?: number;
  readonly acknowledgeSeconds?: number;
  readonly recoverSeconds?: number;
  readonly as: "completed" | "cancelled" | "unfinished";
  /** Titles of steps that failed or were passed over. */
  readonly failed: readonly string[];
  /** Why it was not contained, if it was not. */
  readonly missing?: string;
}

/** With how many of the last ones it is compared. */
const COMPARED = 6;
/** Slower than the middle of the last ones by more than so much is told as slower: people differ from month to month. */
const SLOWER = 1.5;

export function drillResult(run: Run, runbook: Runbook, since: Since = {}): DrillResult {
  const intervals = new Map(intervalsOf(run, runbook, since).map((one) => [one.name, one]));
  const seconds = (name: Interval["name"]) => intervals.get(name)?.seconds;
  const [contain, acknowledge, recover] = [seconds("contain"), seconds("acknowledge"), seconds("recover")];
  const missing = intervals.get("contain")?.missing;
  const failed = runbook.steps.filter(({ id }) => {
    const { status, passedOverBy } = run.steps[id] ?? {};
    return status === "failed" || status === "unknown" || passedOverBy !== undefined;
  });
  return {
    ...(contain !== undefined && { containSeconds: contain }),
    ...(acknowledge !== undefined && { acknowledgeSeconds: acknowledge }),
    ...(recover !== undefined && { recoverSeconds: recover }),
    as: run.ended?.as ?? "unfinished",
    failed: failed.map(({ title }) => title),
    ...(missing !== undefined && { missing }),
  };
}

export interface Comparison {
  readonly verdict: "first" | "faster" | "as usual" | "slower" | "not contained";
  /** The middle of the last ones that were contained. */
  readonly usualSeconds?: number;
  readonly bestSeconds?: number;
  /** The newest first; those that are under way are not among them. */
  readonly last: readonly Drill[];
}

/** @param drills in any order, also this one and later ones, which are left out */
export function compareDrills(drill: Drill, drills: readonly Drill[]): Comparison {
  const last = drills
    .filter(({ run, startedAt, result }) => result && run !== drill.run && startedAt < drill.startedAt)
    .toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
    .slice(0, COMPARED);
  const times = last.flatMap(({ result }) => result?.containSeconds ?? []).toSorted((a, b) => a - b);
  const usual = middleOf(times);
  const seconds = drill.result?.containSeconds;
  const best = times[0];
  return {
    verdict: verdictOf(seconds, usual),
    ...(usual !== undefined && { usualSeconds: usual }),
    ...(best !== undefined && { bestSeconds: best }),
    last,
  };
}

function verdictOf(seconds: number | undefined, usual: number | undefined): Comparison["verdict"] {
  if (seconds === undefined) return "not contained";
  if (usual === undefined) return "first";
  if (seconds > usual * SLOWER) return "slower";
  return seconds < usual ? "faster" : "as usual";
}

function middleOf(sorted: readonly number[]): number | undefined {
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

const SYMBOLS: Readonly<Record<Comparison["verdict"], string>> = {
  first: ":white_check_mark:",
  faster: ":white_check_mark:",
  "as usual": ":white_check_mark:",
  slower: ":warning:",
  "not contained": ":x:",
};

/** @param link to the post-mortem, if there is one; ours */
export function drillMessage(
  drill: Drill,
  { verdict, usualSeconds, bestSeconds, last }: Comparison,
  link?: string,
): Message {
  const { result } = drill;
  const seconds = result?.containSeconds;
  const summary =
    seconds === undefined
      ? `Drill: not contained${result?.missing === undefined ? "" : `: ${result.missing}`}`
      : `Drill: contained after ${spanOf(seconds)}, ${verdict === "first" ? "the first that is on record" : `${verdict}${usualSeconds === undefined ? "" : `; the last ones took ${spanOf(usualSeconds)}`}`}`;
  const facts = [
    `${SYMBOLS[verdict]} *${outsideText(summary)}*`,
    `This was a drill with the canary ${outsideCode(drill.secret)}. Nothing else was touched.`,
    took("To acknowledge", result?.acknowledgeSeconds),
    took("To contain", seconds),
    took("To recover", result?.recoverSeconds),
    bestSeconds === undefined ? "" : `Fastest of the last ones: ${spanOf(bestSeconds)}`,
    result?.as === "completed" ? "" : `The run was ${result?.as ?? "unfinished"}.`,
    ...(result?.failed ?? []).map((title) => `Did not go through: ${outsideText(title)}`),
  ];
  const before = last.map(
    ({ startedAt, result: then }) =>
      `• ${startedAt.slice(0, 10)}  ${then?.containSeconds === undefined ? "not contained" : spanOf(then.containSeconds)}`,
  );
  return messageOf(summary, [
    header("Monthly drill"),
    ...sections(facts.filter((line) => line !== "")),
    ...(before.length === 0 ? [] : sections(["*The last ones*", ...before])),
    ...(link === undefined ? [] : [section(`<${link.replaceAll("&", "&amp;")}|Its post-mortem>`)]),
  ]);
}

const took = (what: string, seconds: number | undefined) =>
  `${what}: ${seconds === undefined ? "not known" : spanOf(seconds)}`;

function spanOf(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${rest} s`;
}

/** Somebody must see it even if nothing of it could begin. */
export const noCanaryMessage = (why: string): Message =>
  messageOf(`No drill: ${why}`, [
    header("Monthly drill"),
    section(`:x: *No drill was held:* ${outsideText(why)}`),
  ]);
