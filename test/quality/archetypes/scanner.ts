/** Scanners of the account's posture: every day through all Regions, every secret described, never a value. */
import { roleSession } from "../callers.ts";
import { daysIn, HOUR_MS, SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Scanner, Tenant } from "../tenant.ts";

export function scanner(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  for (const one of tenant.scanners) {
    const hour = random.int(0, 23);
    for (const dayMs of daysIn(tenant.busy))
      scan(tenant, one, dayMs + hour * HOUR_MS + random.int(0, 900) * SECOND_MS, log, random);
  }
  return log.records;
}

function scan(tenant: Tenant, one: Scanner, startMs: number, log: Scribe, random: Random): void {
  const from = { sourceIPAddress: random.pick(one.addresses) };
  const caller = roleSession(
    one.role,
    `${one.name}-${startMs}`,
    { from, userAgent: one.userAgent, atMs: startMs },
    random,
  );
  for (const [index, region] of tenant.regions.entries())
    log.list(caller, startMs + index * 2 * SECOND_MS, region);
  const there = tenant.secrets.filter(({ versions }) => (versions[0]?.currentFromMs ?? startMs) < startMs);
  for (const [index, secret] of there.entries()) {
    const atMs = startMs + (60 + index) * SECOND_MS;
    // The canary, too: a scanner looks at what there is.
    log.about(caller, atMs, "DescribeSecret", secret);
    if (one.isRefusedPolicies) log.refused(caller, atMs, secret, "GetResourcePolicy");
    else log.about(caller, atMs, "GetResourcePolicy", secret);
  }
}
