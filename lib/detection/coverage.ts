/**
 * What a scan can prove: which time was read, that its windows leave nothing out, and whether it keeps up.
 *
 * Seventy-five records a second can be read. Every record is met five times at the pace of one look in five minutes, so from
 * fifteen a second on a scan is behind; its windows then grow longer and share less, and it goes on at that distance: half
 * an hour at half of what can be read. Nothing is missed by that, only told late.
 */
import type { Period } from "./accessLog.ts";
import { type Cursor, INTERVAL_MS, MARGIN_MS } from "./cursor.ts";

/** A window that was read to its last page. */
export interface WindowRead extends Period {
  readonly startedAtMs: number;
  readonly pages: number;
  readonly records: number;
  readonly fresh: number;
}

/** What lies between periods and is in none of them, whatever their order. Empty for those that chain or overlap. */
export function gapsBetween(periods: readonly Period[]): Period[] {
  const gaps: Period[] = [];
  let reachedMs: number | undefined;
  for (const { fromMs, toMs } of periods.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (reachedMs !== undefined && fromMs > reachedMs) gaps.push({ fromMs: reachedMs, toMs: fromMs });
    reachedMs = Math.max(reachedMs ?? toMs, toMs);
  }
  return gaps;
}

/** Since the end of what was read without a gap. */
export const lagSeconds = ({ toMs }: Cursor, nowMs: number): number => Math.floor((nowMs - toMs) / 1000);

/** Whether more is waiting than comes in between two scans. What is too young to be read does not count. */
export const isBehind = (cursor: Cursor, nowMs: number): boolean =>
  nowMs - cursor.toMs > INTERVAL_MS + MARGIN_MS;

/** Of the history that CloudTrail keeps, how much a seed has been through: 0 to 1. */
export function seededShare({ fromMs, toMs, completeAtMs }: Cursor, historyMs: number): number {
  return completeAtMs === undefined ? Math.min(1, Math.max(0, (toMs - fromMs) / historyMs)) : 1;
}
