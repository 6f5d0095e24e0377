/** Refused everywhere at first; then the role is given a policy, and takes what it was refused. */
import { type Attack, attackOf, inProduction, stolen } from "../attack.ts";
import { functionCaller } from "../callers.ts";
import { MINUTE_MS, SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function deniedThenEscalated(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(functionCaller(tenant, random.pick(tenant.functions), startMs, random), random);
  const wanted = random.some(inProduction(tenant, startMs), random.int(3, 6));
  for (const [index, secret] of wanted.entries()) log.refused(thief, startMs + index * 4 * SECOND_MS, secret);
  const raisedMs = startMs + random.int(10, 300) * MINUTE_MS;
  const roleName = thief.principal.slice(thief.principal.lastIndexOf("/") + 1);
  const request = { roleName, policyArn: "arn:aws:iam::aws:policy/SecretsManagerReadWrite" };
  log.call(thief, raisedMs, { service: "iam", region: "us-east-1", action: "AttachRolePolicy", request });
  for (const [index, secret] of wanted.entries())
    log.read(thief, raisedMs + (60 + index * 5) * SECOND_MS, secret);
  return attackOf(log, [thief], wanted);
}
