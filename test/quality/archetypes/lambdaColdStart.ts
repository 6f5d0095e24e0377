/** Functions read at the start of each running copy, of which a day has a few dozen. */
import { functionCaller } from "../callers.ts";
import { momentsIn } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function lambdaColdStart(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  for (const one of tenant.functions)
    for (const atMs of momentsIn(tenant.busy, random.int(4, 16), random)) {
      const caller = functionCaller(tenant, one, atMs, random);
      for (const secret of one.secrets) log.read(caller, atMs, secret, { isByName: true });
    }
  return log.records;
}
