/** A plan for each change that is proposed: every managed secret is described and its value read, and nothing is listed. */
import { terraformCaller } from "../callers.ts";
import { workMomentsIn } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";
import { managedSecrets, refresh } from "../terraform.ts";

export function terraformPlan(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  for (const atMs of workMomentsIn(tenant.busy, 1.5, random))
    refresh(log, terraformCaller(tenant, atMs, random), atMs, managedSecrets(tenant));
  return log.records;
}
