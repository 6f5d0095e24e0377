/**
 * The arithmetic of a rolling deployment: how many tasks to start and which to stop now, within the service's minimum
 * healthy and maximum percent. Pure; the scheduler asks again after every change of a task.
 */
import type { DeploymentConfiguration } from "@aws-sdk/client-ecs";
import { primaryOf, type ServiceRecord, type TaskRecord } from "./model.ts";

export interface RollingStep {
  readonly start: number;
  readonly stop: readonly TaskRecord[];
  /** Every wanted task is of the newest deployment and ready, and nothing else is left, not even on its way out. */
  readonly isComplete: boolean;
}

export function nextStep(service: ServiceRecord): RollingStep {
  const primary = primaryOf(service);
  const live = [...service.live];
  // A failed deployment without rollback stalls: ECS starts nothing and leaves the old tasks alone.
  if (primary === undefined || primary.rolloutState === "FAILED")
    return { start: 0, stop: [], isComplete: false };

  const desired = service.desiredCount;
  const atLeast = Math.ceil((desired * (service.configuration.minimumHealthyPercent ?? 100)) / 100);
  const atMost = Math.floor((desired * (service.configuration.maximumPercent ?? 200)) / 100);
  const wanted = live.filter((task) => task.desiredStatus === "RUNNING");
  const fresh = wanted.filter((task) => task.deployment === primary);
  const old = wanted.filter((task) => task.deployment !== primary);

  const start = Math.max(0, Math.min(desired - fresh.length, atMost - live.length));
  const surplus = idleFirst(fresh).slice(0, Math.max(0, fresh.length - desired));
  const spare = wanted.filter((task) => task.ready && !surplus.includes(task)).length - atLeast;
  const idle = old.filter((task) => !task.ready);
  const serving = old.filter((task) => task.ready).slice(0, Math.max(0, spare));
  return {
    start,
    stop: [...surplus, ...idle, ...serving],
    isComplete: fresh.length === desired && live.length === fresh.length && fresh.every((task) => task.ready),
  };
}

const idleFirst = (tasks: readonly TaskRecord[]) =>
  tasks.toSorted((a, b) => Number(a.ready) - Number(b.ready) || b.seq - a.seq);

/**
 * How many failures trip the circuit breaker.
 * Source: Amazon ECS developer guide, deployment circuit breaker: half the desired count, between 3 and 200.
 */
export function breakerThreshold(configuration: DeploymentConfiguration, desiredCount: number): number {
  const { type = "BOUNDED_PERCENT", value = 50 } =
    configuration.deploymentCircuitBreaker?.thresholdConfiguration ?? {};
  if (type === "COUNT") return value;
  const share = Math.ceil((desiredCount * value) / 100);
  return type === "UNBOUNDED_PERCENT" ? Math.max(1, share) : Math.min(200, Math.max(3, share));
}
