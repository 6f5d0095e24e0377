/**
 * What may become of a deployment: begun, superseded, completed, failed, stopped, rolled back. Each transition changes
 * the generation of tasks and the service deployment together and announces itself. A rollback brings back a service
 * revision, which is a task definition and no secret: what it starts reads its secrets anew.
 */
import type { Announcer } from "./events.ts";
import {
  type DeploymentRecord,
  type EcsState,
  type Fault,
  mintNumber,
  mintServiceDeploymentId,
  primaryOf,
  type RevisionRecord,
  type ServiceDeploymentRecord,
  type ServiceRecord,
  type TaskDefinitionRecord,
} from "./model.ts";
import { breakerThreshold } from "./rolling.ts";

const OPEN = ["PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"];
const isOpen = (one: ServiceDeploymentRecord) => OPEN.includes(one.status);

export type Deployments = ReturnType<typeof createDeployments>;

export function createDeployments(state: EcsState, announcer: Announcer) {
  /** A new deployment of `definition`, in place of whichever is under way. */
  function begin(service: ServiceRecord, definition: TaskDefinitionRecord): void {
    const now = Date.now();
    const path = `${service.cluster.name}/${service.name}`;
    const [under] = service.serviceDeployments;
    if (under && isOpen(under)) {
      conclude(under, "STOPPED", "The service deployment was superseded by a newer service deployment.");
      under.stoppedAt = now;
    }
    const number = mintNumber();
    const revision: RevisionRecord = {
      arn: state.arn(`service-revision/${path}/${number}`),
      number,
      createdAt: now,
      definition,
    };
    service.revisions.set(revision.arn, revision);
    const isGuarded = service.configuration.deploymentCircuitBreaker?.enable === true;
    const serviceDeployment: ServiceDeploymentRecord = {
      seq: state.nextSeq(),
      arn: state.arn(`service-deployment/${path}/${mintServiceDeploymentId()}`),
      service,
      target: revision,
      sources: [...new Set(service.deployments.map((deployment) => deployment.revision))],
      configuration: structuredClone(service.configuration),
      createdAt: now,
      updatedAt: now,
      status: "PENDING",
      breaker: isGuarded ? "MONITORING" : "DISABLED",
      failureCount: 0,
      threshold: breakerThreshold(service.configuration, service.desiredCount),
    };
    service.serviceDeployments.unshift(serviceDeployment);
    service.definition = definition;
    const fault = service.nextFault;
    service.nextFault = undefined;
    lead(service, { number, revision, serviceDeployment, isRollback: false, fault });
  }

  function lead(
    service: ServiceRecord,
    one: {
      readonly number: string;
      readonly revision: RevisionRecord;
      readonly serviceDeployment: ServiceDeploymentRecord;
      readonly isRollback: boolean;
      readonly fault: Fault | undefined;
      readonly reason?: string;
    },
  ): DeploymentRecord {
    const { number, reason, ...rest } = one;
    const id = `ecs-svc/${number}`;
    const deployment: DeploymentRecord = {
      ...rest,
      id,
      createdAt: Date.now(),
      updatedAt: Date.now(),
      rolloutState: "IN_PROGRESS",
      reason: reason ?? `ECS deployment ${id} in progress.`,
      failedTasks: 0,
      failureCount: 0,
      notBefore: 0,
    };
    service.deployments.unshift(deployment);
    announcer.deploymentChanged(service, deployment, "SERVICE_DEPLOYMENT_IN_PROGRESS");
    return deployment;
  }

  function complete(service: ServiceRecord, deployment: DeploymentRecord): void {
    turn(deployment, "COMPLETED", `ECS deployment ${deployment.id} completed.`);
    service.deployments = [deployment];
    service.lastGood = deployment.revision;
    const { serviceDeployment } = deployment;
    conclude(serviceDeployment, deployment.isRollback ? "ROLLBACK_SUCCESSFUL" : "SUCCESSFUL");
    if (serviceDeployment.breaker === "MONITORING") serviceDeployment.breaker = "MONITORING_COMPLETE";
    announcer.deploymentChanged(service, deployment, "SERVICE_DEPLOYMENT_COMPLETED");
    note(service, `(service ${service.name}) has reached a steady state.`);
  }

  /** The circuit breaker has seen too many tasks fail. */
  function trip(service: ServiceRecord, deployment: DeploymentRecord): void {
    const { serviceDeployment } = deployment;
    serviceDeployment.breaker = "TRIGGERED";
    turn(deployment, "FAILED", "ECS deployment circuit breaker: tasks failed to start.");
    announcer.deploymentChanged(service, deployment, "SERVICE_DEPLOYMENT_FAILED");
    note(
      service,
      `(service ${service.name}) (deployment ${deployment.id}) deployment failed: tasks failed to start.`,
    );
    const why = "the circuit breaker threshold was exceeded";
    if (deployment.isRollback) conclude(serviceDeployment, "ROLLBACK_FAILED", `Rollback failed: ${why}.`);
    else if (service.configuration.deploymentCircuitBreaker?.rollback) {
      rollBack(
        service,
        serviceDeployment,
        `Service deployment rolled back because ${why}.`,
        "ECS deployment circuit breaker: ",
      );
    } else {
      conclude(serviceDeployment, "STOPPED", `Service deployment stopped because ${why}.`);
      serviceDeployment.stoppedAt = Date.now();
    }
  }

  /** Back to the last revision that was deployed with success; its tasks that still run stay as they are. */
  function rollBack(service: ServiceRecord, from: ServiceDeploymentRecord, why: string, prefix = ""): void {
    const failed = primaryOf(service);
    if (failed?.rolloutState === "IN_PROGRESS") turn(failed, "FAILED", why);
    const good = service.lastGood;
    if (good === undefined) {
      conclude(from, "ROLLBACK_FAILED", `${why} There is no completed deployment to roll back to.`);
      return;
    }
    const returnTo = service.deployments.find(({ revision }) => revision === good);
    from.status = "ROLLBACK_IN_PROGRESS";
    from.reason = why;
    from.updatedAt = Date.now();
    from.rollback = { reason: why, startedAt: Date.now(), revision: good };
    service.definition = good.definition;
    const back = lead(service, {
      number: mintNumber(),
      revision: good,
      serviceDeployment: from,
      isRollback: true,
      fault: undefined,
      reason: `${prefix}rolling back to deploymentId ${returnTo?.id ?? `ecs-svc/${good.number}`}.`,
    });
    for (const task of service.live) {
      if (task.deployment?.revision === good) task.deployment = back;
    }
    note(
      service,
      `(service ${service.name}) rolling back to deployment ${returnTo?.id ?? `ecs-svc/${good.number}`}.`,
    );
  }

  /** Stopped without rollback: nothing new is started, nothing old is brought back. */
  function abort(service: ServiceRecord, one: ServiceDeploymentRecord): void {
    const primary = primaryOf(service);
    if (primary) turn(primary, "FAILED", "Service deployment stopped by request.");
    conclude(one, "STOPPED", "Service deployment stopped by request.");
    one.stoppedAt = Date.now();
  }

  return { begin, complete, trip, rollBack, abort };
}

function turn(deployment: DeploymentRecord, state: DeploymentRecord["rolloutState"], reason: string): void {
  deployment.rolloutState = state;
  deployment.reason = reason;
  deployment.updatedAt = Date.now();
}

function conclude(
  one: ServiceDeploymentRecord,
  status: ServiceDeploymentRecord["status"],
  reason?: string,
): void {
  one.status = status;
  if (reason !== undefined) one.reason = reason;
  one.finishedAt = Date.now();
  one.updatedAt = Date.now();
}

function note(service: ServiceRecord, message: string): void {
  service.events.unshift({ id: crypto.randomUUID(), createdAt: Date.now(), message });
  service.events.length = Math.min(service.events.length, 100);
}
