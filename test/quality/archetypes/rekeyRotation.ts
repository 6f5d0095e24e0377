/** Rekey's own rotations, in the one order that a rotation has; the services that read anew are in `ecsBoot`. */
import { jobCaller } from "../callers.ts";
import { SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function rekeyRotation(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const { rekey, rotations } = tenant;
  for (const { secret, startMs, promotedMs, oldVersion, newVersion, by } of rotations) {
    if (by !== "rekey") continue;
    const caller = jobCaller(tenant, rekey.role, rekey.functionName, startMs, random);
    const at = (seconds: number) => startMs + seconds * SECOND_MS;
    log.told(startMs, "RotationStarted", secret, newVersion);
    log.about(caller, at(1), "DescribeSecret", secret);
    log.read(caller, at(2), secret, { label: "AWSCURRENT", given: oldVersion });
    log.call(caller, at(3), {
      action: "GetRandomPassword",
      request: { passwordLength: 43, excludePunctuation: true },
    });
    log.put(caller, at(4), secret, newVersion, "AWSPENDING");
    log.read(caller, at(6), secret, { versionId: newVersion, label: "AWSPENDING" });
    log.read(caller, at(15), secret, { versionId: newVersion, label: "AWSPENDING" });
    log.moveLabel(caller, promotedMs, secret, { to: newVersion, from: oldVersion });
    log.told(promotedMs + 2 * SECOND_MS, "RotationSucceeded", secret, newVersion);
  }
  return log.records;
}
