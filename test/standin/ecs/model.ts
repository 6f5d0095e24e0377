/**
 * What the stand-in's ECS remembers: clusters, task definitions, services with their deployments and revisions, tasks.
 * Plain records that the scheduler and the task runner change; nothing here acts. Times are epoch milliseconds. Of a
 * secret a task only remembers which version it was given, never the value.
 */
import { randomBytes, randomInt } from "node:crypto";
import type {
  ContainerDefinition,
  DeploymentConfiguration,
  KeyValuePair,
  RegisterTaskDefinitionRequest,
  ServiceDeploymentStatus,
  TaskOverride,
  TaskStopCode,
} from "@aws-sdk/client-ecs";

export interface ClusterRecord {
  readonly seq: number;
  readonly arn: string;
  readonly name: string;
  readonly services: Map<string, ServiceRecord>;
  readonly tasks: Map<string, TaskRecord>;
}

export interface TaskDefinitionRecord {
  readonly seq: number;
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  readonly containers: readonly ContainerDefinition[];
  readonly input: RegisterTaskDefinitionRequest;
  readonly registeredAt: number;
  readonly registeredBy: string;
  status: "ACTIVE" | "INACTIVE";
}

/** What a deployment deploys: a task definition, at the moment it was asked for. Says nothing about secrets. */
export interface RevisionRecord {
  readonly arn: string;
  readonly number: string;
  readonly createdAt: number;
  readonly definition: TaskDefinitionRecord;
}

/** How new tasks are made to fail, on request of a test. */
export type Fault = "crash" | "unhealthy";

/** A generation of tasks: `deployments[]` of a service. A rollback is one, too. */
export interface DeploymentRecord {
  readonly id: string;
  readonly revision: RevisionRecord;
  readonly serviceDeployment: ServiceDeploymentRecord;
  readonly isRollback: boolean;
  readonly fault: Fault | undefined;
  readonly createdAt: number;
  updatedAt: number;
  rolloutState: "IN_PROGRESS" | "COMPLETED" | "FAILED";
  reason: string;
  failedTasks: number;
  /** Failures that count toward the circuit breaker: since a task last turned healthy. */
  failureCount: number;
  /** No new task before this; a crash loop must not spin. */
  notBefore: number;
}

/** What `UpdateService` asked for, and its verdict. A rollback belongs to the service deployment that failed. */
export interface ServiceDeploymentRecord {
  readonly seq: number;
  readonly arn: string;
  readonly service: ServiceRecord;
  readonly target: RevisionRecord;
  readonly sources: readonly RevisionRecord[];
  readonly configuration: DeploymentConfiguration;
  readonly createdAt: number;
  startedAt?: number;
  finishedAt?: number;
  stoppedAt?: number;
  updatedAt: number;
  status: ServiceDeploymentStatus;
  reason?: string;
  rollback?: { readonly reason: string; readonly startedAt: number; readonly revision: RevisionRecord };
  breaker: "DISABLED" | "MONITORING" | "TRIGGERED" | "MONITORING_COMPLETE";
  failureCount: number;
  readonly threshold: number;
}

export interface ServiceRecord {
  readonly seq: number;
  readonly arn: string;
  readonly name: string;
  readonly cluster: ClusterRecord;
  readonly controller: "ECS" | "CODE_DEPLOY" | "EXTERNAL";
  readonly createdAt: number;
  readonly createdBy: string;
  readonly revisions: Map<string, RevisionRecord>;
  /** Tasks that have not stopped. */
  readonly live: Set<TaskRecord>;
  status: "ACTIVE" | "DRAINING" | "INACTIVE";
  desiredCount: number;
  configuration: DeploymentConfiguration;
  definition: TaskDefinitionRecord;
  /** Newest first; the first is PRIMARY. */
  deployments: DeploymentRecord[];
  /** Newest first. */
  serviceDeployments: ServiceDeploymentRecord[];
  lastGood: RevisionRecord | undefined;
  /** For the next deployment that somebody asks for. */
  nextFault: Fault | undefined;
  /** Newest first. */
  events: { readonly id: string; readonly createdAt: number; readonly message: string }[];
}

export type TaskStatus = "PROVISIONING" | "PENDING" | "RUNNING" | "DEACTIVATING" | "STOPPING" | "STOPPED";

export interface ContainerRecord {
  readonly arn: string;
  readonly definition: ContainerDefinition;
  readonly ports: { readonly containerPort: number; readonly hostPort: number }[];
  lastStatus: "PENDING" | "RUNNING" | "STOPPED";
  exitCode?: number;
}

/** Which version of which secret a variable was filled from. */
export interface SecretUse {
  readonly container: string;
  readonly variable: string;
  readonly valueFrom: string;
  readonly versionId: string;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly taskArn: string;
}

export interface TaskRecord {
  readonly seq: number;
  readonly arn: string;
  readonly cluster: ClusterRecord;
  readonly definition: TaskDefinitionRecord;
  readonly group: string;
  readonly startedBy: string | undefined;
  readonly overrides: TaskOverride;
  readonly service: ServiceRecord | undefined;
  readonly createdAt: number;
  readonly containers: readonly ContainerRecord[];
  /** The generation it counts for; a rollback adopts the tasks that run its revision already. */
  deployment: DeploymentRecord | undefined;
  version: number;
  lastStatus: TaskStatus;
  desiredStatus: "RUNNING" | "STOPPED";
  health: "UNKNOWN" | "HEALTHY" | "UNHEALTHY";
  /** May be given traffic: it runs, and every check it has answers. */
  ready: boolean;
  wasReady: boolean;
  /** It ended without being asked to. */
  failed: boolean;
  secrets: readonly SecretUse[];
  target?: Target;
  startedAt?: number;
  stoppingAt?: number;
  stoppedAt?: number;
  stopCode?: TaskStopCode;
  stoppedReason?: string;
}

export interface EcsState {
  readonly region: string;
  readonly account: string;
  readonly clusters: Map<string, ClusterRecord>;
  /** By family; the index is the revision less one. */
  readonly families: Map<string, TaskDefinitionRecord[]>;
  nextSeq(): number;
  arn(resource: string): string;
}

export function createState(region: string, account: string): EcsState {
  let seq = 0;
  return {
    region,
    account,
    clusters: new Map(),
    families: new Map(),
    nextSeq: () => ++seq,
    arn: (resource) => `arn:aws:ecs:${region}:${account}:${resource}`,
  };
}

/** Nineteen digits: the number that a deployment's id and its revision's ARN share. */
export const mintNumber = () =>
  `${randomInt(1, 10)}${Array.from({ length: 18 }, () => randomInt(0, 10)).join("")}`;

export const mintTaskId = () => randomBytes(16).toString("hex");

export const mintServiceDeploymentId = () => randomBytes(16).toString("base64url").slice(0, 21);

/** A container's environment, later entries winning. */
export const toEnvironment = (pairs: readonly KeyValuePair[] | undefined): Record<string, string> =>
  Object.fromEntries((pairs ?? []).flatMap(({ name, value }) => (name ? [[name, value ?? ""]] : [])));

export function primaryOf(service: ServiceRecord): DeploymentRecord | undefined {
  return service.deployments[0];
}

export const tasksOf = (service: ServiceRecord, deployment: DeploymentRecord): TaskRecord[] =>
  [...service.live].filter((task) => task.deployment === deployment);
