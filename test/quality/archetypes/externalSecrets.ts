/** A cluster's operator copies its secrets every two hours, and all of them at once when it is started anew. */
import { roleSession } from "../callers.ts";
import { HOUR_MS, momentsIn, ticksIn } from "../moments.ts";
import { inside } from "../network.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function externalSecrets(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const { operator, busy, account, network } = tenant;
  if (!operator) return [];
  for (const atMs of [...ticksIn(busy, 2 * HOUR_MS, random), ...momentsIn(busy, 0.3, random)]) {
    const from = inside(account, network, atMs, random);
    const userAgent =
      "aws-sdk-go-v2/1.32.7 ua/2.1 os/linux lang/go#1.23.4 api/secretsmanager#1.34.8 external-secrets";
    const caller = roleSession(
      operator.role,
      "external-secrets-provider-aws",
      { from, userAgent, atMs },
      random,
    );
    if (operator.asks === "in batches")
      log.batch(caller, atMs, operator.secrets, { secretIdList: operator.secrets.map(({ name }) => name) });
    else
      for (const [index, secret] of operator.secrets.entries())
        log.read(caller, atMs + index * 80, secret, { isByName: true });
  }
  return log.records;
}
