/**
 * The stand-in's Amazon ECS: the service that the SDK's client talks to, and a handle for tests and the demo. Its tasks
 * are real processes that read their secrets when they start, so a rotation that breaks a consumer breaks it here, too.
 * It refuses what ECS refuses; where ECS's own behaviour is not documented, the record's file says what was chosen.
 */

import { AwsError, type AwsService, type Operation } from "../service.ts";
import { definitionOperations } from "./definitionOperations.ts";
import { createDeployments } from "./deployments.ts";
import { createAnnouncer, type EcsEmitter, targetsOf } from "./events.ts";
import { readStream } from "./logStreams.ts";
import {
  createState,
  type Fault,
  type SecretUse,
  type ServiceRecord,
  type Target,
  type TaskStatus,
} from "./model.ts";
import { createScheduler } from "./scheduler.ts";
import type { ResolveSecret, TaskIdentity } from "./secrets.ts";
import { serviceOperations } from "./serviceOperations.ts";
import { taskOperations } from "./taskOperations.ts";
import { createTaskRunner, type Pace } from "./tasks.ts";

export type { EcsEvent } from "./events.ts";
export type { Fault, SecretUse, Target } from "./model.ts";
export type { ResolveSecret, TaskIdentity } from "./secrets.ts";
export type { Pace } from "./tasks.ts";

export interface EcsOptions {
  readonly region: string;
  readonly account: string;
  readonly resolveSecret: ResolveSecret;
  /** What every container is given: PATH, AWS_ENDPOINT_URL, AWS_REGION, credentials. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** On top of `baseEnv`: credentials of the task's own role, so that its calls are told apart. */
  readonly taskEnv?: (task: TaskIdentity) => Readonly<Record<string, string>>;
  /** False: tasks have no processes and are ready `startDelayMs` after they were created. Their secrets are resolved all the same. */
  readonly processes?: boolean;
  readonly pace?: Partial<Pace>;
  /** Lets one name stand in `environment` and in `secrets`; ECS refuses it, older revisions in the field have it. */
  readonly allowShadowedKeys?: boolean;
}

/** A task as a test sees it. Version ids, never values. */
export interface TaskView {
  readonly taskArn: string;
  readonly service: string | undefined;
  readonly deploymentId: string | undefined;
  readonly lastStatus: TaskStatus;
  readonly isReady: boolean;
  readonly createdAt: Date;
  readonly secrets: readonly SecretUse[];
}

export interface EcsHandle {
  /** `event` (EventBridge-shaped) and `targets` (service name, all its targets). */
  readonly emitter: EcsEmitter;
  readonly pace: Pace;
  /** Where traffic may go now. @param service name, or `cluster/name` */
  targets(service: string): readonly Target[];
  /** All tasks that have not been forgotten, stopped ones too; of one service, or of all. */
  tasks(service?: string): readonly TaskView[];
  logs(taskArn: string): readonly string[];
  /** Of a container that logs through awslogs, as `prefix/container/task id`. */
  logStream(group: string, stream: string): readonly string[] | undefined;
  /** The two minutes' notice, which comes while the task runs, and then its end. */
  takeSpotBack(taskArn: string): void;
  /** New tasks of the next deployment that somebody asks for crash at start, or never turn healthy. A rollback is spared. */
  failNext(service: string, fault: Fault): void;
  /** These operations answer AccessDeniedException until `allow`. */
  deny(...operations: readonly string[]): void;
  allow(...operations: readonly string[]): void;
  /** Ends every task and returns when no process is left. */
  stop(): Promise<void>;
}

const USUAL_PACE: Pace = {
  startDelayMs: 0,
  drainMs: 500,
  stopTimeoutMs: 30_000,
  probeMs: 100,
  steadyProbeMs: 1_000,
  probeTimeoutMs: 2_000,
  healthTimeoutMs: 20_000,
  // As ECS does.
  keepStoppedMs: 3_600_000,
};

/** Source: Amazon ECS developer guide, request throttling for the Amazon ECS API. */
const LIMITS: AwsService["limits"] = [
  { operations: ["CreateCluster"], burst: 20, perSecond: 1 },
  { operations: ["DescribeClusters", "ListClusters"], burst: 50, perSecond: 20 },
  {
    operations: ["CreateService", "UpdateService", "DeleteService", "StopServiceDeployment"],
    burst: 50,
    perSecond: 5,
  },
  { operations: ["DescribeServices", "ListServices"], burst: 100, perSecond: 20 },
  {
    operations: ["ListServiceDeployments", "DescribeServiceDeployments", "DescribeServiceRevisions"],
    burst: 50,
    perSecond: 20,
  },
  { operations: ["RegisterTaskDefinition", "DeregisterTaskDefinition"], burst: 20, perSecond: 1 },
  { operations: ["DescribeTaskDefinition", "ListTaskDefinitions"], burst: 100, perSecond: 20 },
  { operations: ["RunTask", "StopTask"], burst: 100, perSecond: 40 },
  { operations: ["DescribeTasks", "ListTasks"], burst: 100, perSecond: 20 },
];

export function createEcs(options: EcsOptions): { readonly service: AwsService; readonly handle: EcsHandle } {
  const { region, account, baseEnv, resolveSecret } = options;
  const pace: Pace = { ...USUAL_PACE, ...options.pace };
  const state = createState(region, account);
  const announcer = createAnnouncer(state);
  const deployments = createDeployments(state, announcer);
  const scheduler = createScheduler(deployments, announcer, () => runner);
  const runner = createTaskRunner({
    state,
    announcer,
    pace,
    baseEnv,
    taskEnv: options.taskEnv ?? (() => ({})),
    resolveSecret,
    processes: options.processes ?? true,
    changed: scheduler.taskChanged,
    becameReady: scheduler.taskBecameReady,
  });

  const denied = new Set<string>();
  const guarded =
    (name: string, operation: Operation): Operation =>
    (input, caller) => {
      if (denied.has(name)) {
        throw new AwsError(
          "AccessDeniedException",
          `User: ${caller.principalArn} is not authorized to perform: ecs:${name} because no identity-based policy allows the ecs:${name} action`,
        );
      }
      return operation(input, caller);
    };
  const operations = {
    ...definitionOperations(state, options.allowShadowedKeys ?? false),
    ...serviceOperations(state, deployments, scheduler),
    ...taskOperations(state, runner),
  };

  /** @throws Error if no cluster has such a service */
  function named(service: string): ServiceRecord {
    const all = [...state.clusters.values()].flatMap((cluster) => [...cluster.services.values()]);
    const found = all.find((one) => one.name === service || `${one.cluster.name}/${one.name}` === service);
    if (!found) throw new Error(`the stand-in has no service ${service}`);
    return found;
  }

  return {
    service: {
      targetPrefix: "AmazonEC2ContainerServiceV20141113",
      eventSource: "ecs.amazonaws.com",
      operations: Object.fromEntries(
        Object.entries(operations).map(([name, operation]) => [name, guarded(name, operation)]),
      ),
      limits: LIMITS,
    },
    handle: {
      emitter: announcer.emitter,
      pace,
      targets: (service) => targetsOf(named(service)),
      tasks(service) {
        const only = service === undefined ? undefined : named(service);
        return [...state.clusters.values()]
          .flatMap((cluster) => [...cluster.tasks.values()])
          .filter((task) => only === undefined || task.service === only)
          .map((task) => ({
            taskArn: task.arn,
            service: task.service?.name,
            deploymentId: task.deployment?.id,
            lastStatus: task.lastStatus,
            isReady: task.ready,
            createdAt: new Date(task.createdAt),
            secrets: task.secrets,
          }));
      },
      logs: runner.logs,
      logStream: (group, stream) => readStream(state, runner, group, stream),
      takeSpotBack(taskArn) {
        const task = [...state.clusters.values()].flatMap(({ tasks }) => tasks.get(taskArn) ?? [])[0];
        if (!task) throw new Error(`the stand-in has no task ${taskArn}`);
        runner.giveNotice(task);
        runner.stop(task, "SpotInterruption", "Your Spot Task was interrupted.");
      },
      failNext(service, fault) {
        named(service).nextFault = fault;
      },
      deny(...names) {
        for (const name of names) denied.add(name);
      },
      allow(...names) {
        for (const name of names) denied.delete(name);
      },
      async stop() {
        scheduler.close();
        await runner.close();
      },
    },
  };
}
