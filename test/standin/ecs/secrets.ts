/**
 * A container's `secrets`, resolved as ECS does when a task starts: once, before any container runs, and never again
 * while the task lives. Refuses what the task's agent would refuse: a Parameter Store name, a stage together with a
 * version id.
 */
import type { ContainerDefinition } from "@aws-sdk/client-ecs";
import type { SecretUse } from "./model.ts";

/** Who a task is toward AWS. Secrets are read with the execution role, the container's own calls are made with the task role. */
export interface TaskIdentity {
  readonly taskArn: string;
  readonly family: string;
  readonly executionRoleArn: string | undefined;
  readonly taskRoleArn: string | undefined;
}

/** The secret store behind the tasks. Throws when there is no such secret, version or JSON key, or no right to it. */
export type ResolveSecret = (
  arnOrName: string,
  jsonKey: string | undefined,
  stage: string | undefined,
  versionId: string | undefined,
  reader: TaskIdentity,
) => Promise<{ readonly text: string; readonly versionId: string }>;

export interface ResolvedSecrets {
  readonly uses: readonly SecretUse[];
  /** Variables by container name. */
  readonly env: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

export async function resolveSecrets(
  containers: readonly ContainerDefinition[],
  resolve: ResolveSecret,
  reader: TaskIdentity,
): Promise<ResolvedSecrets> {
  const wanted = containers.flatMap(({ name = "", secrets = [] }) =>
    secrets.map((secret) => ({
      container: name,
      variable: secret.name ?? "",
      valueFrom: secret.valueFrom ?? "",
    })),
  );
  const resolved = await Promise.all(
    wanted.map(async (one) => {
      const { text, versionId } = await resolve(...takeApart(one.valueFrom), reader);
      return { use: { ...one, versionId }, text };
    }),
  );
  const env = new Map<string, Record<string, string>>();
  for (const { use, text } of resolved)
    env.set(use.container, { ...env.get(use.container), [use.variable]: text });
  return { uses: resolved.map(({ use }) => use), env };
}

/** `arn:...:secret:name[-suffix][:json-key:version-stage:version-id]`, each of the three may be empty. */
function takeApart(valueFrom: string): [string, string | undefined, string | undefined, string | undefined] {
  const parts = valueFrom.split(":");
  if (parts[2] !== "secretsmanager" || parts[5] !== "secret" || parts.length > 10) {
    throw new Error(`${valueFrom} is not the ARN of a secret; there is no Parameter Store here`);
  }
  const [jsonKey, stage, versionId] = parts.slice(7).map((part) => (part === "" ? undefined : part));
  if (stage !== undefined && versionId !== undefined) {
    throw new Error(`${valueFrom} names both a version stage and a version id`);
  }
  return [parts.slice(0, 7).join(":"), jsonKey, stage, versionId];
}
