/** Everything in a few calls: a batch with a filter that leaves out a name that nothing has. */
import { type Attack, attackOf, standing, stolen } from "../attack.ts";
import { taskOf } from "../callers.ts";
import { SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function batchEverything(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(taskOf(tenant, random.pick(tenant.services), startMs, random), random);
  const all = standing(tenant, startMs);
  const filters = [{ key: random.pick(["tag-key", "name"]), values: [`!${random.text(8)}`] }];
  for (let page = 0; page * 20 < all.length; page++)
    log.batch(thief, startMs + page * 2 * SECOND_MS, all.slice(page * 20, page * 20 + 20), {
      filters,
      maxResults: 20,
    });
  return attackOf(log, [thief], all);
}
