/**
 * Stops of one service with one cause, as one episode with one message. Counted by the tasks' ids, so that repeats of an
 * event change nothing, and told in the words of the gravest stop, the earliest of those, so that their order changes
 * nothing either: that holds for stops within half an hour of one another; what comes later begins another episode.
 */
import type { StopEvent } from "./stopEvent.ts";
import { type Alert, graver, type StopCause, type StopSeverity } from "./verdict.ts";

export interface CountedStop {
  readonly id: string;
  readonly atMs: number;
}

export interface Episode {
  /** `cluster/service`. */
  readonly name: string;
  readonly cause: StopCause;
  readonly container?: string;
  /** The stop that opened the record; tells an episode from the next one of the same cause. */
  readonly openedBy: string;
  /** By time, then by id; the oldest leave first, and are counted in `more`. */
  readonly stops: readonly CountedStop[];
  readonly more: number;
  /** Of the gravest stop by itself. */
  readonly severity: StopSeverity;
  /** One of the stops is to be told of at once. */
  readonly isLoud: boolean;
  readonly repeat?: Alert["repeat"];
  /** The stop that `says` and `lookAt` are about. */
  readonly toldBy: CountedStop;
  readonly says: string;
  readonly lookAt: readonly string[];
  readonly recoveredAtMs?: number;
}

export const WINDOW_MS = 30 * 60_000;
const REPEAT_MS = 10 * 60_000;
/** As many as a record holds with ease. */
const MOST = 500;

/** What may come between two records: cluster/service, cause, container. */
export const episodeKey = ({ cause, container }: Pick<Alert, "cause" | "container">): string =>
  `${cause}#${container ?? ""}`;

const byTime = (a: CountedStop, b: CountedStop) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1);

/** @returns the episode with this stop in it; the same object if it was in there already with nothing graver to say */
export function countStop(known: Episode | undefined, event: StopEvent, verdict: Alert): Episode {
  const stop: CountedStop = { id: event.id, atMs: event.atMs };
  const first = known?.stops[0];
  const last = known?.stops.at(-1);
  if (known === undefined || first === undefined || last === undefined) return open(event, verdict);
  if (stop.atMs > last.atMs + WINDOW_MS) return open(event, verdict);
  if (known.stops.some(({ id }) => id === stop.id)) return withVerdict(known, stop, verdict);
  // Long before this episode, and far too late to be news: it is only counted.
  if (stop.atMs < first.atMs - WINDOW_MS) return { ...known, more: known.more + 1 };
  const { recoveredAtMs, ...rest } = known;
  const all = [...known.stops, stop].sort(byTime);
  const grown: Episode = {
    ...rest,
    stops: all.slice(-MOST),
    more: known.more + Math.max(0, all.length - MOST),
    // A stop after the recovery means that it did not last.
    ...(recoveredAtMs !== undefined && stop.atMs <= recoveredAtMs ? { recoveredAtMs } : {}),
  };
  return withVerdict(grown, stop, verdict);
}

function open(event: StopEvent, verdict: Alert): Episode {
  const { cause, container, severity, says, lookAt, repeat } = verdict;
  return {
    name: event.name,
    cause,
    ...(container === undefined ? {} : { container }),
    openedBy: event.id,
    stops: [{ id: event.id, atMs: event.atMs }],
    more: 0,
    severity,
    isLoud: verdict.post === "now",
    ...(repeat ? { repeat } : {}),
    toldBy: { id: event.id, atMs: event.atMs },
    says,
    lookAt,
  };
}

function withVerdict(episode: Episode, stop: CountedStop, verdict: Alert): Episode {
  const severity = graver(episode.severity, verdict.severity);
  const isLoud = episode.isLoud || verdict.post === "now";
  const isTeller =
    severity !== episode.severity ||
    (verdict.severity === severity && byTime(stop, episode.toldBy) < 0 && stop.id !== episode.toldBy.id);
  if (!isTeller && isLoud === episode.isLoud) return episode;
  const { says, lookAt } = verdict;
  return { ...episode, severity, isLoud, ...(isTeller ? { toldBy: stop, says, lookAt } : {}) };
}

export function recovered(episode: Episode, atMs: number): Episode {
  const last = episode.stops.at(-1)?.atMs ?? 0;
  const isNews = atMs >= last && atMs <= last + WINDOW_MS && episode.recoveredAtMs === undefined;
  return isNews ? { ...episode, recoveredAtMs: atMs } : episode;
}

export interface Standing {
  readonly severity: StopSeverity;
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly shouldPost: boolean;
  /** So many stops of the service, of whatever cause, within ten minutes; set when that made it graver. */
  readonly burst?: number;
}

/** @param others the service's other episodes: three stops in ten minutes are grave whatever their causes */
export function standing(episode: Episode, others: readonly Episode[] = []): Standing {
  const { repeat, stops } = episode;
  const own = densest(stops.map(({ atMs }) => atMs));
  const isUnexpected = (one: Episode) => one.repeat?.severity === "P2";
  // Those of another day make nothing graver now.
  const near = others
    .filter(isUnexpected)
    .flatMap((one) => one.stops.map(({ atMs }) => atMs))
    .filter((atMs) => stops.some((mine) => Math.abs(mine.atMs - atMs) <= REPEAT_MS));
  const whole = isUnexpected(episode) ? densest([...stops.map(({ atMs }) => atMs), ...near]) : 0;
  const isRepeated = repeat !== undefined && own >= repeat.count;
  const isBurst = whole >= 3;
  let { severity } = episode;
  if (isRepeated) severity = graver(severity, repeat.severity);
  if (isBurst) severity = graver(severity, "P2");
  return {
    severity,
    count: stops.length + episode.more,
    firstAtMs: stops[0]?.atMs ?? 0,
    lastAtMs: stops.at(-1)?.atMs ?? 0,
    shouldPost: episode.isLoud || isRepeated || isBurst,
    ...(isBurst || isRepeated ? { burst: Math.max(own, whole) } : {}),
  };
}

/** The most that lie within ten minutes of one another. */
function densest(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  let start = 0;
  let most = 0;
  for (const [end, atMs] of sorted.entries()) {
    while (atMs - (sorted[start] ?? 0) > REPEAT_MS) start += 1;
    most = Math.max(most, end - start + 1);
  }
  return most;
}
