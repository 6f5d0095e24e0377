/** A tenant's records in the order of their times, with what made each of them, and the attacks that were planted. */
import type { Planted } from "./attack.ts";
import type { Parts } from "./loader.ts";
import { DAY_MS } from "./moments.ts";
import { randomOf } from "./random.ts";
import type { TimedRecord } from "./scribe.ts";
import type { Tenant } from "./tenant.ts";

export interface Month {
  readonly tenant: Tenant;
  readonly records: readonly Sourced[];
  readonly planted: readonly PlantedBy[];
}

/** What made it: an archetype, or `attack: <name>`. */
export type Sourced = TimedRecord & { readonly source: string };
export type PlantedBy = Planted & { readonly attack: string };

/** @param attacks names, in the order of their times; each has its own part of the watched days, without the first two */
export function monthOf(tenant: Tenant, parts: Parts, attacks: readonly string[]): Month {
  const random = randomOf(`${tenant.seed}/month`);
  const records: Sourced[] = [];
  const planted: PlantedBy[] = [];
  const { watched, whole } = tenant;
  const add = (source: string, made: readonly TimedRecord[]) => {
    for (const one of made)
      if (one.atMs >= whole.fromMs && one.atMs < whole.toMs) records.push({ ...one, source });
  };
  for (const [name, archetype] of parts.archetypes)
    add(name, archetype(tenant, random.branch(`archetype ${name}`)));
  const fromMs = watched.fromMs + 2 * DAY_MS;
  const share = (watched.toMs - DAY_MS - fromMs) / attacks.length;
  for (const [place, name] of attacks.entries()) {
    const plant = parts.attacks.get(name);
    if (!plant) throw new Error(`there is no attack ${name}`);
    const own = random.branch(`attack ${name}`);
    const startMs = fromMs + (place + own.next() * 0.6) * share;
    const attack = plant(tenant, own, startMs);
    add(`attack: ${name}`, attack.records);
    planted.push(...attack.episodes.map((episode) => ({ ...episode, attack: name })));
  }
  return { tenant, records: records.toSorted((a, b) => a.atMs - b.atMs), planted };
}
