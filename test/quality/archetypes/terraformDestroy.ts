/** An environment made for one proposed change: its secrets are created, refreshed with each push, and deleted for good. */

import { secretArn } from "../arns.ts";
import { terraformCaller } from "../callers.ts";
import { HOUR_MS, SECOND_MS, workMomentsIn } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Secret, Tenant } from "../tenant.ts";
import { refresh } from "../terraform.ts";

export function terraformDestroy(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  if (random.chance(0.5)) return [];
  for (const startMs of workMomentsIn(tenant.busy, 0.3, random)) {
    const own = environment(tenant, startMs, random);
    const making = terraformCaller(tenant, startMs, random);
    for (const secret of own) {
      const request = { name: secret.name, clientRequestToken: secret.versions[0]?.id };
      log.call(making, startMs, {
        action: "CreateSecret",
        request,
        response: { arn: secret.arn, name: secret.name },
      });
    }
    for (const hours of [1, 3]) {
      const atMs = startMs + hours * HOUR_MS;
      refresh(log, terraformCaller(tenant, atMs, random), atMs, own);
    }
    const endMs = startMs + random.int(5, 30) * HOUR_MS;
    if (endMs >= tenant.watched.toMs) continue;
    const ending = terraformCaller(tenant, endMs, random);
    refresh(log, ending, endMs, own);
    for (const secret of own) {
      const request = { secretId: secret.arn, forceDeleteWithoutRecovery: true };
      const response = { arn: secret.arn, name: secret.name };
      log.call(ending, endMs + 10 * SECOND_MS, { action: "DeleteSecret", request, response });
    }
  }
  return log.records;
}

function environment({ account, home, secrets }: Tenant, atMs: number, random: Random): Secret[] {
  const name = `pr-${random.int(100, 9999)}`;
  const kmsKey = secrets[0]?.kmsKey ?? "";
  return ["database", "redis", "jwt", "oauth"].slice(0, random.int(2, 4)).map((kind): Secret => {
    const path = `staging/${name}/${kind}`;
    const arn = secretArn(account, home, path, random);
    const versions = [{ id: random.uuid(), currentFromMs: atMs }];
    return {
      name: path,
      arn,
      key: `${account}/${home}/${path}`,
      region: home,
      tier: "staging",
      kmsKey,
      versions,
    };
  });
}
