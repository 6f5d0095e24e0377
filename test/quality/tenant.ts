/** One tenant: an account, what runs in it, who works on it, and what its secrets are. Everything else is made from this. */

import type { Span } from "./moments.ts";
import type { Network } from "./network.ts";

export interface Tenant {
  readonly seed: string;
  readonly account: string;
  /** All Regions that the account has turned on. */
  readonly regions: readonly string[];
  readonly home: string;
  /** Where replicas lie, for the day on which `home` is lost. */
  readonly recovery: string;
  /** What is judged: findings before it belong to the history that the product has read when it begins. */
  readonly watched: Span;
  /** `watched` and the days before it from which what is frequent is generated. */
  readonly busy: Span;
  /** `watched` and ninety days before it, of which only what is rare is generated. */
  readonly whole: Span;
  readonly network: Network;
  readonly secrets: readonly Secret[];
  readonly services: readonly Service[];
  readonly functions: readonly LambdaFunction[];
  readonly people: readonly Person[];
  /** The role that a deployment pipeline gets for its OIDC token. */
  readonly deployRole: string;
  readonly terraform: Terraform;
  readonly scanners: readonly Scanner[];
  /** A cluster's operator that copies secrets into it. */
  readonly operator?: SecretsOperator;
  readonly backup: Job;
  readonly rareJobs: readonly Job[];
  readonly rekey: { readonly functionName: string; readonly role: string };
  readonly rotations: readonly Rotation[];
  /** An account of the same organisation whose role reads some secrets by their policy. */
  readonly sharer?: { readonly account: string; readonly role: string; readonly secrets: readonly Secret[] };
  readonly canaries: readonly Secret[];
  readonly approvals: readonly Approval[];
  /** Whether the records have one GetSecretValue for each secret of a batch; recordings differ. */
  readonly batchesHaveChildren: boolean;
}

export interface Secret {
  readonly name: string;
  readonly arn: string;
  /** As the detection keys it. */
  readonly key: string;
  readonly region: string;
  readonly tier: "production" | "staging";
  readonly kmsKey: string;
  /** In the order of their times; the last one has no end. */
  readonly versions: readonly Version[];
}

export interface Version {
  readonly id: string;
  readonly currentFromMs: number;
  readonly currentToMs?: number;
  readonly revokedAtMs?: number;
}

export interface Rotation {
  readonly secret: Secret;
  readonly by: "rekey" | "rds";
  readonly startMs: number;
  readonly promotedMs: number;
  readonly revokedMs: number;
  readonly oldVersion: string;
  readonly newVersion: string;
}

export interface Service {
  readonly name: string;
  readonly tier: Secret["tier"];
  readonly secrets: readonly Secret[];
  readonly taskRole: string;
  readonly executionRole: string;
  readonly tasks: number;
  /** By ECS at the start, by the program at its start, or by the program every hour. */
  readonly reads: "valueFrom" | "atStart" | "caching";
  /** A secret that a release in the watched days added, and when. */
  readonly added?: { readonly secret: Secret; readonly atMs: number };
}

export interface LambdaFunction {
  readonly name: string;
  readonly role: string;
  readonly secrets: readonly Secret[];
  readonly language: "nodejs" | "python";
  readonly isInVpc: boolean;
  /** Keeps a value for five seconds only. */
  readonly isChatty: boolean;
}

export interface Person {
  readonly email: string;
  /** Of the permission set, which several people share. */
  readonly role: string;
  readonly homeAddress: string;
  readonly browser: string;
}

export interface Terraform {
  /** A role's or a user's ARN. */
  readonly principal: string;
  readonly kind: "role" | "user";
  readonly accessKeyId: string;
  readonly userAgent: string;
  /** On hosted runners, or from the office. */
  readonly runsOn: "runners" | "nat";
}

export interface Scanner {
  readonly name: string;
  readonly role: string;
  readonly userAgent: string;
  readonly addresses: readonly string[];
  /** Its rights leave out the policies, so that it is refused these each time. */
  readonly isRefusedPolicies: boolean;
}

export interface SecretsOperator {
  readonly role: string;
  readonly secrets: readonly Secret[];
  readonly asks: "one by one" | "in batches";
}

export interface Job {
  readonly name: string;
  readonly role: string;
  readonly secrets: readonly Secret[];
  readonly everyDays: number;
}

export interface Approval {
  readonly principal: string;
  readonly secret: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** @throws Error before the secret's first version: a generator that reads a secret that is not there is mistaken */
export function currentVersion(secret: Secret, atMs: number): Version {
  const found = secret.versions.findLast(({ currentFromMs }) => currentFromMs <= atMs);
  if (!found) throw new Error(`${secret.name} has no version yet at ${new Date(atMs).toISOString()}`);
  return found;
}
