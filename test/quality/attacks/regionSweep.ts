/** Every Region is looked through, and what is found at home is taken. */
import { type Attack, attackOf, BY_HAND, standing, stolen } from "../attack.ts";
import { functionCaller } from "../callers.ts";
import { SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function regionSweep(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(
    functionCaller(tenant, random.pick(tenant.functions), startMs, random),
    random,
    BY_HAND,
  );
  const regions = random.some(tenant.regions, random.int(5, 17));
  for (const [index, region] of regions.entries())
    log.list(thief, startMs + index * random.int(2, 9) * SECOND_MS, region);
  const taken = random.some(standing(tenant, startMs), random.int(1, 4));
  for (const [index, secret] of taken.entries())
    log.read(thief, startMs + (200 + index * 5) * SECOND_MS, secret);
  return attackOf(log, [thief], taken);
}
