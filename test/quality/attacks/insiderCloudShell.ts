/** A person with every right to sign in reads secrets of production in CloudShell, without anybody's approval. */
import { type Attack, anyPerson, attackOf, inProduction } from "../attack.ts";
import { MINUTE_MS } from "../moments.ts";
import { amazonAddress } from "../network.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

const AGENT =
  "aws-cli/2.22.12 md/awscrt#0.22.0 ua/2.0 os/linux#6.1.119 md/arch#x86_64 lang/python#3.12.6 exec-env/CloudShell";

export function insiderCloudShell(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const from = { sourceIPAddress: amazonAddress(random) };
  const insider = { ...anyPerson(tenant, "console", startMs, random), from, userAgent: AGENT };
  const taken = random.some(inProduction(tenant, startMs), random.int(1, 3));
  for (const [index, secret] of taken.entries())
    log.read(insider, startMs + index * random.int(1, 6) * MINUTE_MS, secret, { isByName: true });
  return attackOf(log, [insider], taken);
}
