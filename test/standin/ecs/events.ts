/**
 * What the stand-in's ECS tells the world by itself: EventBridge events, and changes of a service's targets for whoever
 * plays the load balancer. Nothing waits for a listener, and losing an event loses no state.
 */
import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { describeTask } from "./describe.ts";
import type { DeploymentRecord, EcsState, ServiceRecord, Target, TaskRecord } from "./model.ts";

/** As EventBridge delivers it. */
export interface EcsEvent {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": "ECS Deployment State Change" | "ECS Service Action" | "ECS Task State Change";
  readonly source: "aws.ecs";
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

type DeploymentEventName =
  | "SERVICE_DEPLOYMENT_IN_PROGRESS"
  | "SERVICE_DEPLOYMENT_COMPLETED"
  | "SERVICE_DEPLOYMENT_FAILED";

/** `event` carries an EcsEvent; `targets` the service's name and all its targets. */
export type EcsEmitter = EventEmitter<{ event: [EcsEvent]; targets: [string, readonly Target[]] }>;

export interface Announcer {
  readonly emitter: EcsEmitter;
  taskChanged(task: TaskRecord): void;
  deploymentChanged(service: ServiceRecord, deployment: DeploymentRecord, name: DeploymentEventName): void;
  /** A service that lacked tasks has all of them again. */
  becameSteady(service: ServiceRecord): void;
  targetsChanged(service: ServiceRecord): void;
}

const isoSecond = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;

export function createAnnouncer(state: EcsState): Announcer {
  const emitter: EcsEmitter = new EventEmitter();
  const emit = (
    detailType: EcsEvent["detail-type"],
    resource: string,
    detail: Readonly<Record<string, unknown>>,
  ) =>
    emitter.emit("event", {
      version: "0",
      id: randomUUID(),
      "detail-type": detailType,
      source: "aws.ecs",
      account: state.account,
      time: isoSecond(Date.now()),
      region: state.region,
      resources: [resource],
      detail,
    });
  return {
    emitter,
    taskChanged(task) {
      // The same description as DescribeTasks gives, with times as text.
      const detail = Object.entries(describeTask(task)).map(([key, value]) => [
        key,
        key.endsWith("At") && typeof value === "number" ? new Date(value * 1000).toISOString() : value,
      ]);
      emit("ECS Task State Change", task.arn, Object.fromEntries(detail));
    },
    deploymentChanged(service, deployment, eventName) {
      emit("ECS Deployment State Change", service.arn, {
        eventType: eventName === "SERVICE_DEPLOYMENT_FAILED" ? "ERROR" : "INFO",
        eventName,
        deploymentId: deployment.id,
        updatedAt: isoSecond(deployment.updatedAt),
        reason: deployment.reason,
      });
    },
    becameSteady(service) {
      emit("ECS Service Action", service.arn, {
        eventType: "INFO",
        eventName: "SERVICE_STEADY_STATE",
        clusterArn: service.cluster.arn,
        createdAt: new Date().toISOString(),
      });
    },
    targetsChanged(service) {
      emitter.emit("targets", service.name, targetsOf(service));
    },
  };
}

export const targetsOf = (service: ServiceRecord): readonly Target[] =>
  [...service.live].flatMap(({ target }) => (target ? [target] : []));
