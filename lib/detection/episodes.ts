/**
 * What people are told: one episode for a principal and a family of rules, as long as no hour passes without anything more.
 * Its severity only rises, and several rules that agree weigh more than one. Two episodes become one when a late event
 * closes the gap between them, so that the order of arrival changes nothing here either.
 */
import { SEVERITIES, type Severity } from "../finding.ts";
import type { Family, Rule } from "./rule.ts";
import { byTime, type Mark } from "./windows.ts";

export interface Episode {
  readonly principal: string;
  readonly family: Family;
  readonly severity: Severity;
  /** In alphabetical order. */
  readonly rules: readonly string[];
  /** Keys, in alphabetical order. */
  readonly secrets: readonly string[];
  /** In the order of their times. */
  readonly events: readonly EpisodeEvent[];
}

type EpisodeEvent = Pick<Mark, "eventId" | "atMs">;

/** For so long nothing may happen before what happens next is an episode of its own. */
export const GAP_MS = 3_600_000;

export function withMatch(
  episodes: readonly Episode[],
  rule: Pick<Rule, "id" | "severity" | "family">,
  principal: string,
  match: readonly Mark[],
  severityOf: (ruleId: string) => Severity,
): readonly Episode[] {
  const own: Episode = {
    principal,
    family: rule.family,
    severity: rule.severity,
    rules: [rule.id],
    secrets: sorted(match.flatMap(({ secrets }) => secrets)),
    events: inOrder(match),
  };
  const isNear = (other: Episode) =>
    other.principal === principal &&
    other.family === rule.family &&
    startOf(other) - endOf(own) <= GAP_MS &&
    startOf(own) - endOf(other) <= GAP_MS;
  const near = episodes.filter(isNear);
  const grown = near.reduce((sum, other) => joined(sum, other, severityOf), own);
  return [...episodes.filter((one) => !near.includes(one)), grown];
}

export const startOf = ({ events }: Episode) => events[0]?.atMs ?? 0;
export const endOf = ({ events }: Episode) => events.at(-1)?.atMs ?? 0;

function joined(a: Episode, b: Episode, severityOf: (ruleId: string) => Severity): Episode {
  const rules = sorted([...a.rules, ...b.rules]);
  return {
    principal: a.principal,
    family: a.family,
    severity: severityWith(rules.map(severityOf)),
    rules,
    secrets: sorted([...a.secrets, ...b.secrets]),
    events: inOrder([...a.events, ...b.events]),
  };
}

/** The gravest of them; one step graver if another one is worth more than a note. */
function severityWith(severities: readonly Severity[]): Severity {
  const ranks = severities.map((one) => SEVERITIES.indexOf(one)).toSorted((a, b) => a - b);
  const [gravest = 0, next = SEVERITIES.length] = ranks;
  const isCorroborated = next <= SEVERITIES.indexOf("medium");
  return SEVERITIES[Math.max(0, gravest - (isCorroborated ? 1 : 0))] ?? "low";
}

const sorted = (texts: readonly string[]) => [...new Set(texts)].sort();

function inOrder(events: readonly EpisodeEvent[]): readonly EpisodeEvent[] {
  const distinct = new Map(events.map(({ eventId, atMs }) => [eventId, { eventId, atMs }]));
  return [...distinct.values()].sort(byTime);
}
