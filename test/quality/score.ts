/** What becomes of the verdicts: sums over the tenants of a seed, intervals over seeds, and who is to blame for what. */
import { type Interval, intervalOf } from "./interval.ts";
import { type Rates, ratesOf, type Tally, type Verdict } from "./judge.ts";
import { DAY_MS } from "./moments.ts";
import type { Month, PlantedBy } from "./month.ts";

export interface AttackScore {
  planted: number;
  caught: number;
  /** Rule -> in how many findings of it. */
  readonly rules: Record<string, number>;
}

export interface ArchetypeScore {
  mistaken: number;
  readonly rules: Record<string, number>;
}

export type Score = { readonly [Name in keyof Rates]: Interval } & {
  readonly seeds: number;
  readonly tenants: number;
  readonly records: number;
  /** Findings that count for an attack although they begin and end with what nobody planted: luck, or one that has not ended. */
  readonly coincidences: number;
  readonly perAttack: Readonly<Record<string, AttackScore>>;
  readonly perArchetype: Readonly<Record<string, ArchetypeScore>>;
};

export class ScoreSheet {
  readonly #tallies = new Map<number, Tally>();
  readonly #attacks: Record<string, AttackScore> = {};
  readonly #archetypes: Record<string, ArchetypeScore> = {};
  #tenants = 0;
  #records = 0;
  #coincidences = 0;

  constructor(archetypes: Iterable<string>) {
    for (const name of archetypes) this.#archetypes[name] = { mistaken: 0, rules: {} };
  }

  add(seed: number, { tenant, records, planted }: Month, verdict: Verdict<PlantedBy>): void {
    this.#tenants++;
    this.#records += records.length;
    const { watched } = tenant;
    const sum = this.#tallies.get(seed);
    this.#tallies.set(seed, {
      planted: (sum?.planted ?? 0) + planted.length,
      caught: (sum?.caught ?? 0) + verdict.caught.length,
      findings: (sum?.findings ?? 0) + verdict.ofAttacks.length + verdict.mistaken.length,
      mistaken: (sum?.mistaken ?? 0) + verdict.mistaken.length,
      tenantDays: (sum?.tenantDays ?? 0) + (watched.toMs - watched.fromMs) / DAY_MS,
    });
    const sources = new Map(records.map(({ record, source }) => [record["eventID"], source]));
    for (const { attack } of planted) this.#attacks[attack] ??= { planted: 0, caught: 0, rules: {} };
    for (const label of planted) this.#attack(label).planted++;
    for (const label of verdict.caught) this.#attack(label).caught++;
    for (const { firstEventId, lastEventId, rules } of verdict.ofAttacks) {
      const attack = [firstEventId, lastEventId]
        .map((id) => this.#attacks[sources.get(id)?.replace(/^attack: /, "") ?? ""])
        .find((one) => one !== undefined);
      if (attack) count(attack.rules, rules);
      else this.#coincidences++;
    }
    for (const { firstEventId, rules } of verdict.mistaken) {
      const source = sources.get(firstEventId) ?? "nothing";
      this.#archetypes[source] ??= { mistaken: 0, rules: {} };
      const archetype = this.#archetypes[source];
      archetype.mistaken++;
      count(archetype.rules, rules);
    }
  }

  score(): Score {
    const rates = [...this.#tallies.values()].map(ratesOf);
    const share = (of: keyof Rates) => within(intervalOf(rates.map((one) => one[of])), 1);
    const number = (of: keyof Rates) =>
      within(intervalOf(rates.map((one) => one[of])), Number.POSITIVE_INFINITY);
    return {
      episodeRecall: share("episodeRecall"),
      precision: share("precision"),
      findingsPerTenantDay: number("findingsPerTenantDay"),
      falsePerTenantDay: number("falsePerTenantDay"),
      seeds: rates.length,
      tenants: this.#tenants,
      records: this.#records,
      coincidences: this.#coincidences,
      perAttack: sorted(this.#attacks),
      perArchetype: sorted(this.#archetypes),
    };
  }

  #attack({ attack }: PlantedBy): AttackScore {
    const found = this.#attacks[attack];
    if (!found) throw new Error(`${attack} was not planted`);
    return found;
  }
}

/** A share beyond one, or a number below none, is nothing that can be. */
const within = ({ mean, low, high }: Interval, most: number): Interval => ({
  mean,
  low: Math.max(0, low),
  high: Math.min(most, high),
});

function count(into: Record<string, number>, rules: readonly string[]): void {
  for (const rule of rules) into[rule] = (into[rule] ?? 0) + 1;
}

const sorted = <T>(by: Readonly<Record<string, T>>) =>
  Object.fromEntries(Object.entries(by).toSorted(([a], [b]) => (a < b ? -1 : 1)));
