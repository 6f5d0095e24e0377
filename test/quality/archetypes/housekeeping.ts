/** Small changes to secrets: tags, descriptions, policies for one's own roles, a value of staging, and one that is given up. */
import { personCaller, terraformCaller } from "../callers.ts";
import { MINUTE_MS, workMomentsIn } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Secret, Tenant } from "../tenant.ts";
import { managedSecrets } from "../terraform.ts";

export function housekeeping(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const managed = managedSecrets(tenant);
  for (const atMs of workMomentsIn(tenant.whole, 0.2, random)) {
    const caller = terraformCaller(tenant, atMs, random);
    log.call(caller, atMs, changeOf(tenant, random.pick(managed), random));
  }
  const staging = managed.filter(({ tier }) => tier === "staging");
  for (const atMs of workMomentsIn(tenant.whole, 0.08, random)) {
    const person = personCaller(tenant, random.pick(tenant.people), "console", atMs, random);
    const secret = random.pick(staging);
    log.about(person, atMs, "DescribeSecret", secret);
    if (random.chance(0.7)) log.put(person, atMs + MINUTE_MS, secret, random.uuid());
    else {
      // Given up by mistake, and taken back.
      const request = { secretId: secret.arn, recoveryWindowInDays: 30 };
      log.call(person, atMs + MINUTE_MS, { action: "DeleteSecret", request, response: { arn: secret.arn } });
      log.about(person, atMs + 5 * MINUTE_MS, "RestoreSecret", secret);
    }
  }
  return log.records;
}

function changeOf({ account, deployRole }: Tenant, { arn, kmsKey }: Secret, random: Random) {
  const Principal = { AWS: deployRole };
  const own = { Effect: "Allow", Principal, Action: "secretsmanager:DescribeSecret", Resource: "*" };
  const changes = [
    {
      action: "TagResource",
      request: { secretId: arn, tags: [{ key: "team", value: `team-${account.slice(0, 2)}` }] },
    },
    {
      action: "UpdateSecret",
      request: { secretId: arn, description: "what the application needs", kmsKeyId: kmsKey },
    },
    {
      action: "PutResourcePolicy",
      request: { secretId: arn, resourcePolicy: JSON.stringify({ Statement: [own] }) },
    },
  ];
  return { ...random.pick(changes), response: { arn } };
}
