/**
 * The decision table, second half: what ECS says of a service as a whole. ECS calls a deployment failed only where the
 * deployment circuit breaker is on.
 */
import type { ServiceSignal } from "./stopEvent.ts";
import {
  type Alert,
  alert,
  HELD_SECONDS,
  planned,
  type Recovery,
  type StopFacts,
  type Verdict,
} from "./verdict.ts";

type Row = (signal: ServiceSignal, facts: StopFacts) => Verdict;

const recovery =
  (says: string): Row =>
  (): Recovery => ({ kind: "recovery", says });

const grave =
  (fields: Pick<Alert, "cause" | "says" | "lookAt">): Row =>
  ({ reason }) =>
    alert({ severity: "P2", ...fields, says: reason ? `${fields.says}: ${reason}` : fields.says });

const deploymentFailed: Row = ({ deploymentId, reason }, { ours }) => {
  const isOurs = deploymentId !== undefined && ours.deploymentIds.includes(deploymentId);
  return alert({
    severity: isOurs && ours.isEmergency ? "P1" : "P2",
    cause: "deployment failed",
    says: `${isOurs ? "a rotation's" : "its"} deployment failed${
      isOurs && ours.isEmergency
        ? ", and with it the replacement of a leaked value: containment may be undone"
        : ""
    }: ${reason || "no reason given"}`,
    lookAt: [
      "whether ECS rolled it back, and to which revision",
      "what changed in the task definition",
      "the first stopped task's log lines",
    ],
  });
};

const unhealthyTargets: Row = ({ reason }, facts) => {
  if (facts.isMended) return planned("its targets were healthy again before the time was over");
  if (facts.heldSeconds < HELD_SECONDS) return { kind: "wait", seconds: HELD_SECONDS };
  return alert({
    severity: "P3",
    cause: "targets unhealthy",
    says: `its registered targets are unhealthy, so traffic does not reach them: ${reason || "no reason given"}`,
    lookAt: ["the health of its targets", "the way of the traffic: security groups, service registry"],
  });
};

const BY_NAME: ReadonlyMap<string, Row> = new Map<string, Row>([
  [
    "SERVICE_TASK_START_IMPAIRED",
    grave({
      cause: "tasks do not start",
      says: "ECS cannot start its tasks again and again",
      lookAt: ["the stopped reasons of its last three tasks", "what changed in the task definition"],
    }),
  ],
  [
    "SERVICE_TASK_PLACEMENT_FAILURE",
    grave({
      cause: "tasks find no place",
      says: "ECS finds no place for its tasks",
      lookAt: ["capacity: addresses, instances, Spot", "placement constraints"],
    }),
  ],
  [
    "SERVICE_TASK_CONFIGURATION_FAILURE",
    grave({
      cause: "tasks find no place",
      says: "its configuration keeps ECS from placing tasks",
      lookAt: ["the service's role", "what changed in the task definition"],
    }),
  ],
  ["SERVICE_DEPLOYMENT_FAILED", deploymentFailed],
  ["SERVICE_DISCOVERY_INSTANCE_UNHEALTHY", unhealthyTargets],
  ["VPC_LATTICE_TARGET_UNHEALTHY", unhealthyTargets],
  ["SERVICE_STEADY_STATE", recovery("it reached a steady state")],
  ["SERVICE_DEPLOYMENT_COMPLETED", recovery("its deployment completed")],
  ["VPC_LATTICE_TARGET_HEALTHY", recovery("its targets are healthy")],
]);

/** What a service says without anything being wrong, or that ECS itself mends by waiting. */
const QUIET = [
  "SERVICE_DEPLOYMENT_IN_PROGRESS",
  "SERVICE_DESIRED_COUNT_UPDATED",
  "TASKS_STOPPED",
  "TASKSET_STEADY_STATE",
  "CAPACITY_PROVIDER_STEADY_STATE",
  "ECS_OPERATION_THROTTLED",
  "SERVICE_DISCOVERY_OPERATION_THROTTLED",
];

export function signalVerdict(signal: ServiceSignal, facts: StopFacts): Verdict {
  const row = BY_NAME.get(signal.eventName);
  if (row) return row(signal, facts);
  if (signal.isInfo || QUIET.includes(signal.eventName)) return planned("news that asks for nothing");
  return alert({
    severity: "P3",
    cause: "service trouble",
    says: `ECS says ${signal.eventName}: ${signal.reason || "no reason given"}`,
    lookAt: ["the service's events in ECS"],
  });
}
