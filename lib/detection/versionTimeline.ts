/**
 * Which version was AWSCURRENT when, put together from what moved the label and from what is known today; and what follows
 * from it for reads that nothing proves. Where two sources do not agree there is a gap, and nothing is inferred in a gap.
 */
import { textOf } from "../fields.ts";
import { byTime } from "./mark.ts";
import { SAME_CALL_MS } from "./moments.ts";
import type { SecretEvent } from "./secretEvent.ts";

export interface VersionSpan {
  readonly versionId: string;
  /** Undefined: since before what was looked at. */
  readonly currentFromMs?: number;
  /** Undefined: still. */
  readonly currentToMs?: number;
  /** When its value was tried at its target and refused. */
  readonly revokedAtMs?: number;
}

/** What others know: the version that is current now, and when Rekey moved the label there, if it did. */
export interface KnownToday {
  readonly currentVersionId?: string;
  readonly currentSinceMs?: number;
  readonly revoked: ReadonlyMap<string, number>;
}

interface Move {
  readonly atMs: number;
  readonly eventId: string;
  readonly to: string;
  readonly from?: string;
  /** An UpdateSecret has a token whether or not it brings a new value. */
  readonly isSure: boolean;
}

/**
 * @param events of one secret
 * @param searchedFromMs since when every move is known
 * @returns spans in the order of their times, which never overlap
 */
export function timelineOf(
  events: readonly SecretEvent[],
  searchedFromMs: number,
  { currentVersionId, currentSinceMs, revoked }: KnownToday,
): readonly VersionSpan[] {
  const distinct = [...new Map(events.map((event) => [event.eventId, event])).values()];
  const recorded = distinct.map(moveOf).filter((move) => move !== undefined);
  const isRecorded = recorded.some(({ to }) => to === currentVersionId);
  const ours: Move[] =
    currentVersionId !== undefined && currentSinceMs !== undefined && !isRecorded
      ? [{ atMs: currentSinceMs, eventId: "", to: currentVersionId, isSure: true }]
      : [];
  const moves = settled([...recorded, ...ours].toSorted(byTime), currentVersionId);
  const [first] = moves;
  const before = first ? first.from : currentVersionId;
  const opening =
    before === undefined
      ? []
      : [{ versionId: before, ...(first ? { currentToMs: first.atMs } : {}) } satisfies VersionSpan];
  const spans = moves.flatMap((move, place): VersionSpan[] => {
    const next = moves[place + 1];
    // What follows must agree: the version that the label was taken from next, or the one that has it now.
    const after = next ? next.from : currentVersionId;
    if (after !== move.to && !(move.isSure && after === undefined)) return [];
    return [{ versionId: move.to, currentFromMs: move.atMs, ...(next ? { currentToMs: next.atMs } : {}) }];
  });
  return [...opening, ...spans]
    .filter(({ currentToMs }) => currentToMs === undefined || currentToMs > searchedFromMs)
    .map((span) => {
      const revokedAtMs = revoked.get(span.versionId);
      return revokedAtMs === undefined ? span : { ...span, revokedAtMs };
    });
}

/** Without those that moved nothing, as what came after them tells. */
function settled(moves: readonly Move[], currentVersionId: string | undefined): readonly Move[] {
  return moves.filter((move, place) => {
    if (move.isSure) return true;
    const next = moves.slice(place + 1).find(({ isSure }) => isSure);
    const after = next ? next.from : currentVersionId;
    const before =
      moves.slice(0, place).findLast(({ isSure }) => isSure)?.to ?? next?.from ?? currentVersionId;
    return after === undefined || after === move.to || after !== before;
  });
}

function moveOf({ atMs, eventId, service, action, outcome, request }: SecretEvent): Move | undefined {
  if (service !== "secretsmanager" || outcome !== "allowed") return undefined;
  const at = { atMs, eventId };
  const token = textOf(request["clientRequestToken"]);
  if (action === "UpdateSecretVersionStage") {
    const to = textOf(request["moveToVersionId"]);
    const from = textOf(request["removeFromVersionId"]);
    if (request["versionStage"] !== "AWSCURRENT" || to === undefined) return undefined;
    return { ...at, to, isSure: true, ...(from === undefined ? {} : { from }) };
  }
  if (token === undefined) return undefined;
  if (action === "PutSecretValue") {
    const labels = request["versionStages"];
    const isCurrent = !Array.isArray(labels) || labels.length === 0 || labels.includes("AWSCURRENT");
    return isCurrent ? { ...at, to: token, isSure: true } : undefined;
  }
  if (action === "CreateSecret") return { ...at, to: token, isSure: true };
  return action === "UpdateSecret" ? { ...at, to: token, isSure: false } : undefined;
}

/** Reads by label that nothing proves. Near a move of the label they stay unknown: times are told to the second. */
export function inferVersions(
  events: readonly SecretEvent[],
  timeline: readonly VersionSpan[],
): readonly SecretEvent[] {
  return events.map((event) => {
    const { version, atMs } = event;
    if (version?.known !== "unknown") return event;
    const id = versionAt(timeline, version.label, atMs);
    return id === undefined ? event : { ...event, version: { ...version, id, known: "inferred" } };
  });
}

function versionAt(
  timeline: readonly VersionSpan[],
  label: string | undefined,
  atMs: number,
): string | undefined {
  const isClear = (edge: number | undefined) => edge === undefined || Math.abs(atMs - edge) > SAME_CALL_MS;
  const holders = timeline.filter(
    ({ currentFromMs, currentToMs }) =>
      (currentFromMs ?? Number.NEGATIVE_INFINITY) <= atMs &&
      atMs < (currentToMs ?? Number.POSITIVE_INFINITY) &&
      isClear(currentFromMs) &&
      isClear(currentToMs),
  );
  const [holder, ...others] = holders;
  if (holder === undefined || others.length > 0) return undefined;
  if (label === "AWSCURRENT") return holder.versionId;
  if (label !== "AWSPREVIOUS" || holder.currentFromMs === undefined) return undefined;
  // The label moves by itself to the version that AWSCURRENT was taken from.
  return timeline.find(({ currentToMs }) => currentToMs === holder.currentFromMs)?.versionId;
}
