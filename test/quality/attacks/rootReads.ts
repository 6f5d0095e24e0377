/** The account's root user, in the console. */
import { type Attack, attackOf, inProduction } from "../attack.ts";
import { rootOf } from "../callers.ts";
import { SECOND_MS } from "../moments.ts";
import { strangersAddress } from "../network.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function rootReads(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const from = { sourceIPAddress: strangersAddress(random) };
  const root = rootOf(tenant, from, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36", random);
  const secret = random.pick(inProduction(tenant, startMs));
  log.list(root, startMs);
  log.read(root, startMs + 30 * SECOND_MS, secret);
  return attackOf(log, [root], [secret]);
}
