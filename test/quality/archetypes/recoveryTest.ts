/** The day on which the other Region is tried out: secrets are copied there, services start there, and it is taken down. */
import { taskOf, terraformCaller } from "../callers.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function recoveryTest(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const { watched, services, recovery } = tenant;
  if (random.chance(0.6)) return [];
  const startMs = watched.fromMs + Math.floor(random.next() * (watched.toMs - watched.fromMs - DAY_MS));
  const tried = services.filter(({ tier, reads }) => tier === "production" && reads === "atStart");
  const secrets = [...new Set(tried.flatMap((service) => service.secrets))];
  const making = terraformCaller(tenant, startMs, random);
  for (const { arn } of secrets) {
    const request = {
      secretId: arn,
      addReplicaRegions: [{ region: recovery }],
      forceOverwriteReplicaSecret: false,
    };
    log.call(making, startMs, { action: "ReplicateSecretToRegions", request, response: { arn } });
  }
  for (const service of tried)
    for (const secret of service.secrets) {
      const atMs = startMs + random.int(20, 50) * MINUTE_MS;
      const copy = { ...secret, arn: secret.arn.replace(secret.region, recovery), region: recovery };
      log.read(taskOf(tenant, service, atMs, random), atMs, copy, { isByName: true });
    }
  const ending = terraformCaller(tenant, startMs + 3 * HOUR_MS, random);
  for (const { arn } of secrets) {
    const request = { secretId: arn, removeReplicaRegions: [recovery] };
    log.call(ending, startMs + 3 * HOUR_MS, {
      action: "RemoveRegionsFromReplication",
      request,
      response: { arn },
    });
  }
  return log.records;
}
