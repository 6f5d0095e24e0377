/** An apply every few days: a refresh, and sometimes a new secret with its first value, or a new value for one of staging. */

import { secretArn } from "../arns.ts";
import { terraformCaller } from "../callers.ts";
import { SECOND_MS, workMomentsIn } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Secret, Tenant } from "../tenant.ts";
import { managedSecrets, refresh } from "../terraform.ts";

export function terraformApply(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const managed = managedSecrets(tenant);
  const made: Secret[] = [];
  for (const atMs of workMomentsIn(tenant.busy, 0.4, random)) {
    const caller = terraformCaller(tenant, atMs, random);
    refresh(log, caller, atMs, [...managed, ...made.filter((one) => currentFrom(one) < atMs)]);
    const changeMs = atMs + 20 * SECOND_MS;
    if (random.chance(0.3)) made.push(create(tenant, changeMs, random));
    const last = made.at(-1);
    if (last?.versions[0] && currentFrom(last) === changeMs) {
      const request = { name: last.name, clientRequestToken: random.uuid() };
      log.call(caller, changeMs, {
        action: "CreateSecret",
        request,
        response: { arn: last.arn, name: last.name },
      });
      log.put(caller, changeMs + SECOND_MS, last, last.versions[0].id);
    }
  }
  return log.records;
}

function create({ account, home, secrets }: Tenant, atMs: number, random: Random): Secret {
  const name = `staging/${random.text(6)}/webhook`;
  const versions = [{ id: random.uuid(), currentFromMs: atMs }];
  const kmsKey = secrets[0]?.kmsKey ?? "";
  const arn = secretArn(account, home, name, random);
  return { name, arn, key: `${account}/${home}/${name}`, region: home, tier: "staging", kmsKey, versions };
}

const currentFrom = ({ versions }: Secret) => versions[0]?.currentFromMs ?? 0;
