/** A function's credential, read out of its environment, used from outside for what the function may read anyway. */
import { type Attack, attackOf, stolen } from "../attack.ts";
import { functionCaller } from "../callers.ts";
import { SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function functionStolen(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const one = random.pick(tenant.functions);
  const thief = stolen(functionCaller(tenant, one, startMs, random), random);
  for (const [index, secret] of one.secrets.entries())
    log.read(thief, startMs + index * 9 * SECOND_MS, secret, { isByName: true });
  return attackOf(log, [thief], one.secrets);
}
