/** A secret that nothing uses is read by somebody who looks around. */
import { type Attack, attackOf, stolen } from "../attack.ts";
import { taskOf } from "../callers.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function canaryTouched(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(taskOf(tenant, random.pick(tenant.services), startMs, random), random);
  const canary = random.pick(tenant.canaries);
  if (random.chance(0.5)) log.refused(thief, startMs, canary);
  else log.read(thief, startMs, canary);
  return attackOf(log, [thief], [canary]);
}
