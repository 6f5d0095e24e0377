/** What was read first is deleted for good, one after the other. */
import { type Attack, attackOf, forgottenRole, standing } from "../attack.ts";
import { MINUTE_MS, SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function ransom(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = forgottenRole(tenant, startMs, random);
  const taken = random.some(standing(tenant, startMs), random.int(4, 10));
  log.list(thief, startMs);
  for (const [index, secret] of taken.entries()) {
    log.read(thief, startMs + (index + 1) * 3 * SECOND_MS, secret);
    const request = { secretId: secret.arn, forceDeleteWithoutRecovery: true };
    log.call(thief, startMs + 20 * MINUTE_MS + index * 3 * SECOND_MS, { action: "DeleteSecret", request });
  }
  return attackOf(log, [thief], taken);
}
