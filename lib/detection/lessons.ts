/** What one event teaches about what is usual. What was denied or failed teaches nothing: trying is no habit. */
import { fieldsOf, textOf } from "../fields.ts";
import type { Lesson } from "./history.ts";
import type { SecretEvent } from "./secretEvent.ts";

export const FACT = {
  /** In whichever Region: who reads a secret may read its replica. */
  reads: (secret: string) => `reads ${everywhere(secret)}`,
  readsAny: "reads ",
  writes: (secret: string) => `writes ${everywhere(secret)}`,
  made: (secret: string) => `made ${secret}`,
  from: (network: string) => `from ${network}`,
  with: (client: string) => `with ${client}`,
  does: (action: string, region: string) => `does ${action} ${region}`,
  /** Of a call of ours, which is made once. */
  call: (invocation: string, call: number) => `call ${invocation}.${call}`,
  busy: (day: number | "") => `busy ${day}`,
  read: "read",
  isMade: "made",
  rotates: (lambda: string) => `rotates ${lambda}`,
  every: (days: string) => `every ${days}`,
  rotation: (hour: number) => `rotation ${hour}`,
  at: (network: string, principal: string) => `at ${network} ${principal}`,
  region: (region: string) => `region ${region}`,
  key: (arn: string) => `key ${arn}`,
  rotator: (lambda: string) => `rotator ${lambda}`,
} as const;

/** From `account/Region/name`. */
const everywhere = (secret: string) => secret.replace(/^(\d{12})\/[^/]*\//, "$1/");

const READS = ["GetSecretValue", "BatchGetSecretValue"];
const WRITES = ["PutSecretValue", "UpdateSecret", "CreateSecret"];
const ROTATION = /^(Test)?Rotation(Started|Succeeded|Failed|Abandoned)$/;
const HOUR_MS = 3_600_000;

/** @param isRefresh whether a read is a tool's refresh of its own state, which must not excuse a reader */
export function lessonsOf(event: SecretEvent, isRefresh: boolean): readonly Lesson[] {
  if (event.outcome !== "allowed") return [];
  const { atMs } = event;
  const facts: Lesson[] = [];
  const learn = (subject: string, fact: string) => void facts.push({ subject, fact, atMs });
  if (event.service === "secretsmanager") {
    if (!isRefresh) ofPrincipal(event, learn);
    ofSecrets(event, isRefresh, learn);
  } else if (event.principal) learn(event.principal.key, FACT.does(event.action, event.region));
  ofAccount(event, isRefresh, learn);
  return facts;
}

type Learn = (subject: string, fact: string) => void;

function ofPrincipal(event: SecretEvent, learn: Learn): void {
  const { principal, action, region, secrets, network, client, ourMark } = event;
  if (!principal) return;
  if (ourMark && READS.includes(action)) learn(principal.key, FACT.call(ourMark.invocation, ourMark.call));
  learn(principal.key, FACT.does(action, region));
  if (network.kind !== "service") learn(principal.key, FACT.from(network.key));
  learn(principal.key, FACT.with(client));
  for (const { key } of secrets) {
    if (READS.includes(action)) learn(principal.key, FACT.reads(key));
    if (WRITES.includes(action)) learn(principal.key, FACT.writes(key));
    if (action === "CreateSecret") learn(principal.key, FACT.made(key));
  }
}

function ofSecrets({ action, secrets, request, atMs }: SecretEvent, isRefresh: boolean, learn: Learn): void {
  const lambda = textOf(request["rotationLambdaARN"]);
  const { automaticallyAfterDays: days, scheduleExpression } = fieldsOf(request["rotationRules"]);
  for (const { key } of secrets) {
    if (READS.includes(action) && !isRefresh) learn(key, FACT.read);
    if (action === "CreateSecret") learn(key, FACT.isMade);
    if (ROTATION.test(action)) learn(key, FACT.rotation(Math.floor(atMs / HOUR_MS)));
    if (action !== "RotateSecret") continue;
    if (lambda !== undefined) learn(key, FACT.rotates(lambda));
    const every = textOf(scheduleExpression) ?? (typeof days === "number" ? String(days) : undefined);
    if (every !== undefined) learn(key, FACT.every(every));
  }
}

function ofAccount(event: SecretEvent, isRefresh: boolean, learn: Learn): void {
  const { account, region, service, action, principal, network, request, keyArn } = event;
  if (keyArn !== undefined && event.secrets.length > 0) learn(account, FACT.key(keyArn));
  if (service !== "secretsmanager") return;
  if (action !== "ReplicateSecretToRegions") learn(account, FACT.region(region));
  const lambda = textOf(request["rotationLambdaARN"]);
  if (action === "RotateSecret" && lambda !== undefined) learn(account, FACT.rotator(lambda));
  if (!isRefresh && principal && !principal.isPerson && network.kind === "public")
    learn(account, FACT.at(network.key, principal.key));
}
