/**
 * What people are told: one episode for a principal and a family of rules, as long as no hour passes without anything more.
 * Several rules that agree weigh more than one. It is a view of the matches, so that a late event that closes the gap
 * between two episodes makes one of them, in whatever order the records came.
 */
import { SEVERITIES, type Severity } from "../finding.ts";
import { byTime, type Mark } from "./mark.ts";
import type { Family, Rule } from "./rule.ts";

export interface Episode {
  readonly principal: string;
  readonly family: Family;
  readonly severity: Severity;
  /** In alphabetical order. */
  readonly rules: readonly string[];
  /** Keys, in alphabetical order. */
  readonly secrets: readonly string[];
  /** In the order of their times. */
  readonly events: readonly Mark[];
}

/** Rule id -> what made it fire, by event id. */
export type Matches = ReadonlyMap<string, ReadonlyMap<string, Mark>>;

/** For so long nothing may happen before what happens next is an episode of its own. */
export const GAP_MS = 3_600_000;

export const startOf = ({ events }: Episode) => events[0]?.atMs ?? 0;
export const endOf = ({ events }: Episode) => events.at(-1)?.atMs ?? 0;

export function episodesOf(rules: readonly Rule[], principal: string, matches: Matches): readonly Episode[] {
  const matched = rules.filter(({ id }) => (matches.get(id)?.size ?? 0) > 0);
  const families = Map.groupBy(matched, ({ family }) => family);
  return [...families].flatMap(([family, own]) => {
    const hits = own.flatMap((rule) =>
      [...(matches.get(rule.id)?.values() ?? [])].map((mark) => ({ rule, mark, ...mark })),
    );
    return apart(hits.toSorted(byTime)).map((together) => ({
      principal,
      family,
      severity: severityWith([...new Set(together.map(({ rule }) => rule))].map(({ severity }) => severity)),
      rules: sorted(together.map(({ rule }) => rule.id)),
      secrets: sorted(together.flatMap(({ mark }) => mark.secrets)),
      events: [...new Map(together.map(({ mark }) => [mark.eventId, mark])).values()],
    }));
  });
}

function apart<Hit extends { readonly atMs: number }>(inOrder: readonly Hit[]): readonly (readonly Hit[])[] {
  const groups: Hit[][] = [];
  for (const hit of inOrder) {
    const last = groups.at(-1);
    const before = last?.at(-1);
    if (last && before && hit.atMs - before.atMs <= GAP_MS) last.push(hit);
    else groups.push([hit]);
  }
  return groups;
}

/** The gravest of them; one step graver if another one is worth more than a note. */
function severityWith(severities: readonly Severity[]): Severity {
  const ranks = severities.map((one) => SEVERITIES.indexOf(one)).toSorted((a, b) => a - b);
  const [gravest = 0, next = SEVERITIES.length] = ranks;
  const isCorroborated = next <= SEVERITIES.indexOf("medium");
  return SEVERITIES[Math.max(0, gravest - (isCorroborated ? 1 : 0))] ?? "low";
}

const sorted = (texts: readonly string[]) => [...new Set(texts)].sort();
