/**
 * The evidence pack of a stop: six questions that a person asks first, each with its answer or with why there is none. What
 * stands in a pack has been scrubbed; it is stored with the episode, and shown as it is.
 */
import { definitionDiff } from "./definitionDiff.ts";
import { culpritOf } from "./exitVerdict.ts";
import { scrub, scrubLines } from "./scrub.ts";
import type { TaskStop } from "./stopEvent.ts";
import type { DefinitionFacts, ServiceNow, ServiceUsage, TaskHealth } from "./taskFacts.ts";

export const QUESTIONS = ["logs", "exit", "health", "resources", "dependencies", "configuration"] as const;
export type Question = (typeof QUESTIONS)[number];

export interface Answer {
  readonly question: Question;
  readonly lines: readonly string[];
  /** Why there is no answer. */
  readonly missing?: string | undefined;
}

export type Pack = readonly Answer[];

export const LOG_LINES = 50;
/** Enough to see what happened; the record must stay small. */
const MOST_LOG_CHARACTERS = 12_000;

export const answered = (question: Question, lines: readonly string[]): Answer => ({ question, lines });
export const unanswered = (question: Question, missing: string): Answer => ({
  question,
  lines: [],
  missing: scrub(missing),
});

/** @param names of what holds secrets in this task */
export function logsAnswer(lines: readonly string[], names: readonly string[]): Answer {
  const clean = scrubLines(lines, names).slice(-LOG_LINES);
  let room = MOST_LOG_CHARACTERS;
  const kept: string[] = [];
  for (const line of clean.toReversed()) {
    room -= line.length + 1;
    if (room < 0) break;
    kept.unshift(line);
  }
  return kept.length > 0 ? answered("logs", kept) : unanswered("logs", "the container wrote nothing");
}

export function exitAnswer(stop: TaskStop): Answer {
  const culprit = culpritOf(stop.containers);
  const ends = stop.containers
    .toSorted((a, b) => Number(b === culprit) - Number(a === culprit))
    .map(({ name, exitCode, reason }) =>
      scrub(`${name}: exit code ${exitCode ?? "none"}${reason ? `, ${reason}` : ""}`),
    );
  const ran =
    stop.startedAtMs === undefined ? "it never ran" : `it ran ${lasting(stop.atMs - stop.startedAtMs)}`;
  const ending =
    stop.stoppingAtMs === undefined ? "" : `, and took ${lasting(stop.atMs - stop.stoppingAtMs)} to end`;
  return answered("exit", [
    `${stop.stopCode ?? "no stop code"}: ${scrub(stop.reason) || "no reason given"}`,
    ...ends,
    `${ran}${ending}`,
  ]);
}

export function healthAnswer(
  task: TaskHealth | undefined,
  service: ServiceNow | undefined,
  unhealthy: readonly string[],
): Answer {
  const checks = [...(task?.containers ?? [])].filter(([, health]) => health !== "UNKNOWN");
  const lines = [
    ...(task ? [] : ["ECS no longer knows the task"]),
    ...(task && checks.length === 0 ? ["no container has a health check that reported"] : []),
    ...checks.map(([name, health]) => `${name}: ${health.toLowerCase()}`),
    ...(service
      ? [
          `the service runs ${service.runningCount} of ${service.desiredCount} tasks, ${service.pendingCount} are starting`,
        ]
      : []),
    ...unhealthy,
  ];
  return answered("health", lines);
}

export function resourcesAnswer(
  usage: ServiceUsage,
  definition: DefinitionFacts,
  name: string | undefined,
): Answer {
  const container = definition.containers.find((one) => one.name === name);
  const limits = [
    definition.cpu === undefined ? undefined : `task CPU ${definition.cpu} units`,
    definition.memory === undefined ? undefined : `task memory ${definition.memory} MiB`,
    container?.cpu ? `${container.name} CPU ${container.cpu} units` : undefined,
    container?.memory === undefined ? undefined : `${container.name} memory ${container.memory} MiB`,
  ].filter((limit) => limit !== undefined);
  return answered("resources", [
    `limits: ${limits.join(", ") || "none set"}`,
    `memory: ${series(usage.memory)}`,
    `CPU: ${series(usage.cpu)}`,
  ]);
}

/** Of the service's reservation, over the last hour. */
function series(percents: readonly number[]): string {
  const last = percents.at(-1);
  if (last === undefined) return "not measured in the last hour";
  return `at most ${Math.round(Math.max(...percents))} % of it in the last hour, ${Math.round(last)} % at last`;
}

export function configurationAnswer(good: DefinitionFacts | undefined, now: DefinitionFacts): Answer {
  const revision = revisionOf(now.arn);
  if (good === undefined)
    return answered("configuration", [
      `revision ${revision}; there is no other that is known to have run well`,
    ]);
  const lines = definitionDiff(good, now);
  return answered("configuration", [
    `revision ${revision}, compared with ${revisionOf(good.arn)}, which ran well${lines.length === 0 ? ": no difference" : ":"}`,
    ...lines,
  ]);
}

const revisionOf = (arn: string) => arn.split("/").at(-1) ?? arn;

export function lasting(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
