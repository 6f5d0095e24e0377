/** A secret's policy lets in everybody. */
import { type Attack, attackOf, inProduction, stolen } from "../attack.ts";
import { pipelineCaller } from "../callers.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function publicPolicy(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(pipelineCaller(tenant, startMs, random), random);
  const secret = random.pick(inProduction(tenant, startMs));
  const statement = {
    Effect: "Allow",
    Principal: "*",
    Action: "secretsmanager:GetSecretValue",
    Resource: "*",
  };
  const resourcePolicy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const request = { secretId: secret.arn, resourcePolicy, blockPublicPolicy: false };
  log.call(thief, startMs, { action: "PutResourcePolicy", request });
  return attackOf(log, [thief], [secret]);
}
