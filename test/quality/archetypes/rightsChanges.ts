/** Terraform changes roles' rights and schedules, and services take grants of keys for their disks. */
import { roleArn } from "../arns.ts";
import { roleSession, terraformCaller } from "../callers.ts";
import { momentsIn, SECOND_MS, workMomentsIn } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function rightsChanges(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const { account, services, busy } = tenant;
  for (const atMs of workMomentsIn(busy, 0.4, random)) {
    const caller = terraformCaller(tenant, atMs, random);
    const role = random.pick(services).taskRole;
    const roleName = role.slice(role.lastIndexOf("/") + 1);
    const policyArn = `arn:aws:iam::${account}:policy/${roleName}`;
    const change = random.pick([
      { action: "AttachRolePolicy", request: { roleName, policyArn } },
      { action: "CreatePolicyVersion", request: { policyArn, policyDocument: "{}", setAsDefault: true } },
      { action: "PutRolePolicy", request: { roleName, policyName: "queues", policyDocument: "{}" } },
    ]);
    log.call(caller, atMs, { service: "iam", region: "us-east-1", ...change });
    const rule = { name: `${roleName}-schedule`, scheduleExpression: "rate(1 hour)", state: "ENABLED" };
    if (random.chance(0.3))
      log.call(caller, atMs + SECOND_MS, { service: "events", action: "PutRule", request: rule });
  }
  for (const atMs of momentsIn(busy, 0.5, random)) {
    const from = { sourceIPAddress: "autoscaling.amazonaws.com" };
    const role = roleArn(account, "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling");
    const caller = roleSession(
      role,
      "AutoScaling",
      { from, userAgent: "autoscaling.amazonaws.com", atMs },
      random,
    );
    const request = { granteePrincipal: role, operations: ["Decrypt", "CreateGrant"], keyId: `alias/disks` };
    log.call(caller, atMs, { service: "kms", action: "CreateGrant", request });
  }
  return log.records;
}
