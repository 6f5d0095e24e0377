/**
 * Every place where a task definition, or a task's overrides, may name a secret: each container's `secrets`, its
 * environment values, its log driver's secret options, and the credentials for its image.
 */
import type { ContainerDefinition, Task, TaskDefinition } from "@aws-sdk/client-ecs";
import type { SecretReference, TaskDefinitionFacts } from "../rotation/fleet.ts";

export function taskDefinitionFacts(
  arn: string,
  definition: TaskDefinition | undefined,
): TaskDefinitionFacts {
  return {
    arn,
    references: (definition?.containerDefinitions ?? []).flatMap(containerReferences),
    ...(definition?.executionRoleArn ? { executionRole: definition.executionRoleArn } : {}),
    ...(definition?.taskRoleArn ? { taskRole: definition.taskRoleArn } : {}),
  };
}

function containerReferences(container: ContainerDefinition): SecretReference[] {
  const named = container.name ?? "";
  const resolved = (variable: string, value: string | undefined): SecretReference[] =>
    value ? [{ container: named, variable, value, via: "valueFrom" }] : [];
  return [
    ...(container.secrets ?? []).flatMap((secret) => resolved(secret.name ?? "", secret.valueFrom)),
    ...(container.logConfiguration?.secretOptions ?? []).flatMap((secret) =>
      resolved(`logConfiguration ${secret.name ?? ""}`, secret.valueFrom),
    ),
    ...resolved("repositoryCredentials", container.repositoryCredentials?.credentialsParameter),
    ...plainReferences(named, container.environment),
  ];
}

export function overrideReferences(task: Task): SecretReference[] {
  return (task.overrides?.containerOverrides ?? []).flatMap((container) =>
    plainReferences(container.name ?? "", container.environment),
  );
}

function plainReferences(
  container: string,
  environment:
    | readonly { readonly name?: string | undefined; readonly value?: string | undefined }[]
    | undefined,
): SecretReference[] {
  return (environment ?? []).map(({ name, value }) => ({
    container,
    variable: name ?? "",
    value: value ?? "",
    via: "environment",
  }));
}
