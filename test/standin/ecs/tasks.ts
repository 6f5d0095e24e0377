/**
 * The life of a task, start to stop: PROVISIONING, PENDING (secrets are resolved now), RUNNING (its processes run and are
 * asked whether they are well), DEACTIVATING (no new traffic), STOPPING, STOPPED. Which tasks there should be is the
 * scheduler's business; a task that ends by itself only says so.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { TaskOverride, TaskStopCode } from "@aws-sdk/client-ecs";
import { assignPorts, identify, startContainers } from "./containers.ts";
import type { Announcer } from "./events.ts";
import { answers, type Probe, probeOf } from "./health.ts";
import {
  type ClusterRecord,
  type ContainerRecord,
  type DeploymentRecord,
  type EcsState,
  mintTaskId,
  type ServiceRecord,
  type TaskDefinitionRecord,
  type TaskRecord,
  type TaskStatus,
} from "./model.ts";
import type { ContainerProcess } from "./processes.ts";
import { type ResolveSecret, resolveSecrets, type TaskIdentity } from "./secrets.ts";

/** Changing one takes effect for what happens next. */
export interface Pace {
  /** Between PROVISIONING and PENDING: image pull, placement. */
  startDelayMs: number;
  /** Between leaving the targets and SIGTERM. */
  drainMs: number;
  /** Between SIGTERM and SIGKILL, unless the container's own `stopTimeout` says otherwise. */
  stopTimeoutMs: number;
  /** How often a task that is not ready yet is probed. */
  probeMs: number;
  /** How often a ready one is. */
  steadyProbeMs: number;
  probeTimeoutMs: number;
  /** A task of a service that is not ready by then is stopped as unhealthy. */
  healthTimeoutMs: number;
  /** How long a stopped task is still listed. */
  keepStoppedMs: number;
}

interface TaskSpec {
  readonly cluster: ClusterRecord;
  readonly definition: TaskDefinitionRecord;
  readonly group: string;
  readonly startedBy: string | undefined;
  readonly overrides?: TaskOverride | undefined;
  readonly service?: ServiceRecord;
  readonly deployment?: DeploymentRecord;
}

export interface TaskRunner {
  start(spec: TaskSpec): TaskRecord;
  stop(task: TaskRecord, stopCode: TaskStopCode, reason: string): void;
  /** Says of a running task that its Spot capacity goes. */
  giveNotice(task: TaskRecord): void;
  /** The last lines its containers wrote. */
  logs(taskArn: string): readonly string[];
  /** Stops every task at once and returns when the last process is gone. */
  close(): Promise<void>;
}

interface Options {
  readonly state: EcsState;
  readonly announcer: Announcer;
  readonly pace: Pace;
  readonly baseEnv: Readonly<Record<string, string>>;
  taskEnv(task: TaskIdentity): Readonly<Record<string, string>>;
  readonly processes: boolean;
  readonly resolveSecret: ResolveSecret;
  changed(task: TaskRecord): void;
  becameReady(task: TaskRecord): void;
}

interface Ending {
  readonly stopCode: TaskStopCode;
  readonly reason: string;
  readonly failed: boolean;
}

interface Life {
  readonly asked: PromiseWithResolvers<Ending>;
  readonly processes: Map<ContainerRecord, ContainerProcess>;
  readonly log: string[];
  isOver: boolean;
  done: Promise<void>;
}

const LOG_LINES = 200;
const MISSES_ALLOWED = 3;
const CLOSE_TIMEOUT_MS = 1_000;

export function createTaskRunner(options: Options): TaskRunner {
  const { state, announcer, pace } = options;
  const lives = new Map<string, Life>();
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  // Closing ends every wait at once; whoever waited looks at the task again, so that is no error.
  const pause = (ms: number) => sleep(ms, undefined, { signal: closing.signal }).catch(() => undefined);

  function start(spec: TaskSpec): TaskRecord {
    forgetOld(spec.cluster);
    const id = mintTaskId();
    const arn = state.arn(`task/${spec.cluster.name}/${id}`);
    const containers = spec.definition.containers.map((definition) => ({
      arn: state.arn(`container/${spec.cluster.name}/${id}/${mintTaskId()}`),
      definition,
      ports: [],
      lastStatus: "PENDING" as const,
    }));
    const task: TaskRecord = {
      seq: state.nextSeq(),
      arn,
      cluster: spec.cluster,
      definition: spec.definition,
      group: spec.group,
      startedBy: spec.startedBy,
      overrides: spec.overrides ?? {},
      service: spec.service,
      deployment: spec.deployment,
      createdAt: Date.now(),
      containers,
      version: 0,
      lastStatus: "PROVISIONING",
      desiredStatus: "RUNNING",
      health: "UNKNOWN",
      ready: false,
      wasReady: false,
      failed: false,
      secrets: [],
    };
    const life: Life = {
      asked: Promise.withResolvers<Ending>(),
      processes: new Map(),
      log: [],
      isOver: false,
      done: Promise.resolve(),
    };
    spec.cluster.tasks.set(arn, task);
    spec.service?.live.add(task);
    lives.set(arn, life);
    life.done = live(task, life);
    return task;
  }

  async function live(task: TaskRecord, life: Life): Promise<void> {
    const ending = await bringUp(task, life).catch(
      (error: unknown): Ending => ({
        stopCode: "TaskFailedToStart",
        reason: `CannotStartContainerError: ${error instanceof Error ? error.message : "unknown"}`,
        failed: true,
      }),
    );
    await takeDown(task, life, ending);
  }

  async function bringUp(task: TaskRecord, life: Life): Promise<Ending> {
    move(task, "PROVISIONING");
    const early = await Promise.race([life.asked.promise, pause(pace.startDelayMs)]);
    if (early) return early;
    move(task, "PENDING");
    let env: Awaited<ReturnType<typeof resolveSecrets>>["env"];
    try {
      const resolved = await resolveSecrets(
        task.definition.containers,
        options.resolveSecret,
        identify(task),
      );
      task.secrets = resolved.uses;
      env = resolved.env;
    } catch (error) {
      return {
        stopCode: "TaskFailedToStart",
        reason: `ResourceInitializationError: unable to pull secrets or registry auth: ${error instanceof Error ? error.message : "unknown"}`,
        failed: true,
      };
    }
    const exits: Promise<Ending>[] = [];
    const probes: Probe[] = [];
    if (options.processes) {
      await assignPorts(task);
      if (task.desiredStatus === "STOPPED") return life.asked.promise;
      await startContainers(task, life.processes, {
        ...options,
        secrets: env,
        onLine(line) {
          life.log.push(line);
          if (life.log.length > LOG_LINES) life.log.shift();
        },
      });
      for (const [container, { exited }] of life.processes) {
        const isEssential = container.definition.essential !== false;
        exits.push(
          exited.then((code) => {
            container.lastStatus = "STOPPED";
            container.exitCode = code;
            return isEssential ? ESSENTIAL_EXITED : never;
          }),
        );
        const probe = probeOf(container.definition, container.ports[0]?.hostPort);
        if (probe) probes.push(probe);
      }
    } else if (task.deployment?.fault === "crash") exits.push(Promise.resolve(ESSENTIAL_EXITED));
    if (task.desiredStatus === "STOPPED") return life.asked.promise;
    task.startedAt = Date.now();
    for (const container of task.containers) container.lastStatus = "RUNNING";
    move(task, "RUNNING");
    return Promise.race([life.asked.promise, ...exits, watch(task, life, probes)]);
  }

  /** Ends only for a task of a service; ECS leaves a lone task alone, however ill. */
  async function watch(task: TaskRecord, life: Life, probes: readonly Probe[]): Promise<Ending> {
    const isBroken = task.deployment?.fault === "unhealthy";
    const hasChecks = probes.length > 0 || isBroken;
    if (!hasChecks) {
      turnReady(task);
      return never;
    }
    const deadline = Date.now() + pace.healthTimeoutMs;
    let misses = 0;
    for (;;) {
      const replies = await Promise.all(probes.map((probe) => answers(probe, pace.probeTimeoutMs)));
      if (life.isOver || task.desiredStatus === "STOPPED") return never;
      if (!isBroken && replies.every(Boolean)) {
        misses = 0;
        if (!task.ready) turnReady(task);
      } else if (task.wasReady ? ++misses >= MISSES_ALLOWED : Date.now() > deadline) {
        task.health = "UNHEALTHY";
        if (task.service) return UNHEALTHY;
      }
      await pause(task.ready && misses === 0 ? pace.steadyProbeMs : pace.probeMs);
    }
  }

  function turnReady(task: TaskRecord): void {
    const port = task.containers.find(({ ports }) => ports.length > 0)?.ports[0]?.hostPort;
    if (task.containers.some(({ definition }) => definition.healthCheck)) task.health = "HEALTHY";
    task.ready = true;
    task.wasReady = true;
    if (task.service && port !== undefined) {
      task.target = { host: "127.0.0.1", port, taskArn: task.arn };
      announcer.targetsChanged(task.service);
    }
    options.becameReady(task);
    move(task, "RUNNING");
  }

  async function takeDown(task: TaskRecord, life: Life, ending: Ending): Promise<void> {
    const wasServing = task.ready && task.service !== undefined && !ending.failed;
    life.isOver = true;
    task.desiredStatus = "STOPPED";
    task.failed = ending.failed;
    task.stopCode = ending.stopCode;
    task.stoppedReason = ending.reason;
    task.stoppingAt = Date.now();
    task.ready = false;
    if (task.service && task.target) {
      delete task.target;
      announcer.targetsChanged(task.service);
    }
    if (wasServing) {
      move(task, "DEACTIVATING");
      await pause(pace.drainMs);
    }
    move(task, "STOPPING");
    await Promise.all(
      [...life.processes].map(async ([container, process]) => {
        const timeoutMs = (container.definition.stopTimeout ?? 0) * 1000 || pace.stopTimeoutMs;
        container.exitCode = await process.end(closing.signal.aborted ? CLOSE_TIMEOUT_MS : timeoutMs);
      }),
    );
    for (const container of task.containers) container.lastStatus = "STOPPED";
    task.stoppedAt = Date.now();
    task.service?.live.delete(task);
    move(task, "STOPPED");
  }

  function move(task: TaskRecord, status: TaskStatus): void {
    task.lastStatus = status;
    task.version += 1;
    announcer.taskChanged(task);
    options.changed(task);
  }

  function stop(task: TaskRecord, stopCode: TaskStopCode, reason: string): void {
    if (task.desiredStatus === "STOPPED") return;
    task.desiredStatus = "STOPPED";
    lives.get(task.arn)?.asked.resolve({ stopCode, reason, failed: false });
  }

  function giveNotice(task: TaskRecord): void {
    task.stopCode = "TerminationNotice";
    task.stoppedReason = "Your Spot Task was interrupted.";
    move(task, task.lastStatus);
  }

  function forgetOld(cluster: ClusterRecord): void {
    for (const task of cluster.tasks.values()) {
      if (task.stoppedAt === undefined || task.stoppedAt > Date.now() - pace.keepStoppedMs) continue;
      cluster.tasks.delete(task.arn);
      lives.delete(task.arn);
    }
  }

  return {
    start,
    stop,
    giveNotice,
    logs: (taskArn) => [...(lives.get(taskArn)?.log ?? [])],
    async close() {
      closing.abort();
      for (const { tasks } of state.clusters.values())
        for (const task of tasks.values()) stop(task, "UserInitiated", "The stand-in is closing");
      // A task already past its drain waits for its own stop timeout; those processes are hurried here.
      await Promise.all(
        [...lives.values()].map(async (life) => {
          await Promise.all([...life.processes.values()].map((process) => process.end(CLOSE_TIMEOUT_MS)));
          await life.done;
        }),
      );
    },
  };
}

const never = new Promise<never>(() => undefined);

const ESSENTIAL_EXITED: Ending = {
  stopCode: "EssentialContainerExited",
  reason: "Essential container in task exited",
  failed: true,
};

const UNHEALTHY: Ending = {
  stopCode: "ServiceSchedulerInitiated",
  reason: "Task failed container health checks",
  failed: true,
};
