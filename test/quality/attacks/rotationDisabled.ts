/** The rotation of a secret is turned off, so that what was stolen stays good. */
import { type Attack, anyPerson, attackOf, inProduction, stolen } from "../attack.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function rotationDisabled(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(anyPerson(tenant, "cli", startMs, random), random);
  const secret = random.pick(inProduction(tenant, startMs));
  log.call(thief, startMs, {
    action: "CancelRotateSecret",
    request: { secretId: secret.arn },
    response: { arn: secret.arn },
  });
  return attackOf(log, [thief], [secret]);
}
