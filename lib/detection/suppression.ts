/**
 * What somebody said is expected: one rule, by one principal, on one secret, for a reason and for thirty days at the most.
 * Nothing is forgotten by it: what was kept quiet stands in the weekly review.
 */
import { DAY_MS } from "./history.ts";
import type { Mark } from "./mark.ts";
import type { Rule } from "./rule.ts";

export interface Suppression {
  readonly principal: string;
  /** Key of the secret; empty for events that name none. */
  readonly secret: string;
  readonly rule: string;
  readonly reason: string;
  readonly author: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

export const LONGEST_MS = 30 * DAY_MS;

/** @returns what is wrong with it, in one sentence each, with the field and the fix */
export function objectionsTo(suppression: Suppression, rules: readonly Rule[]): readonly string[] {
  const { principal, rule, reason, author, fromMs, untilMs } = suppression;
  const known = rules.find(({ id }) => id === rule);
  const blank = (field: string, text: string) =>
    text.trim() === ""
      ? [`${field} is empty; say ${field === "reason" ? "why this is expected" : "who"}`]
      : [];
  return [
    ...blank("principal", principal),
    ...blank("reason", reason),
    ...blank("author", author),
    ...(known === undefined ? [`rule ${rule} does not exist; name one of lib/detection/rules`] : []),
    ...(known?.alwaysTold ? [`rule ${rule} cannot be kept quiet: nobody does this without harm`] : []),
    ...(untilMs <= fromMs ? ["the end is before the beginning; give a number of days of 1 to 30"] : []),
    ...(untilMs - fromMs > LONGEST_MS
      ? ["it lasts for more than 30 days; give a number of days of 1 to 30"]
      : []),
  ];
}

/** Whether this is to be kept quiet. A mark on several secrets is, if all of them are named. */
export function isQuiet(
  all: readonly Suppression[],
  rule: Rule,
  principal: string,
  { secrets, atMs }: Mark,
): boolean {
  if (rule.alwaysTold) return false;
  const own = all.filter(
    (one) =>
      one.rule === rule.id &&
      one.principal === principal &&
      atMs >= one.fromMs - DAY_MS &&
      atMs <= one.untilMs,
  );
  const named = secrets.length === 0 ? [""] : secrets;
  return named.every((secret) => own.some((one) => one.secret === secret));
}
