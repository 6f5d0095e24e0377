/** A secret is encrypted with a key of another account, whose owner can lock it. */
import { accountId, keyArn } from "../arns.ts";
import { type Attack, attackOf, forgottenRole, inProduction } from "../attack.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function keySwapped(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = forgottenRole(tenant, startMs, random);
  const secret = random.pick(inProduction(tenant, startMs));
  const kmsKeyId = keyArn(accountId(random), tenant.home, random);
  log.call(thief, startMs, {
    action: "UpdateSecret",
    request: { secretId: secret.arn, kmsKeyId },
    response: { arn: secret.arn },
  });
  return attackOf(log, [thief], [secret]);
}
