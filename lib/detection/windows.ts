/**
 * What a rule has seen of one principal, for rules that need more than one event. Marks may come in any order and late: a
 * match is whatever stands within the rule's time of one another, so that the order of arrival changes nothing.
 */
import { holds } from "./holds.ts";
import type { Test, When } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";

/** What is kept of an event. */
export interface Mark {
  readonly eventId: string;
  readonly atMs: number;
  readonly region: string;
  readonly secrets: readonly string[];
  readonly part: "only" | "first" | "next";
}

/** More of them from one principal say nothing more; the oldest go first. */
const MOST = 2_000;

export function markOf(when: When, event: SecretEvent): readonly Mark[] {
  const { eventId, atMs, region } = event;
  return partsOf(when)
    .filter(([, test]) => holds(test, event))
    .map(([part]) => ({ eventId, atMs, region, secrets: event.secrets.map(({ key }) => key), part }));
}

function partsOf(when: When): readonly (readonly [Mark["part"], Test])[] {
  if ("each" in when) return [["only", when.each]];
  if ("distinct" in when) return [["only", when.where]];
  return [
    ["first", when.first],
    ["next", when.next],
  ];
}

/** In the order of their times; those of one second in the order of their ids. */
export const byTime = (a: Pick<Mark, "eventId" | "atMs">, b: Pick<Mark, "eventId" | "atMs">): number =>
  a.atMs - b.atMs || (a.eventId < b.eventId ? -1 : 1);

export function withMark(marks: readonly Mark[], mark: Mark): readonly Mark[] {
  return [...marks, mark].sort(byTime).slice(-MOST);
}

/** @returns the marks that make the rule fire and have the new one among them; none if it does not */
export function matchWith(when: When, marks: readonly Mark[], mark: Mark): readonly Mark[] {
  if ("each" in when) return [mark];
  const spanMs = when.withinSeconds * 1000;
  const near = marks.filter(({ atMs }) => Math.abs(atMs - mark.atMs) <= spanMs);
  const starts = "distinct" in when ? near : near.filter(({ part }) => part === "first");
  const matched = starts
    .filter(({ atMs }) => atMs <= mark.atMs)
    .map((start) => {
      const within = marks.filter(({ atMs }) => atMs >= start.atMs && atMs <= start.atMs + spanMs);
      return "distinct" in when ? manyDistinct(when, within) : sequenceFrom(when, start, within);
    })
    .filter((match) => match.includes(mark));
  return [...new Set(matched.flat())];
}

function manyDistinct(when: Extract<When, { distinct: unknown }>, within: readonly Mark[]): readonly Mark[] {
  const values = within.flatMap(({ region, secrets }) => (when.distinct === "region" ? region : secrets));
  return new Set(values).size >= when.atLeast ? within : [];
}

function sequenceFrom(
  when: Extract<When, { first: unknown }>,
  start: Mark,
  within: readonly Mark[],
): readonly Mark[] {
  const isSame = ({ secrets }: Mark) =>
    when.of === "any secrets" || secrets.some((key) => start.secrets.includes(key));
  const others = within.filter((one) => one.part === "next" && one.eventId !== start.eventId && isSame(one));
  const secrets = new Set(others.flatMap((one) => one.secrets));
  return secrets.size >= when.atLeast ? [start, ...others] : [];
}
