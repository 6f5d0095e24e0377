/**
 * Keeps every service at its desired count and moves its deployments on. Level-triggered: any change only wakes the
 * service, and one look at its records decides what to start, stop, complete or fail.
 */
import type { Deployments } from "./deployments.ts";
import type { Announcer } from "./events.ts";
import { type DeploymentRecord, primaryOf, type ServiceRecord, type TaskRecord } from "./model.ts";
import { nextStep } from "./rolling.ts";
import type { TaskRunner } from "./tasks.ts";

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 5_000;

export interface Scheduler {
  wake(service: ServiceRecord): void;
  taskChanged(task: TaskRecord): void;
  taskBecameReady(task: TaskRecord): void;
  close(): void;
}

export function createScheduler(
  deployments: Deployments,
  announcer: Pick<Announcer, "becameSteady">,
  runner: () => TaskRunner,
): Scheduler {
  const unsteady = new Set<ServiceRecord>();
  const awake = new Set<ServiceRecord>();
  const retries = new Map<ServiceRecord, NodeJS.Timeout>();
  let isClosed = false;

  // Later, and once for many changes: a look must not run inside the change that caused it.
  function wake(service: ServiceRecord): void {
    if (awake.size === 0) {
      setImmediate(() => {
        const due = [...awake];
        awake.clear();
        if (!isClosed) due.forEach(look);
      });
    }
    awake.add(service);
  }

  function look(service: ServiceRecord): void {
    if (service.status !== "ACTIVE") {
      drain(service);
      return;
    }
    answerRequests(service);
    const primary = primaryOf(service);
    if (primary === undefined) return;
    const step = nextStep(service);
    if (primary.rolloutState === "IN_PROGRESS" && step.isComplete) {
      deployments.complete(service, primary);
      unsteady.add(service);
    }
    if (step.isComplete && primary.rolloutState === "COMPLETED" && unsteady.delete(service))
      announcer.becameSteady(service);
    for (const task of step.stop) {
      const why =
        task.deployment === primary
          ? "Scaling activity"
          : `Scaling activity initiated by (deployment ${primary.id})`;
      runner().stop(task, "ServiceSchedulerInitiated", why);
    }
    if (step.start > 0) startOrWait(service, primary, step.start);
    service.deployments = service.deployments.filter(
      (deployment) =>
        deployment === primary || [...service.live].some((task) => task.deployment === deployment),
    );
  }

  function answerRequests(service: ServiceRecord): void {
    const [current] = service.serviceDeployments;
    if (current?.status === "PENDING") {
      current.status = "IN_PROGRESS";
      current.startedAt = Date.now();
    } else if (current?.status === "STOP_REQUESTED") deployments.abort(service, current);
    else if (current?.status === "ROLLBACK_REQUESTED")
      deployments.rollBack(service, current, "Service deployment rolled back by request.");
  }

  function startOrWait(service: ServiceRecord, deployment: DeploymentRecord, count: number): void {
    const waitMs = deployment.notBefore - Date.now();
    if (waitMs > 0) {
      if (retries.has(service)) return;
      const timer = setTimeout(() => {
        retries.delete(service);
        wake(service);
      }, waitMs);
      retries.set(service, timer);
      return;
    }
    for (let started = 0; started < count; started += 1) {
      runner().start({
        cluster: service.cluster,
        definition: deployment.revision.definition,
        group: `service:${service.name}`,
        startedBy: deployment.id,
        service,
        deployment,
      });
    }
  }

  function drain(service: ServiceRecord): void {
    for (const task of service.live)
      runner().stop(task, "ServiceSchedulerInitiated", "The service is being deleted");
    if (service.status === "DRAINING" && service.live.size === 0) {
      service.status = "INACTIVE";
      service.deployments = [];
    }
  }

  return {
    wake,

    taskChanged(task) {
      const { service, deployment } = task;
      if (service === undefined) return;
      if (task.lastStatus === "STOPPED") unsteady.add(service);
      if (task.lastStatus === "STOPPED" && task.failed && deployment) countFailure(service, deployment);
      wake(service);
    },

    taskBecameReady({ service, deployment }) {
      if (service === undefined || deployment === undefined) return;
      if (service.configuration.deploymentCircuitBreaker?.resetOnHealthyTask === false) return;
      deployment.failureCount = 0;
      deployment.notBefore = 0;
      if (!deployment.isRollback) deployment.serviceDeployment.failureCount = 0;
    },

    close() {
      isClosed = true;
      for (const timer of retries.values()) clearTimeout(timer);
    },
  };

  function countFailure(service: ServiceRecord, deployment: DeploymentRecord): void {
    deployment.failedTasks += 1;
    deployment.failureCount += 1;
    deployment.notBefore =
      Date.now() + Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (deployment.failureCount - 1));
    if (deployment !== primaryOf(service) || deployment.rolloutState !== "IN_PROGRESS") return;
    const { serviceDeployment } = deployment;
    // What led to a rollback stays on record while the rollback counts its own failures.
    if (!deployment.isRollback) serviceDeployment.failureCount = deployment.failureCount;
    const isGuarded = service.configuration.deploymentCircuitBreaker?.enable === true;
    if (isGuarded && deployment.failureCount >= serviceDeployment.threshold)
      deployments.trip(service, deployment);
  }
}
