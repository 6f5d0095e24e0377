/** Reads and refusals over time, counted in buckets of a width that people know. */
import type { SecretEvent } from "./secretEvent.ts";

/** A bucket in which something happened; empty ones are left out. */
export interface Activity {
  /** The bucket's beginning, ISO 8601. */
  readonly at: string;
  readonly reads: number;
  readonly denied: number;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WIDTHS_MS: readonly number[] = [
  ...[1, 5, 15, 30].map((seconds) => seconds * SECOND_MS),
  ...[1, 5, 10, 20, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
  ...[1, 2, 7].map((days) => days * DAY_MS),
];

/** As many as can be told apart in a picture. */
const MOST_BUCKETS = 120;

export function bucketMsFor(fromMs: number, toMs: number): number {
  return WIDTHS_MS.find((widthMs) => (toMs - fromMs) / widthMs <= MOST_BUCKETS) ?? 30 * DAY_MS;
}

/** @returns in the order of time */
export function activityOf(
  reads: readonly SecretEvent[],
  denied: readonly SecretEvent[],
  bucketMs: number,
): readonly Activity[] {
  const buckets = new Map<number, { reads: number; denied: number }>();
  const count = (events: readonly SecretEvent[], what: "reads" | "denied") => {
    for (const { atMs } of events) {
      const start = Math.floor(atMs / bucketMs) * bucketMs;
      const bucket = buckets.get(start) ?? { reads: 0, denied: 0 };
      bucket[what] += 1;
      buckets.set(start, bucket);
    }
  };
  count(reads, "reads");
  count(denied, "denied");
  return [...buckets]
    .toSorted(([a], [b]) => a - b)
    .map(([start, counts]) => ({ at: new Date(start).toISOString(), ...counts }));
}

/** Adds up what several did, bucket by bucket. */
export function sumOf(activities: readonly (readonly Activity[])[]): readonly Activity[] {
  const groups = Map.groupBy(activities.flat(), ({ at }) => at);
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([at, group]) => ({
      at,
      reads: group.reduce((sum, { reads }) => sum + reads, 0),
      denied: group.reduce((sum, { denied }) => sum + denied, 0),
    }));
}
