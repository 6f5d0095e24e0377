/** Who calls, as records tell it: an identity, an address and a client. Whoever steals a credential keeps the first alone. */
import { accessKey, uniqueId } from "./arns.ts";
import {
  amazonAddress,
  type From,
  fromOffice,
  fromVpn,
  inside,
  runnerAddress,
  throughNat,
} from "./network.ts";
import type { Random } from "./random.ts";
import type { LambdaFunction, Person, Service, Tenant } from "./tenant.ts";

export interface Caller {
  /** As the detection keys it: the role, not the session. */
  readonly principal: string;
  readonly account: string;
  readonly identity: Readonly<Record<string, unknown>>;
  readonly from: From;
  readonly userAgent: string;
  readonly isFromConsole?: boolean;
}

export function roleSession(
  role: string,
  session: string,
  { from, userAgent, atMs }: { readonly from: From; readonly userAgent: string; readonly atMs: number },
  random: Random,
): Caller {
  const account = role.split(":")[4] ?? "";
  const userName = role.slice(role.lastIndexOf("/") + 1);
  const principalId = uniqueId("AROA", role);
  return {
    principal: role,
    account,
    from,
    userAgent,
    identity: {
      type: "AssumedRole",
      principalId: `${principalId}:${session}`,
      arn: `arn:aws:sts::${account}:assumed-role/${userName}/${session}`,
      accountId: account,
      accessKeyId: accessKey("ASIA", random),
      sessionContext: {
        sessionIssuer: { type: "Role", principalId, arn: role, accountId: account, userName },
        attributes: { creationDate: new Date(atMs - 60_000).toISOString(), mfaAuthenticated: "false" },
      },
    },
  };
}

export function userWithKey(arn: string, accessKeyId: string, from: From, userAgent: string): Caller {
  const account = arn.split(":")[4] ?? "";
  const userName = arn.slice(arn.lastIndexOf("/") + 1);
  const identity = {
    type: "IAMUser",
    principalId: uniqueId("AIDA", arn),
    arn,
    accountId: account,
    accessKeyId,
    userName,
  };
  return { principal: arn, account, identity, from, userAgent };
}

export function rootOf({ account }: Tenant, from: From, userAgent: string, random: Random): Caller {
  const arn = `arn:aws:iam::${account}:root`;
  const identity = {
    type: "Root",
    principalId: account,
    arn,
    accountId: account,
    accessKeyId: accessKey("ASIA", random),
  };
  return { principal: arn, account, identity, from, userAgent, isFromConsole: true };
}

const SDK = {
  nodejs: "aws-sdk-js/3.716.0 ua/2.1 os/linux#5.10 lang/js md/nodejs#22.12.0 api/secrets-manager#3.716.0",
  python: "Boto3/1.35.94 md/Botocore#1.35.94 ua/2.0 os/linux#5.10 md/arch#x86_64 lang/python#3.13.1",
} as const;

/** ECS itself, at the start of a task. */
export function executionOf(tenant: Tenant, service: Service, atMs: number, random: Random): Caller {
  const userAgent = "Amazon ECS Agent - v1.89.2 (*f0a1c2d3) (+http://aws.amazon.com/ecs/)";
  const from = inside(tenant.account, tenant.network, atMs, random);
  return roleSession(service.executionRole, random.text(32), { from, userAgent, atMs }, random);
}

/** A service's program in one task. */
export function taskOf(
  tenant: Tenant,
  service: Service,
  atMs: number,
  random: Random,
  userAgent: string = SDK.nodejs,
): Caller {
  const from = inside(tenant.account, tenant.network, atMs, random);
  return roleSession(service.taskRole, random.text(32), { from, userAgent, atMs }, random);
}

/** One running copy of a function. */
export function functionCaller(tenant: Tenant, one: LambdaFunction, atMs: number, random: Random): Caller {
  const from = one.isInVpc
    ? inside(tenant.account, tenant.network, atMs, random)
    : { sourceIPAddress: amazonAddress(random) };
  const runtime = one.language === "nodejs" ? "nodejs22.x" : "python3.13";
  return roleSession(
    one.role,
    one.name,
    { from, userAgent: `${SDK[one.language]} exec-env/AWS_Lambda_${runtime}`, atMs },
    random,
  );
}

/** A program of the tenant's own that runs in its network: a job, an operator, Rekey. */
export function jobCaller(
  tenant: Tenant,
  role: string,
  session: string,
  atMs: number,
  random: Random,
): Caller {
  const from = inside(tenant.account, tenant.network, atMs, random);
  return roleSession(role, session, { from, userAgent: SDK.python, atMs }, random);
}

const CLI =
  "aws-cli/2.22.12 md/awscrt#0.22.0 ua/2.0 os/linux#6.8 md/arch#x86_64 lang/python#3.12.6 md/command#secretsmanager.get-secret-value";

export function personCaller(
  tenant: Tenant,
  person: Person,
  by: "console" | "cli",
  atMs: number,
  random: Random,
): Caller {
  const { network } = tenant;
  const at = random.next();
  const from =
    at < 0.7
      ? fromOffice(network, atMs)
      : at < 0.9
        ? fromVpn(network, atMs)
        : { sourceIPAddress: person.homeAddress };
  const userAgent = by === "console" ? person.browser : CLI;
  const caller = roleSession(person.role, person.email, { from, userAgent, atMs }, random);
  return by === "console" ? { ...caller, isFromConsole: true } : caller;
}

export function pipelineCaller(tenant: Tenant, atMs: number, random: Random): Caller {
  const from = { sourceIPAddress: runnerAddress(random) };
  return roleSession(tenant.deployRole, "GitHubActions", { from, userAgent: CLI, atMs }, random);
}

export function terraformCaller({ terraform, network }: Tenant, atMs: number, random: Random): Caller {
  const from =
    terraform.runsOn === "runners" ? { sourceIPAddress: runnerAddress(random) } : throughNat(network, atMs);
  const { principal, accessKeyId, userAgent, kind } = terraform;
  if (kind === "user") return userWithKey(principal, accessKeyId, from, userAgent);
  return roleSession(principal, `aws-go-sdk-${Math.floor(atMs)}000000`, { from, userAgent, atMs }, random);
}
