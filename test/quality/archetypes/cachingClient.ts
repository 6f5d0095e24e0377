/** A client with a cache of an hour: it asks which version is current, then for that version by its id. */
import { taskOf } from "../callers.ts";
import { HOUR_MS, ticksIn } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import { currentVersion, type Tenant } from "../tenant.ts";

const AGENT =
  "Boto3/1.35.94 md/Botocore#1.35.94 ua/2.0 os/linux#5.10 lang/python#3.12.8 AwsSecretCache/1.1.3";

export function cachingClient(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  for (const service of tenant.services.filter(({ reads }) => reads === "caching"))
    for (const atMs of ticksIn(tenant.busy, HOUR_MS, random)) {
      const caller = taskOf(tenant, service, atMs, random, AGENT);
      const { added } = service;
      for (const secret of added && added.atMs <= atMs
        ? [...service.secrets, added.secret]
        : service.secrets) {
        log.about(caller, atMs, "DescribeSecret", secret);
        log.read(caller, atMs + 60, secret, { versionId: currentVersion(secret, atMs).id });
      }
    }
  return log.records;
}
