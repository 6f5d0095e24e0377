/**
 * How ECS reads a request: names or ARNs to records, pages, limits, and the errors it answers. Every operation checks its
 * input through these.
 */

import { AwsError } from "../service.ts";
import type {
  ClusterRecord,
  EcsState,
  ServiceDeploymentRecord,
  ServiceRecord,
  TaskDefinitionRecord,
} from "./model.ts";

export const invalid = (message: string) => new AwsError("InvalidParameterException", message);
export const clientError = (message: string) => new AwsError("ClientException", message);

const lastPart = (nameOrArn: string) => nameOrArn.split("/").at(-1) ?? nameOrArn;

export function findCluster(state: EcsState, nameOrArn: string | undefined): ClusterRecord | undefined {
  return state.clusters.get(lastPart(nameOrArn ?? "default"));
}

export function requireCluster(state: EcsState, nameOrArn: string | undefined): ClusterRecord {
  const cluster = findCluster(state, nameOrArn);
  if (!cluster) throw new AwsError("ClusterNotFoundException", "Cluster not found.");
  return cluster;
}

export function findService(cluster: ClusterRecord, nameOrArn: string): ServiceRecord | undefined {
  const service = cluster.services.get(lastPart(nameOrArn));
  return nameOrArn.startsWith("arn:") && service?.arn !== nameOrArn ? undefined : service;
}

export function requireService(cluster: ClusterRecord, nameOrArn: string | undefined): ServiceRecord {
  const service = nameOrArn === undefined ? undefined : findService(cluster, nameOrArn);
  if (!service) throw new AwsError("ServiceNotFoundException", "Service not found.");
  return service;
}

export function requireActiveService(cluster: ClusterRecord, nameOrArn: string | undefined): ServiceRecord {
  const service = requireService(cluster, nameOrArn);
  if (service.status !== "ACTIVE") throw new AwsError("ServiceNotActiveException", "Service was not ACTIVE.");
  return service;
}

/** `family` (its latest active revision), `family:revision`, or the ARN of a revision. */
export function findTaskDefinition(state: EcsState, nameOrArn: string): TaskDefinitionRecord | undefined {
  const [family = "", revision] = lastPart(nameOrArn).split(":");
  const revisions = state.families.get(family) ?? [];
  if (revision === undefined) return revisions.findLast(({ status }) => status === "ACTIVE");
  return revisions[Number(revision) - 1];
}

/** @throws AwsError ClientException if there is none, or if it was deregistered */
export function requireTaskDefinition(state: EcsState, nameOrArn: string | undefined): TaskDefinitionRecord {
  const definition = findTaskDefinition(state, requireText(nameOrArn, "TaskDefinition"));
  if (!definition) throw clientError("TaskDefinition not found.");
  if (definition.status !== "ACTIVE") throw clientError("TaskDefinition is inactive");
  return definition;
}

export function findServiceDeployment(state: EcsState, arn: string): ServiceDeploymentRecord | undefined {
  const [, clusterName = "", serviceName = ""] = arn.split("/");
  const service = state.clusters.get(clusterName)?.services.get(serviceName);
  return service?.serviceDeployments.find((one) => one.arn === arn);
}

export function requireText(value: string | undefined, what: string): string {
  if (typeof value !== "string" || value === "") throw invalid(`${what} cannot be empty.`);
  return value;
}

export function requireList(
  value: readonly string[] | undefined,
  what: string,
  most: number,
): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) throw invalid(`${what} cannot be empty.`);
  if (value.length > most) throw invalid(`${what} cannot have more than ${most} elements.`);
  return value;
}

/**
 * One page of `items` and the token for the next. A token names the last record given, so a record that comes or goes
 * between two pages neither repeats nor hides another.
 */
export function page<T extends { readonly seq: number }>(
  items: readonly T[],
  request: { readonly nextToken?: string; readonly maxResults?: number },
  usual: number,
  most: number,
): { readonly page: readonly T[]; readonly nextToken: string | undefined } {
  const size = request.maxResults ?? usual;
  if (!Number.isInteger(size) || size < 1 || size > most)
    throw invalid(`maxResults must be between 1 and ${most}.`);
  const isNewestFirst = (items[0]?.seq ?? 0) > (items.at(-1)?.seq ?? 0);
  let rest = items;
  if (request.nextToken !== undefined) {
    const [, after] = /^after:(\d+)$/.exec(Buffer.from(request.nextToken, "base64url").toString()) ?? [];
    if (after === undefined) throw invalid("Invalid token.");
    rest = items.filter(({ seq }) => (isNewestFirst ? seq < Number(after) : seq > Number(after)));
  }
  const found = rest.slice(0, size);
  const last = found.at(-1);
  return {
    page: found,
    nextToken:
      last && rest.length > size ? Buffer.from(`after:${last.seq}`).toString("base64url") : undefined,
  };
}
