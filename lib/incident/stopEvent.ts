/**
 * An EventBridge event of ECS as one of the two things that a verdict is about: a task that stopped (or has been given
 * notice), or what a service says of itself. Delivery is at least once and in any order: a task's events are told apart by
 * its ARN and `version`, which grows with each change; a service's have only their id.
 *
 * Source: Amazon ECS developer guide, "Amazon ECS events"; stop codes from the SDK's own list.
 */
import { type Fields, fieldsOf } from "../fields.ts";
import { integerOf, listOf, textOf, timeOf } from "./eventFields.ts";
import { scrub } from "./scrub.ts";

export interface ContainerEnd {
  readonly name: string;
  /** Absent when it never ran. */
  readonly exitCode?: number;
  readonly reason?: string;
}

interface Named {
  /** Of a task its ARN, of a service's event its own id. */
  readonly id: string;
  readonly version: number;
  readonly cluster: string;
  /** `cluster/service`; a task of no service is called after its group: `cluster/family:cleanup`. */
  readonly name: string;
  readonly region: string;
  readonly atMs: number;
  readonly reason: string;
}

export interface TaskStop extends Named {
  readonly kind: "task";
  readonly service?: string;
  readonly taskDefinition: string;
  /** The deployment's id, for a task of a service. */
  readonly startedBy?: string;
  /** As ECS wrote it; a code that is not known yet is a code, too. */
  readonly stopCode?: string;
  readonly containers: readonly ContainerEnd[];
  readonly startedAtMs?: number;
  readonly stoppingAtMs?: number;
  readonly zone?: string;
}

export interface ServiceSignal extends Named {
  readonly kind: "service";
  readonly service: string;
  readonly eventName: string;
  /** By ECS's own word; WARN and ERROR are the others. */
  readonly isInfo: boolean;
  readonly deploymentId?: string;
}

export type StopEvent = TaskStop | ServiceSignal;

/** Why an event is not for us; `malformed` names the field. */
export type Refusal =
  | { readonly refused: "not ECS" | "another kind of event" | "no stop" }
  | { readonly refused: "malformed"; readonly field: string };

const MOST_CONTAINERS = 50;
const CLUSTER = /^arn:[\w-]{2,20}:ecs:[\w-]{2,30}:\d{12}:cluster\/[\w-]{1,255}$/;
const TASK = /^arn:[\w-]{2,20}:ecs:[\w-]{2,30}:\d{12}:task\/[\w/-]{1,300}$/;
const DEFINITION = /^arn:[\w-]{2,20}:ecs:[\w-]{2,30}:\d{12}:task-definition\/[\w-]{1,255}:\d{1,9}$/;
const SERVICE = /^(arn:[\w-]{2,20}:ecs:[\w-]{2,30}:\d{12}:)service\/(?:([\w-]{1,255})\/)?([\w-]{1,255})$/;

export const isRefusal = (event: StopEvent | Refusal): event is Refusal => "refused" in event;

/** Never throws, whatever it is given. */
export function readStopEvent(event: unknown): StopEvent | Refusal {
  const envelope = fieldsOf(event);
  if (envelope["source"] !== "aws.ecs") return { refused: "not ECS" };
  const kind = envelope["detail-type"];
  if (kind === "ECS Task State Change") return taskStop(envelope, fieldsOf(envelope["detail"]));
  if (kind === "ECS Service Action" || kind === "ECS Deployment State Change")
    return serviceSignal(envelope, fieldsOf(envelope["detail"]));
  return { refused: "another kind of event" };
}

const malformed = (field: string): Refusal => ({ refused: "malformed", field });

function taskStop(envelope: Fields, detail: Fields): StopEvent | Refusal {
  const status = detail["lastStatus"];
  const stopCode = textOf(detail["stopCode"]);
  // A Spot task is told two minutes ahead, and runs on.
  if (status !== "STOPPED" && !(status === "RUNNING" && stopCode === "TerminationNotice"))
    return { refused: "no stop" };
  const id = matched(detail["taskArn"], TASK);
  const cluster = matched(detail["clusterArn"], CLUSTER);
  const taskDefinition = matched(detail["taskDefinitionArn"], DEFINITION);
  const version = integerOf(detail["version"]);
  const atMs = timeOf(detail["stoppedAt"]) ?? timeOf(detail["stoppingAt"]) ?? timeOf(envelope["time"]);
  if (id === undefined) return malformed("detail.taskArn");
  if (cluster === undefined) return malformed("detail.clusterArn");
  if (taskDefinition === undefined) return malformed("detail.taskDefinitionArn");
  if (version === undefined) return malformed("detail.version");
  if (atMs === undefined) return malformed("time");
  const group = textOf(detail["group"]) ?? "family:unknown";
  const service = group.startsWith("service:") ? group.slice("service:".length) : undefined;
  return {
    kind: "task",
    id,
    version,
    cluster,
    name: `${lastOf(cluster)}/${service ?? group}`,
    region: id.split(":")[3] ?? "",
    atMs,
    reason: scrub(textOf(detail["stoppedReason"]) ?? ""),
    taskDefinition,
    containers: listOf(detail["containers"], MOST_CONTAINERS).map(containerEnd),
    ...given("service", service),
    ...given("startedBy", textOf(detail["startedBy"])),
    ...given("stopCode", stopCode),
    ...given("startedAtMs", timeOf(detail["startedAt"])),
    ...given("stoppingAtMs", timeOf(detail["stoppingAt"])),
    ...given("zone", textOf(detail["availabilityZone"])),
  };
}

function serviceSignal(envelope: Fields, detail: Fields): StopEvent | Refusal {
  const [resource] = listOf(envelope["resources"], 1);
  const [, prefix, inCluster, service] = SERVICE.exec(textOf(resource) ?? "") ?? [];
  const cluster =
    matched(detail["clusterArn"], CLUSTER) ?? (inCluster && prefix && `${prefix}cluster/${inCluster}`);
  const id = textOf(envelope["id"]);
  const eventName = textOf(detail["eventName"]);
  const atMs = timeOf(detail["createdAt"]) ?? timeOf(detail["updatedAt"]) ?? timeOf(envelope["time"]);
  if (id === undefined) return malformed("id");
  if (service === undefined || !cluster) return malformed("resources");
  if (eventName === undefined) return malformed("detail.eventName");
  if (atMs === undefined) return malformed("time");
  return {
    kind: "service",
    id,
    version: 0,
    cluster,
    name: `${lastOf(cluster)}/${service}`,
    region: cluster.split(":")[3] ?? "",
    atMs,
    reason: scrub(textOf(detail["reason"]) ?? ""),
    service,
    eventName,
    isInfo: detail["eventType"] === "INFO",
    ...given("deploymentId", textOf(detail["deploymentId"])),
  };
}

function containerEnd(value: unknown): ContainerEnd {
  const container = fieldsOf(value);
  const reason = textOf(container["reason"]);
  return {
    name: textOf(container["name"]) ?? "unnamed",
    ...given("exitCode", integerOf(container["exitCode"])),
    ...given("reason", reason === undefined ? undefined : scrub(reason)),
  };
}

function matched(value: unknown, pattern: RegExp): string | undefined {
  const text = textOf(value);
  return text !== undefined && pattern.test(text) ? text : undefined;
}

const lastOf = (arn: string) => arn.split("/").at(-1) ?? arn;

/** The field, or nothing: what ECS did not say stays absent. */
const given = <Key extends string, Value>(key: Key, value: Value | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
