/** A pipeline reads what its deployments need, each run from another address, and brings a new secret now and then. */
import { pipelineCaller } from "../callers.ts";
import { HOUR_MS, SECOND_MS, workMomentsIn } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function ci(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const migrated = tenant.services.flatMap(({ secrets }) =>
    secrets.filter(({ name }) => name.endsWith("/database")),
  );
  for (const atMs of workMomentsIn(tenant.busy, 3, random)) {
    const caller = pipelineCaller(tenant, atMs, random);
    // A migration of the database runs before the release does.
    for (const secret of random.some(migrated, 1)) log.read(caller, atMs, secret, { isByName: true });
  }
  for (const { added } of tenant.services) {
    if (!added) continue;
    const { secret } = added;
    const atMs = added.atMs - HOUR_MS + SECOND_MS;
    const caller = pipelineCaller(tenant, atMs, random);
    const request = {
      name: secret.name,
      clientRequestToken: secret.versions[0]?.id,
      kmsKeyId: secret.kmsKey,
    };
    log.call(caller, atMs, {
      action: "CreateSecret",
      request,
      response: { arn: secret.arn, name: secret.name },
    });
    log.about(caller, atMs + 2 * SECOND_MS, "DescribeSecret", secret);
  }
  return log.records;
}
