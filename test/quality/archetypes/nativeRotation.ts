/** RDS rotates what it manages by itself, each week: nobody's role is seen, only what the services tell. */
import type { Caller } from "../callers.ts";
import { SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

const RDS = "rds.amazonaws.com";

export function nativeRotation(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const caller: Caller = {
    principal: RDS,
    account: tenant.account,
    identity: { type: "AWSService", invokedBy: RDS },
    from: { sourceIPAddress: RDS },
    userAgent: RDS,
  };
  for (const { secret, startMs, promotedMs, oldVersion, newVersion, by } of tenant.rotations) {
    if (by !== "rds") continue;
    log.told(startMs, "RotationStarted", secret, newVersion);
    log.about(caller, startMs + SECOND_MS, "DescribeSecret", secret);
    log.put(caller, startMs + 3 * SECOND_MS, secret, newVersion, "AWSPENDING");
    log.read(caller, startMs + 5 * SECOND_MS, secret, { versionId: newVersion, label: "AWSPENDING" });
    log.moveLabel(caller, promotedMs, secret, { to: newVersion, from: oldVersion });
    log.told(promotedMs + SECOND_MS, "RotationSucceeded", secret, newVersion);
  }
  return log.records;
}
