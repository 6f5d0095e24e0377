/**
 * Rules that need more than one event: which of the marks that one principal left make such a rule fire. Every window of the
 * rule's length is looked at, so that the order in which records came plays no part.
 */
import { DAY_MS } from "./history.ts";
import { byTime, indexFrom, type Mark } from "./mark.ts";
import type { Rule, Test, When } from "./rule.ts";

/** Of a sequence, which half. */
export type Part = "only" | "first" | "next";

export interface Placed extends Mark {
  readonly part: Part;
}

type Windowed = Extract<When, { distinct: unknown }> | Extract<When, { first: unknown }>;

export function partsOf(when: When): readonly (readonly [Part, Test])[] {
  if ("missing" in when) return [];
  if ("each" in when) return [["only", when.each]];
  if ("distinct" in when) return [["only", when.where]];
  return [
    ["first", when.first],
    ["next", when.next],
  ];
}

/** @param atLeast how many on a day, given the time; only for rules that count against what is usual */
export function matchesOf(
  when: Windowed,
  marks: readonly Placed[],
  atLeast: (atMs: number) => number,
): readonly Mark[] {
  const sorted = marks.toSorted(byTime);
  const groups =
    "distinct" in when && when.per !== undefined ? [...Map.groupBy(sorted, keyOf).values()] : [sorted];
  const matched = groups.flatMap((group) =>
    "first" in when ? sequences(when, group) : crowds(when, group, atLeast),
  );
  return matched.map(({ part: _, ...mark }) => mark);
}

const keyOf = ({ accessKeyId = "" }: Placed) => accessKeyId;

function valuesOf(mark: Placed, { distinct }: Extract<When, { distinct: unknown }>): readonly string[] {
  switch (distinct) {
    case "secret":
      return mark.secrets;
    case "region":
      return [mark.region];
    case "network":
      return [mark.network];
    case "event":
      return [mark.eventId];
  }
}

/** Whatever stands in a window that is full enough belongs to a match. */
function crowds(
  when: Extract<When, { distinct: unknown }>,
  sorted: readonly Placed[],
  atLeast: (atMs: number) => number,
): readonly Placed[] {
  const matched: Placed[] = [];
  let told = 0;
  for (const { start, end, size } of slide(sorted, when.withinSeconds * 1000, (mark) =>
    valuesOf(mark, when),
  )) {
    if (size < atLeast(sorted[end]?.atMs ?? 0)) continue;
    matched.push(...sorted.slice(Math.max(start, told), end + 1));
    told = end + 1;
  }
  return matched;
}

/** The most different secrets in any window of that length, by the day on which it ended. */
export function busiestByDay(marks: readonly Mark[], windowMs: number): ReadonlyMap<number, number> {
  const sorted = marks.toSorted(byTime);
  const most = new Map<number, number>();
  for (const { end, size } of slide(sorted, windowMs, ({ secrets }) => secrets)) {
    const day = Math.floor((sorted[end]?.atMs ?? 0) / DAY_MS);
    most.set(day, Math.max(most.get(day) ?? 0, size));
  }
  return most;
}

/** For each mark the window that ends with it: where it starts, and how many different values stand in it. */
function* slide<Of extends Mark>(
  sorted: readonly Of[],
  spanMs: number,
  valuesIn: (mark: Of) => readonly string[],
): Generator<{ readonly start: number; readonly end: number; readonly size: number }> {
  const counts = new Map<string, number>();
  let start = 0;
  for (const [end, mark] of sorted.entries()) {
    for (const value of valuesIn(mark)) counts.set(value, (counts.get(value) ?? 0) + 1);
    for (let first = sorted[start]; first && mark.atMs - first.atMs > spanMs; first = sorted[++start]) {
      for (const value of valuesIn(first)) {
        const left = (counts.get(value) ?? 0) - 1;
        if (left > 0) counts.set(value, left);
        else counts.delete(value);
      }
    }
    yield { start, end, size: counts.size };
  }
}

function sequences(when: Extract<When, { first: unknown }>, sorted: readonly Placed[]): readonly Placed[] {
  const spanMs = when.withinSeconds * 1000;
  const nexts = sorted.filter(({ part }) => part === "next");
  const matched = new Set<Placed>();
  for (const start of sorted) {
    if (start.part !== "first") continue;
    const within = nexts.slice(indexFrom(nexts, start.atMs), indexFrom(nexts, start.atMs + spanMs + 1));
    const others = within.filter(
      ({ eventId, secrets }) =>
        eventId !== start.eventId &&
        (when.of === "any secrets" || secrets.some((key) => start.secrets.includes(key))),
    );
    if (new Set(others.flatMap(({ secrets }) => secrets)).size < when.atLeast) continue;
    for (const one of [start, ...others]) matched.add(one);
  }
  return [...matched];
}

/**
 * Fewer marks that say the same: of those that count alike within a fifth of the rule's time, the last one. Somebody who reads
 * one secret all day long must not push out of sight what else they did.
 */
export function thinned(when: When, marks: readonly Placed[]): readonly Placed[] {
  if (!("distinct" in when) || when.distinct === "event") return marks;
  const step = when.withinSeconds * 200;
  const kept = new Map(
    marks
      .toSorted(byTime)
      .map((mark) => [
        JSON.stringify([Math.floor(mark.atMs / step), mark.accessKeyId, valuesOf(mark, when)]),
        mark,
      ]),
  );
  return [...kept.values()];
}

/** Marks that have been waited for long enough. */
export const ripe = ({ when }: Rule, marks: readonly Placed[], now: Date): readonly Placed[] =>
  marks.filter(({ atMs }) => "unless" in when && atMs + when.withinSeconds * 1000 <= now.getTime());
