/** Ticks of a time axis at moments that people name, all in UTC. */

export interface Tick {
  readonly atMs: number;
  readonly label: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const STEPS_MS: readonly number[] = [
  ...[1, 5, 10, 15, 30].map((seconds) => seconds * 1_000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
  ...[1, 2, 7, 14, 28].map((days) => days * DAY_MS),
];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** @returns at most `most` of them, in the order of time; the day stands on the first and wherever it changes */
export function ticksOf(fromMs: number, toMs: number, most: number): readonly Tick[] {
  const stepMs = STEPS_MS.find((step) => (toMs - fromMs) / step <= most - 1) ?? 90 * DAY_MS;
  const ticks: Tick[] = [];
  let day = "";
  for (let atMs = Math.ceil(fromMs / stepMs) * stepMs; atMs <= toMs; atMs += stepMs) {
    const at = new Date(atMs);
    const date = dayOf(at);
    const time = at.toISOString().slice(11, stepMs < MINUTE_MS ? 19 : 16);
    const isNewDay = date !== day;
    day = date;
    ticks.push({ atMs, label: stepMs >= DAY_MS ? date : isNewDay ? `${date} ${time}` : time });
  }
  return ticks;
}

const dayOf = (at: Date) => `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;

/** `24 Nov 2026, 12:00` */
export function momentOf(at: string): string {
  const date = new Date(at);
  return `${dayOf(date)} ${date.getUTCFullYear()}, ${date.toISOString().slice(11, 16)}`;
}
