/** When things happen: by chance around the clock, in working hours, or each day. */
import type { Random } from "./random.ts";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Around the clock, each independent of the one before. */
export function momentsIn({ fromMs, toMs }: Span, perDay: number, random: Random): number[] {
  const moments: number[] = [];
  if (perDay <= 0) return moments;
  const gap = () => (-Math.log(1 - random.next()) / perDay) * DAY_MS;
  for (let atMs = fromMs + gap(); atMs < toMs; atMs += gap()) moments.push(atMs);
  return moments;
}

/** From Monday to Friday, from seven to five in UTC. */
export function workMomentsIn(span: Span, perWorkday: number, random: Random): number[] {
  return daysIn(span)
    .filter(isWorkday)
    .flatMap((dayMs) =>
      momentsIn({ fromMs: dayMs + 7 * HOUR_MS, toMs: dayMs + 17 * HOUR_MS }, perWorkday * 2.4, random),
    );
}

/** The midnights, in UTC. */
export function daysIn({ fromMs, toMs }: Span): number[] {
  const first = Math.ceil(fromMs / DAY_MS) * DAY_MS;
  return Array.from(
    { length: Math.max(0, Math.ceil((toMs - first) / DAY_MS)) },
    (_, day) => first + day * DAY_MS,
  );
}

/** The first of January 1970 was a Thursday. */
const isWorkday = (dayMs: number) => (Math.floor(dayMs / DAY_MS) + 3) % 7 < 5;

/** Every so often from the beginning, at the same distance. */
export function ticksIn({ fromMs, toMs }: Span, everyMs: number, random: Random): number[] {
  const first = fromMs + random.next() * everyMs;
  return Array.from(
    { length: Math.max(0, Math.ceil((toMs - first) / everyMs)) },
    (_, tick) => first + tick * everyMs,
  );
}
