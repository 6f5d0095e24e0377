/** Terraform's credential in other hands: a few secrets of production, one by one. */
import { type Attack, attackOf, BY_HAND, inProduction, stolen } from "../attack.ts";
import { terraformCaller } from "../callers.ts";
import { SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function terraformStolen(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(terraformCaller(tenant, startMs, random), random, BY_HAND);
  const taken = random.some(inProduction(tenant, startMs), random.int(2, 4));
  log.list(thief, startMs);
  for (const [index, secret] of taken.entries())
    log.read(thief, startMs + (index + 1) * random.int(20, 90) * SECOND_MS, secret, { isByName: true });
  return attackOf(log, [thief], taken);
}
