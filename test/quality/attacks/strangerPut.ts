/** Somebody who has nothing to do with a secret gives it a value of their own. */
import { type Attack, attackOf, inProduction, stolen } from "../attack.ts";
import { functionCaller } from "../callers.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function strangerPut(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(functionCaller(tenant, random.pick(tenant.functions), startMs, random), random);
  const secret = random.pick(inProduction(tenant, startMs));
  log.put(thief, startMs, secret, random.uuid());
  return attackOf(log, [thief], [secret]);
}
