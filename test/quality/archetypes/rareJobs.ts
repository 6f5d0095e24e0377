/** What runs once a month or once a quarter: the last run of the latter lies just outside of the ninety days of history. */
import { jobCaller } from "../callers.ts";
import { DAY_MS, HOUR_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function rareJobs(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const { whole, watched, rareJobs: jobs } = tenant;
  for (const { name, role, secrets, everyDays } of jobs) {
    const lastMs = watched.toMs - random.next() * Math.min(28, everyDays) * DAY_MS - HOUR_MS;
    for (let atMs = lastMs; atMs > whole.fromMs; atMs -= everyDays * DAY_MS) {
      const caller = jobCaller(tenant, role, name, atMs, random);
      for (const secret of secrets) log.read(caller, atMs, secret);
    }
  }
  return log.records;
}
