/** How many different secrets are many, for somebody who has a history. */
import { DAY_MS, factsOf, type Learning } from "./history.ts";
import { FACT } from "./lessons.ts";
import type { AgainstUsual } from "./rule.ts";
import { busiestByDay, type Placed } from "./windows.ts";

/**
 * Only the days before count, so that a busy hour does not become its own excuse.
 *
 * @returns how many are needed, by the time of the last one
 */
export function leastAgainstUsual(
  usual: Learning,
  key: string,
  marks: readonly Placed[],
  { floor, timesTheMost }: AgainstUsual,
  spanMs: number,
): (atMs: number) => number {
  const today = busiestByDay(marks, spanMs);
  usual.learn(
    [...today].map(([day, most]) => ({ subject: key, fact: FACT.busy(day), atMs: day * DAY_MS, most })),
  );
  const busy = factsOf(usual, key, FACT.busy("")).map(([day, { most = 0 }]) => [Number(day), most]);
  const least = new Map<number, number>();
  return (atMs: number): number => {
    const day = Math.floor(atMs / DAY_MS);
    const known = least.get(day);
    if (known !== undefined) return known;
    const before = busy.filter(([other = 0]) => other < day).map(([, most = 0]) => most);
    const now = Math.max(floor, timesTheMost * Math.max(0, ...before));
    least.set(day, now);
    return now;
  };
}
