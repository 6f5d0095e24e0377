/** Rekey looks at what there is each night: all secrets of the Region are listed and described, and no value is read. */

import { roleArn } from "../arns.ts";
import { jobCaller } from "../callers.ts";
import { daysIn, HOUR_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";
import { managedSecrets } from "../terraform.ts";

export function rekeyAudit(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const role = roleArn(tenant.account, "rekey-production-audit");
  for (const dayMs of daysIn(tenant.busy)) {
    const atMs = dayMs + 5 * HOUR_MS;
    const caller = jobCaller(tenant, role, "rekey-audit", atMs, random);
    log.list(caller, atMs);
    for (const secret of managedSecrets(tenant)) {
      log.about(caller, atMs, "DescribeSecret", secret);
      log.about(caller, atMs, "GetResourcePolicy", secret);
    }
  }
  return log.records;
}
