/** A task's credential taken out of it: its thief lists what there is and takes what it may. */
import { type Attack, attackOf, standing, stolen } from "../attack.ts";
import { taskOf } from "../callers.ts";
import { SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function listThenTake(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(taskOf(tenant, random.pick(tenant.services), startMs, random), random);
  const taken = random.some(standing(tenant, startMs), random.int(4, 12));
  log.list(thief, startMs);
  for (const [index, secret] of taken.entries()) {
    const atMs = startMs + (index + 1) * random.int(1, 20) * SECOND_MS;
    if (random.chance(0.3)) log.about(thief, atMs, "DescribeSecret", secret);
    log.read(thief, atMs, secret, { isByName: random.chance(0.5) });
  }
  return attackOf(log, [thief], taken);
}
