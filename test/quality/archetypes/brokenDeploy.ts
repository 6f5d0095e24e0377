/** A release without its rights: one new secret is refused again and again, until somebody mends the role. */
import { executionOf } from "../callers.ts";
import { HOUR_MS, MINUTE_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function brokenDeploy(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const { watched, services } = tenant;
  const byEcs = services.filter(({ reads }) => reads === "valueFrom");
  if (byEcs.length === 0 || random.chance(0.5)) return [];
  const service = random.pick(byEcs);
  const secret = random.pick(service.secrets);
  let atMs = watched.fromMs + random.next() * (watched.toMs - watched.fromMs - 12 * HOUR_MS);
  for (let tries = random.int(4, 25); tries > 0; tries--) {
    log.refused(executionOf(tenant, service, atMs, random), atMs, secret);
    atMs += random.int(1, 6) * MINUTE_MS;
  }
  const caller = executionOf(tenant, service, atMs, random);
  for (const one of service.secrets) log.read(caller, atMs, one);
  return log.records;
}
