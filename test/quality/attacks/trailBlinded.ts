/** The trail is stopped, or told to leave out what reads; then secrets are read. */
import { type Attack, attackOf, forgottenRole, inProduction } from "../attack.ts";
import { MINUTE_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function trailBlinded(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = forgottenRole(tenant, startMs, random);
  const name = `arn:aws:cloudtrail:${tenant.home}:${tenant.account}:trail/management-events`;
  const how = random.pick(["StopLogging", "DeleteTrail", "PutEventSelectors", "UpdateTrail"]);
  const selectors = { eventSelectors: [{ readWriteType: "WriteOnly", includeManagementEvents: true }] };
  const rest =
    how === "PutEventSelectors" ? selectors : how === "UpdateTrail" ? { isMultiRegionTrail: false } : {};
  const request = { [how === "PutEventSelectors" ? "trailName" : "name"]: name, ...rest };
  log.call(thief, startMs, { service: "cloudtrail", action: how, request });
  const taken = random.some(inProduction(tenant, startMs), 2);
  // The event history still has it, whatever became of the trail.
  for (const secret of taken) log.read(thief, startMs + random.int(2, 30) * MINUTE_MS, secret);
  return attackOf(log, [thief], taken);
}
