/** A secret's policy lets in a role of the thief's own account, which then reads it. */
import { accountId, roleArn } from "../arns.ts";
import { type Attack, anyPerson, attackOf, BY_HAND, inProduction, stolen } from "../attack.ts";
import { roleSession } from "../callers.ts";
import { MINUTE_MS } from "../moments.ts";
import { strangersAddress } from "../network.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function foreignPolicyRead(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const insider = stolen(anyPerson(tenant, "cli", startMs, random), random);
  const foreign = roleArn(accountId(random), "loader");
  const secret = random.pick(inProduction(tenant, startMs));
  const statement = {
    Effect: "Allow",
    Principal: { AWS: foreign },
    Action: "secretsmanager:GetSecretValue",
    Resource: "*",
  };
  const resourcePolicy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  log.call(insider, startMs, {
    action: "PutResourcePolicy",
    request: { secretId: secret.arn, resourcePolicy },
  });
  const atMs = startMs + random.int(2, 50) * MINUTE_MS;
  const from = { sourceIPAddress: strangersAddress(random) };
  const thief = roleSession(foreign, random.text(8), { from, userAgent: BY_HAND, atMs }, random);
  log.read(thief, atMs, secret);
  return attackOf(log, [insider, thief], [secret]);
}
