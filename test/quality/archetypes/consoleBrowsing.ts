/** Somebody opens the console's list of secrets, in one Region or two, and clicks on some of them; no value is shown. */
import { personCaller } from "../callers.ts";
import { SECOND_MS, workMomentsIn } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function consoleBrowsing(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  for (const atMs of workMomentsIn(tenant.busy, 1.5, random)) {
    const caller = personCaller(tenant, random.pick(tenant.people), "console", atMs, random);
    if (random.chance(0.1)) log.list(caller, atMs - 20 * SECOND_MS, tenant.recovery);
    log.list(caller, atMs);
    const there = tenant.secrets.filter(({ versions }) => (versions[0]?.currentFromMs ?? atMs) < atMs);
    const seen = there.filter((secret) => !tenant.canaries.includes(secret));
    for (const [index, secret] of random.some(seen, random.int(0, 5)).entries()) {
      const clickMs = atMs + (index + 1) * random.int(5, 40) * SECOND_MS;
      for (const action of ["DescribeSecret", "ListSecretVersionIds", "GetResourcePolicy"])
        log.about(caller, clickMs, action, secret);
    }
  }
  return log.records;
}
