/**
 * Which reads and deletions belong to a tool that keeps infrastructure in step with its code. Such a tool asks for a secret's
 * policy beside its value every time, and reads back what it has just written; whoever is after values does neither. Its user
 * agent is not asked, because anybody can write one.
 *
 * One question for the policy excuses one read, so that somebody who reads the same secrets with the same key moments later
 * is still seen. The tool's reads name their version, as far as they are of a value that it manages; somebody's seldom do.
 */

import { textOf } from "../fields.ts";
import { byTime } from "./mark.ts";
import type { SecretEvent } from "./secretEvent.ts";

/** What is kept of an event for as long as its counterpart may come. */
export interface Trace {
  readonly eventId: string;
  readonly atMs: number;
  /** The principal, and the secret or the trail. */
  readonly of: string;
  readonly kind: "question" | "making" | "write" | "read" | "pinned" | "removal";
}

/** The tool's calls for one secret follow one another within seconds. */
export const BESIDE_MS = 60_000;
/** Between a plan and its removals stands a person who says yes. */
export const PLANNED_MS = 900_000;
/** A read that names no version is the tool's only if it follows at once. */
const AT_ONCE_MS = 15_000;

/** Nobody but a tool asks them again and again. */
export const QUESTIONS: readonly string[] = ["GetResourcePolicy", "GetInsightSelectors"];

const KINDS: Readonly<Record<string, Trace["kind"]>> = {
  GetResourcePolicy: "question",
  GetInsightSelectors: "question",
  PutSecretValue: "write",
  CreateSecret: "making",
  CreateTrail: "making",
  UpdateSecret: "write",
  GetSecretValue: "read",
  DeleteSecret: "removal",
  CancelRotateSecret: "removal",
  RotateSecret: "removal",
  UpdateSecretVersionStage: "removal",
  DeleteResourcePolicy: "removal",
  DeleteTrail: "removal",
  StopLogging: "removal",
};

export function tracesOf(event: SecretEvent): Trace[] {
  const { eventId, atMs, action, outcome, principal, request } = event;
  const kind = KINDS[action];
  // A question may find that there is nothing to be told.
  const counts = outcome === "allowed" || (outcome === "failed" && kind === "question");
  if (kind === undefined || !counts || principal === undefined) return [];
  const isPinned = kind === "read" && textOf(request["versionId"]) !== undefined;
  return subjectsOf(event).map((subject) => ({
    eventId,
    atMs,
    of: `${principal.key} ${subject}`,
    kind: isPinned ? "pinned" : kind,
  }));
}

function subjectsOf({ service, secrets, request }: SecretEvent): readonly string[] {
  if (service === "secretsmanager") return secrets.map(({ key }) => key);
  const trail = textOf(request["name"]) ?? textOf(request["trailName"]);
  return service === "cloudtrail" && trail !== undefined ? [`trail ${trail.split("/").at(-1)}`] : [];
}

/** @returns the ids of events that are part of a refresh */
export function refreshes(traces: readonly Trace[]): ReadonlySet<string> {
  return new Set(
    [...Map.groupBy(traces, ({ of }) => of).values()].flatMap((own) => refreshesOfOne(own.toSorted(byTime))),
  );
}

function refreshesOfOne(traces: readonly Trace[]): readonly string[] {
  const ofKind = (...kinds: Trace["kind"][]) => traces.filter(({ kind }) => kinds.includes(kind));
  const [pinned, reads, questions] = [ofKind("pinned"), ofKind("read"), ofKind("question")];
  const readBack = ofKind("write", "making").flatMap((write) => pinned.filter(isAfter(write, BESIDE_MS)));
  const paired = new Set<Trace>();
  for (const question of questions) {
    const free = (trace: Trace) => !paired.has(trace);
    const beside = pinned.filter((one) => free(one) && distance(one, question) <= BESIDE_MS);
    const read =
      nearest(beside, question) ??
      nearest(reads.filter(isAfter(question, AT_ONCE_MS)).filter(free), question);
    if (read) paired.add(read);
  }
  // What the tool asks right after it has made something says nothing about a removal.
  const ofMaking = new Set(
    ofKind("making").map((making) => nearest(questions.filter(isAfter(making, BESIDE_MS)), making)),
  );
  const planned = ofKind("removal").filter((removal) =>
    questions.some((question) => !ofMaking.has(question) && isAfter(question, PLANNED_MS)(removal)),
  );
  return [...readBack, ...paired, ...planned].map(({ eventId }) => eventId);
}

const distance = (one: Trace, other: Trace) => Math.abs(one.atMs - other.atMs);

const isAfter = (first: Trace, withinMs: number) => (next: Trace) =>
  next.atMs >= first.atMs && next.atMs - first.atMs <= withinMs;

const nearest = (traces: readonly Trace[], to: Trace): Trace | undefined =>
  traces.toSorted((a, b) => distance(a, to) - distance(b, to) || byTime(a, b))[0];
