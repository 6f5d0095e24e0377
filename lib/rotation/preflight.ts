/**
 * Every reason to refuse a secret that can be read off Secrets Manager and ECS. Pure: the facts are gathered before, for
 * all secrets at once, and nothing has been changed yet. What the target itself objects to comes from `Strategy.inspect`.
 */
import type { ErrorCode } from "../errors.ts";
import type { Consumers } from "./consumers.ts";
import { findTraps } from "./consumers.ts";
import type { FleetFacts, ServiceFacts } from "./fleet.ts";
import type { ManagedSecret } from "./managed.ts";
import { holderOf, type SecretFacts } from "./secretStore.ts";
import type { Objection, Wave } from "./strategy.ts";

interface NativeDoor {
  /** Whether the function that Secrets Manager asks is Rekey's own. */
  readonly isOurs: boolean;
  /** The version that AWSPENDING keeps for somebody else. */
  readonly pending?: string;
}

/**
 * @param openRun the run that still has this secret's rotation open, if any
 * @param native what Secrets Manager's own rotation of this secret means to whoever asks
 */
export function objectToSecret(
  facts: SecretFacts,
  managed: ManagedSecret,
  known: ReadonlySet<string>,
  openRun: string | undefined,
  native: NativeDoor,
): readonly Objection[] {
  const { name } = facts;
  const objections: Objection[] = [...managed.objections];
  const object = (code: Objection["code"], message: string) =>
    objections.push({ code, message: `${name}: ${message}` });

  if (facts.deletedAt)
    object("SECRET_DELETED", "is scheduled for deletion; restore it, or take its rekey:* tags off");
  if (facts.owningService) {
    object(
      "SERVICE_OWNED",
      `is owned by ${facts.owningService}, which rotates it itself; take the rekey:* tags off`,
    );
  }
  if (facts.rotationEnabled && !native.isOurs) {
    object(
      "NATIVELY_ROTATED",
      "has Secrets Manager's own rotation turned on, by another function; two rotators would fight, so cancel that one, or attach Rekey's rotateSecret with aws secretsmanager rotate-secret",
    );
  }
  for (const credential of managed.credentials.filter(({ strategy }) => !known.has(strategy))) {
    const tag = credential.field === undefined ? "rekey:strategy" : `rekey:field:${credential.field}`;
    object(
      "UNKNOWN_STRATEGY",
      `tag ${tag} names the strategy ${JSON.stringify(credential.strategy)}; known are ${[...known].sort().join(", ")}`,
    );
  }
  if (openRun !== undefined) {
    object(
      "ROTATION_OPEN",
      `an earlier rotation is not finished: run ${openRun} has yet to revoke the old value`,
    );
  }
  const current = holderOf(facts, "AWSCURRENT");
  if (!current && !facts.deletedAt)
    object("SECRET_UNREADABLE", "has no version with AWSCURRENT; put a value first");
  if (openRun === undefined && native.pending && native.pending !== current?.versionId) {
    object(
      "FOREIGN_PENDING",
      `AWSPENDING sits on version ${native.pending}, which no open rotation of ours made; find out who left it there and remove that label`,
    );
  }
  return objections;
}

/** Secrets Manager carries one version through its four steps; what must be out there before it is not among them. */
export function objectToWaves(name: string, waves: readonly Wave[]): readonly Objection[] {
  if (!waves.includes("publish")) return [];
  const command = `npx sls invoke -f rotateAll -d '${JSON.stringify({ only: [name] })}'`;
  return [
    {
      code: "PUBLISH_FIRST",
      message: `${name}: some running task does not know its next key yet, and Secrets Manager's own rotation has no step that publishes one; rotate it once with ${command}`,
    },
  ];
}

export function objectToConsumers(
  managed: ManagedSecret,
  consumers: Consumers,
  fleet: FleetFacts,
): readonly Objection[] {
  const fields = managed.credentials.flatMap(({ field }) => (field === undefined ? [] : [field]));
  return [
    ...findTraps(consumers, fleet, fields).map(({ code, message }) => ({ code, message })),
    ...consumers.services.flatMap(({ service }) => objectToService(service)),
    ...consumers.missing.map(
      (declared): Objection => ({
        code: "TAG_INVALID",
        message: `${managed.name}: tag rekey:consumers names ${declared}, and no such service runs in the clusters that Rekey may see`,
      }),
    ),
  ];
}

/** A rollout needs a way back, so the service must stand on a deployment that once succeeded. */
function objectToService(service: ServiceFacts): readonly Objection[] {
  const { name, desiredCount, runningCount, pendingCount, controller } = service;
  if (controller !== "ECS") {
    return [
      {
        code: "UNSUPPORTED_TARGET",
        message: `service ${name} is deployed by ${controller}; Rekey redeploys services with ECS's own rolling deployments`,
      },
    ];
  }
  const newest = service.deployments[0];
  if (newest?.status === "failed") {
    return [
      {
        code: "LAST_DEPLOYMENT_FAILED",
        message: `the last deployment of service ${name} failed${newest.reason ? ` (${newest.reason})` : ""}; deploy it well once before its secrets change`,
      },
    ];
  }
  if (newest?.status === "running" || runningCount !== desiredCount || pendingCount > 0) {
    return [
      {
        code: "SERVICE_NOT_STEADY",
        message: `service ${name} is not steady: ${runningCount} of ${desiredCount} tasks run${newest?.status === "running" ? " and a deployment is in progress" : ""}; wait for it, or mend it`,
      },
    ];
  }
  return [];
}

/** What a routine rotation rather waits for, and what must not keep a leaked value alive. */
const WAIVED: readonly ErrorCode[] = [
  "ROTATION_OPEN",
  "SERVICE_NOT_STEADY",
  "LAST_DEPLOYMENT_FAILED",
  "PINNED_VERSION",
  "SHADOWED_KEY",
  "STRAGGLERS",
  "TARGET_REFUSES_CURRENT",
];

/**
 * Which objections still count in an emergency. A password that somebody added at the target is one more to kill; an
 * AWSPENDING that somebody left in Secrets Manager is in the way.
 */
export function waive(
  objections: readonly Objection[],
  atTarget: readonly Objection[],
): { readonly blocking: readonly Objection[]; readonly waived: readonly string[] } {
  const isWaived = ({ code }: Objection) => WAIVED.includes(code);
  const isWaivedAtTarget = (one: Objection) => isWaived(one) || one.code === "FOREIGN_PENDING";
  const waived = [...objections.filter(isWaived), ...atTarget.filter(isWaivedAtTarget)];
  return {
    blocking: [
      ...objections.filter((one) => !isWaived(one)),
      ...atTarget.filter((one) => !isWaivedAtTarget(one)),
    ],
    waived: waived.map(({ message }) => `gone ahead although: ${message}`),
  };
}

/** What is worth saying although it does not stop the rotation. */
export function notesOn(managed: ManagedSecret, consumers: Consumers, isPlain: boolean): readonly string[] {
  const notes: string[] = [];
  if (consumers.services.length + consumers.tasks.length === 0) {
    notes.push("no ECS service or task uses it as far as can be seen; nothing will be redeployed");
  }
  if (isPlain) {
    notes.push("its plain string becomes a JSON document; every consumer must read the document's fields");
  }
  for (const { task } of consumers.tasks) {
    notes.push(
      `task ${task.taskArn.split("/").at(-1)} runs outside any service: the old value lives until that task ends`,
    );
  }
  for (const { label, admin } of managed.credentials) {
    if (admin === managed.name || admin === managed.arn) notes.push(`${label} is its own admin`);
  }
  return notes;
}
