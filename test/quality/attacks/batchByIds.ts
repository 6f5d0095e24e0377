/** Many by their names in one batch, after the names were listed. */
import { type Attack, attackOf, standing, stolen } from "../attack.ts";
import { taskOf } from "../callers.ts";
import { MINUTE_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function batchByIds(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(taskOf(tenant, random.pick(tenant.services), startMs, random), random);
  const taken = random.some(standing(tenant, startMs), random.int(8, 18));
  log.list(thief, startMs);
  const atMs = startMs + random.int(1, 9) * MINUTE_MS;
  log.batch(thief, atMs, taken, { secretIdList: taken.map(({ name }) => name) });
  return attackOf(log, [thief], taken);
}
