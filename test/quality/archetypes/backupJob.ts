/** The databases are saved each night, by a task that reads their secrets. */
import { jobCaller } from "../callers.ts";
import { daysIn, HOUR_MS, SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function backupJob(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const { role, secrets } = tenant.backup;
  for (const dayMs of daysIn(tenant.busy)) {
    const atMs = dayMs + 2 * HOUR_MS + random.int(0, 120) * SECOND_MS;
    const caller = jobCaller(tenant, role, random.text(32), atMs, random);
    for (const [index, secret] of secrets.entries()) log.read(caller, atMs + index * 90 * SECOND_MS, secret);
  }
  return log.records;
}
