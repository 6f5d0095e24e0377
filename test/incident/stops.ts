/** Events of ECS as EventBridge delivers them, written after the shapes in the developer guide, and facts to judge them by. */
import { isRefusal, readStopEvent, type ServiceSignal, type TaskStop } from "../../lib/incident/stopEvent.ts";
import type { StopFacts } from "../../lib/incident/verdict.ts";

export const CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/shop";
export const PRIMARY = "ecs-svc/1111111111111111111";
export const OLD = "ecs-svc/2222222222222222222";
const AT = Date.parse("2026-11-25T03:00:00Z");

export const at = (seconds: number) => new Date(AT + seconds * 1000).toISOString();

export interface Sketch {
  readonly code?: string;
  readonly reason?: string;
  readonly containers?: readonly Readonly<Record<string, unknown>>[];
  readonly startedBy?: string;
  readonly task?: number;
  readonly version?: number;
  readonly seconds?: number;
  readonly lastStatus?: string;
  readonly group?: string;
}

export const taskArn = (task: number) =>
  `arn:aws:ecs:us-east-1:123456789012:task/shop/${task.toString(16).padStart(32, "0")}`;

const container = (fields: Readonly<Record<string, unknown>>) => ({
  containerArn: "arn:aws:ecs:us-east-1:123456789012:container/3305bea1-bd16-4217-803d-3e0482170a17",
  lastStatus: "STOPPED",
  name: "app",
  image: "shop/gateway:4",
  runtimeId: "1a2b",
  networkInterfaces: [],
  cpu: "256",
  memory: "512",
  ...fields,
});

export function taskEvent(sketch: Sketch = {}) {
  const { task = 1, seconds = 0, version = 5 } = sketch;
  return {
    version: "0",
    id: `9bcdac79-b31f-4d3d-9410-${String(task * 1000 + version).padStart(12, "0")}`,
    "detail-type": "ECS Task State Change",
    source: "aws.ecs",
    account: "123456789012",
    time: at(seconds + 1),
    region: "us-east-1",
    resources: [taskArn(task)],
    detail: {
      taskArn: taskArn(task),
      clusterArn: CLUSTER,
      taskDefinitionArn: "arn:aws:ecs:us-east-1:123456789012:task-definition/gateway:4",
      group: sketch.group ?? "service:gateway",
      startedBy: sketch.startedBy ?? PRIMARY,
      launchType: "FARGATE",
      availabilityZone: "us-east-1a",
      lastStatus: sketch.lastStatus ?? "STOPPED",
      desiredStatus: "STOPPED",
      stopCode: sketch.code ?? "EssentialContainerExited",
      stoppedReason: sketch.reason ?? "Essential container in task exited",
      containers: (sketch.containers ?? [{ exitCode: 1 }]).map(container),
      createdAt: at(seconds - 600),
      startedAt: at(seconds - 590),
      stoppingAt: at(seconds - 2),
      stoppedAt: at(seconds),
      version,
    },
  };
}

export function serviceEvent(eventName: string, fields: Readonly<Record<string, unknown>> = {}) {
  const isDeployment = eventName.startsWith("SERVICE_DEPLOYMENT");
  const eventType = /FAIL/.test(eventName) ? "ERROR" : /IMPAIRED|UNHEALTHY/.test(eventName) ? "WARN" : "INFO";
  return {
    version: "0",
    id: "af3c496d-f4a8-65d1-70f4-a69d52e9b584",
    "detail-type": isDeployment ? "ECS Deployment State Change" : "ECS Service Action",
    source: "aws.ecs",
    account: "123456789012",
    time: at(0),
    region: "us-east-1",
    resources: ["arn:aws:ecs:us-east-1:123456789012:service/shop/gateway"],
    detail: {
      eventType,
      eventName,
      ...(isDeployment
        ? { deploymentId: PRIMARY, updatedAt: at(0) }
        : { clusterArn: CLUSTER, createdAt: at(0) }),
      ...fields,
    },
  };
}

export function stopOf(sketch: Sketch = {}): TaskStop {
  const event = readStopEvent(taskEvent(sketch));
  if (isRefusal(event) || event.kind !== "task")
    throw new Error(`the sketch is no stop: ${JSON.stringify(event)}`);
  return event;
}

export function signalOf(eventName: string, fields: Readonly<Record<string, unknown>> = {}): ServiceSignal {
  const event = readStopEvent(serviceEvent(eventName, fields));
  if (isRefusal(event) || event.kind !== "service") throw new Error(`no signal: ${JSON.stringify(event)}`);
  return event;
}

/** A service of three that has what it wants, on one deployment, and nothing of ours. */
export const QUIET: StopFacts = {
  heldSeconds: 2,
  service: { desiredCount: 3, runningCount: 3, primaryId: PRIMARY, isDeploying: false },
  ours: { deploymentIds: [], isRotating: false, isEmergency: false },
  isMended: false,
};

export const SHORT: StopFacts = {
  ...QUIET,
  service: { desiredCount: 3, runningCount: 2, primaryId: PRIMARY, isDeploying: false },
};
