/** A user's key that was found somewhere: a few secrets, read by hand. */
import { accessKey } from "../arns.ts";
import { type Attack, attackOf, BY_HAND, standing } from "../attack.ts";
import { userWithKey } from "../callers.ts";
import { SECOND_MS } from "../moments.ts";
import { strangersAddress } from "../network.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function leakedUserKey(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const arn = `arn:aws:iam::${tenant.account}:user/${random.pick(["jenkins", "svc-reports", "uploader"])}`;
  const from = { sourceIPAddress: strangersAddress(random) };
  const thief = userWithKey(arn, accessKey("AKIA", random), from, BY_HAND);
  const taken = random.some(standing(tenant, startMs), random.int(1, 5));
  for (const [index, secret] of taken.entries())
    log.read(thief, startMs + index * 15 * SECOND_MS, secret, { isByName: true });
  return attackOf(log, [thief], taken);
}
