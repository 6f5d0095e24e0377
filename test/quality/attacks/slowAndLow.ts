/** One secret an hour, over a day, by a stolen credential from a network that it never had. */
import { type Attack, attackOf, standing, stolen } from "../attack.ts";
import { taskOf } from "../callers.ts";
import { HOUR_MS, MINUTE_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function slowAndLow(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(taskOf(tenant, random.pick(tenant.services), startMs, random), random);
  const taken = random.some(standing(tenant, startMs), random.int(5, 14));
  for (const [index, secret] of taken.entries())
    log.read(thief, startMs + index * HOUR_MS + random.int(0, 25) * MINUTE_MS, secret, { isByName: true });
  return attackOf(log, [thief], taken);
}
