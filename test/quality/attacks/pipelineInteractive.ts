/** The role of the pipeline, taken by a changed workflow and used by a person at a keyboard. */
import { type Attack, attackOf, BY_HAND, standing } from "../attack.ts";
import { pipelineCaller } from "../callers.ts";
import { SECOND_MS } from "../moments.ts";
import { strangersAddress } from "../network.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function pipelineInteractive(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const caller = pipelineCaller(tenant, startMs, random);
  // Half of them stay on the runner and send home what they read.
  const from = random.chance(0.5) ? caller.from : { sourceIPAddress: strangersAddress(random) };
  const thief = { ...caller, from, userAgent: BY_HAND };
  const taken = random.some(standing(tenant, startMs), random.int(3, 8));
  log.list(thief, startMs);
  for (const [index, secret] of taken.entries())
    log.read(thief, startMs + (index + 1) * 11 * SECOND_MS, secret);
  return attackOf(log, [thief], taken);
}
