/** The key that all secrets are encrypted with is turned off, or set to be deleted. */
import { type Attack, attackOf, forgottenRole } from "../attack.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function keyDisabled(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = forgottenRole(tenant, startMs, random);
  const keyId = tenant.secrets[0]?.kmsKey ?? "";
  const [action, request] = random.chance(0.5)
    ? ["DisableKey", { keyId }]
    : ["ScheduleKeyDeletion", { keyId, pendingWindowInDays: 7 }];
  const resources = [{ accountId: tenant.account, type: "AWS::KMS::Key", ARN: keyId }];
  log.call(thief, startMs, { service: "kms", action, request, more: { resources } });
  return attackOf(log, [thief], []);
}
