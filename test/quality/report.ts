/** The score for people, and whether it is good enough. */
import type { Interval } from "./interval.ts";
import type { Score } from "./score.ts";

const LEAST_RECALL = 0.95;
const LEAST_PRECISION = 0.9;
const MOST_FINDINGS_A_DAY = 0.2;

export const isWithinLimits = ({ episodeRecall, precision, findingsPerTenantDay }: Score): boolean =>
  episodeRecall.mean >= LEAST_RECALL &&
  precision.mean >= LEAST_PRECISION &&
  findingsPerTenantDay.mean < MOST_FINDINGS_A_DAY;

export function linesOf(score: Score): string[] {
  const attacks = Object.entries(score.perAttack).map(
    ([name, { planted, caught, rules }]) =>
      `${pad(name)} ${`${caught} of ${planted}`.padStart(9)}  ${listed(rules)}`,
  );
  const archetypes = Object.entries(score.perArchetype).map(
    ([name, { mistaken, rules }]) => `${pad(name)} ${String(mistaken).padStart(9)}  ${listed(rules)}`,
  );
  return [
    `${pad("attack")}    caught  by`,
    ...attacks,
    "",
    `${pad("archetype")} false findings  by`,
    ...archetypes,
    "",
    `${score.seeds} seeds, ${score.tenants} tenants, ${score.records} records; 95 % intervals over seeds by Student's t`,
    line("episodes found", score.episodeRecall, `at least ${LEAST_RECALL}`),
    line("precision", score.precision, `at least ${LEAST_PRECISION}`),
    line(
      "findings per tenant and day, true and false",
      score.findingsPerTenantDay,
      `under ${MOST_FINDINGS_A_DAY}`,
    ),
    line("false findings per tenant and day", score.falsePerTenantDay),
    `findings that count for an attack without one of its records at their ends: ${score.coincidences}`,
  ];
}

const pad = (name: string) => name.padEnd(26);

const listed = (rules: Readonly<Record<string, number>>) =>
  Object.entries(rules)
    .toSorted(([, a], [, b]) => b - a)
    .map(([rule, times]) => `${rule} ${times}`)
    .join(", ");

const line = (what: string, { mean, low, high }: Interval, limit?: string) =>
  `${what}: ${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]${limit === undefined ? "" : `, ${limit}`}`;
