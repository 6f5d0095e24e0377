/**
 * What a tenant is made of: every file in `archetypes/` and `attacks/`, in the order of their names. To add one, put a file
 * there; nothing else is to be changed. `archetypes/<name>.ts` exports a function with its own name,
 *
 *     (tenant: Tenant, random: Random) => TimedRecord[]
 *
 * with the records of harmless behaviour over `tenant.busy` (what is frequent) or `tenant.whole` (what is rare), none if the
 * tenant has no such thing. `attacks/<name>.ts` exports a function with its own name,
 *
 *     (tenant: Tenant, random: Random, startMs: number) => Attack
 *
 * with the records of one attack that begins at about `startMs`, and its labelled episodes (`attack.ts`). Both draw from
 * `random` alone, so that a seed gives the same again. `Scribe` writes records as CloudTrail does; `tenant.ts` says what there is.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Attack } from "./attack.ts";
import type { Random } from "./random.ts";
import type { TimedRecord } from "./scribe.ts";
import type { Tenant } from "./tenant.ts";

export type Archetype = (tenant: Tenant, random: Random) => readonly TimedRecord[];
export type PlantAttack = (tenant: Tenant, random: Random, startMs: number) => Attack;

export interface Parts {
  readonly archetypes: ReadonlyMap<string, Archetype>;
  readonly attacks: ReadonlyMap<string, PlantAttack>;
}

export async function partsOf(folder: string = import.meta.dirname): Promise<Parts> {
  return {
    archetypes: await functionsIn<Archetype>(join(folder, "archetypes")),
    attacks: await functionsIn<PlantAttack>(join(folder, "attacks")),
  };
}

/** @throws Error for a file that does not export a function with the file's name: it would count as seen and never was */
async function functionsIn<F>(folder: string): Promise<Map<string, F>> {
  const found = new Map<string, F>();
  for (const file of readdirSync(folder).toSorted()) {
    if (!file.endsWith(".ts")) continue;
    const name = file.slice(0, -".ts".length);
    const module: Record<string, unknown> = await import(join(folder, file));
    const made = module[name];
    if (typeof made !== "function") throw new Error(`${join(folder, file)} exports no function ${name}`);
    found.set(name, made as F);
  }
  return found;
}
