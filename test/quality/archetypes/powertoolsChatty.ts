/** A function that keeps a value for five seconds only: while it is called, it reads every five seconds. */
import { functionCaller } from "../callers.ts";
import { MINUTE_MS, momentsIn, SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function powertoolsChatty(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  for (const one of tenant.functions.filter(({ isChatty }) => isChatty))
    for (const startMs of momentsIn(tenant.busy, 1, random)) {
      const caller = functionCaller(tenant, one, startMs, random);
      const endMs = startMs + random.int(2, 8) * MINUTE_MS;
      for (let atMs = startMs; atMs < endMs; atMs += 5 * SECOND_MS)
        for (const secret of one.secrets) log.read(caller, atMs, secret, { isByName: true });
    }
  return log.records;
}
