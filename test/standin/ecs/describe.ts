/**
 * The records as AWS answers them. The SDK's own types check the names; dates travel as epoch seconds.
 */
import type {
  Cluster,
  Container,
  Deployment,
  Service,
  ServiceDeployment,
  ServiceDeploymentBrief,
  ServiceRevision,
  ServiceRevisionSummary,
  Task,
  TaskDefinition,
} from "@aws-sdk/client-ecs";
import {
  type ClusterRecord,
  type DeploymentRecord,
  primaryOf,
  type RevisionRecord,
  type ServiceDeploymentRecord,
  type ServiceRecord,
  type TaskDefinitionRecord,
  type TaskRecord,
  type TaskStatus,
  tasksOf,
} from "./model.ts";

export type Wire<T> = T extends Date
  ? number
  : T extends readonly (infer Item)[]
    ? Wire<Item>[]
    : T extends object
      ? { [Key in keyof T]: Wire<T[Key]> }
      : T;

const seconds = (ms: number) => ms / 1000;
const maybeSeconds = (ms: number | undefined) => (ms === undefined ? undefined : seconds(ms));

const RUNNING: readonly TaskStatus[] = ["RUNNING"];
const PENDING: readonly TaskStatus[] = ["PROVISIONING", "PENDING"];
const count = (tasks: Iterable<TaskRecord>, statuses: readonly TaskStatus[]) =>
  [...tasks].filter((task) => statuses.includes(task.lastStatus)).length;

export function describeCluster(cluster: ClusterRecord): Wire<Cluster> {
  const services = [...cluster.services.values()];
  return {
    clusterArn: cluster.arn,
    clusterName: cluster.name,
    status: "ACTIVE",
    registeredContainerInstancesCount: 0,
    runningTasksCount: count(cluster.tasks.values(), RUNNING),
    pendingTasksCount: count(cluster.tasks.values(), PENDING),
    activeServicesCount: services.filter(({ status }) => status === "ACTIVE").length,
  };
}

export function describeTaskDefinition(definition: TaskDefinitionRecord): Wire<TaskDefinition> {
  const { tags: _, ...input } = definition.input;
  return {
    ...input,
    taskDefinitionArn: definition.arn,
    family: definition.family,
    revision: definition.revision,
    status: definition.status,
    containerDefinitions: [...definition.containers],
    registeredAt: seconds(definition.registeredAt),
    registeredBy: definition.registeredBy,
  };
}

export function describeService(service: ServiceRecord): Wire<Service> {
  const current = service.serviceDeployments[0];
  const isOpen = current && current.finishedAt === undefined;
  return {
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: service.cluster.arn,
    status: service.status,
    desiredCount: service.desiredCount,
    runningCount: count(service.live, RUNNING),
    pendingCount: count(service.live, PENDING),
    launchType: "FARGATE",
    schedulingStrategy: "REPLICA",
    deploymentController: { type: service.controller },
    deploymentConfiguration: service.configuration as Wire<typeof service.configuration>,
    taskDefinition: service.definition.arn,
    deployments: service.deployments.map((deployment) => describeDeployment(service, deployment)),
    currentServiceDeployment: isOpen ? current.arn : undefined,
    currentServiceRevisions: service.deployments.map(({ revision }) => summary(service, revision)),
    events: service.events.map((event) => ({ ...event, createdAt: seconds(event.createdAt) })),
    createdAt: seconds(service.createdAt),
    createdBy: service.createdBy,
    loadBalancers: [],
    serviceRegistries: [],
    placementConstraints: [],
    placementStrategy: [],
  };
}

function describeDeployment(service: ServiceRecord, deployment: DeploymentRecord): Wire<Deployment> {
  const tasks = tasksOf(service, deployment);
  const isPrimary = deployment === primaryOf(service);
  return {
    id: deployment.id,
    status: isPrimary ? "PRIMARY" : "ACTIVE",
    taskDefinition: deployment.revision.definition.arn,
    desiredCount: isPrimary
      ? service.desiredCount
      : tasks.filter((task) => task.desiredStatus === "RUNNING").length,
    runningCount: count(tasks, RUNNING),
    pendingCount: count(tasks, PENDING),
    failedTasks: deployment.failedTasks,
    createdAt: seconds(deployment.createdAt),
    updatedAt: seconds(deployment.updatedAt),
    launchType: "FARGATE",
    rolloutState: deployment.rolloutState,
    rolloutStateReason: deployment.reason,
  };
}

function summary(service: ServiceRecord, revision: RevisionRecord): ServiceRevisionSummary {
  const tasks = [...service.live].filter((task) => task.deployment?.revision === revision);
  const isWanted = primaryOf(service)?.revision === revision;
  return {
    arn: revision.arn,
    requestedTaskCount: isWanted ? service.desiredCount : 0,
    runningTaskCount: count(tasks, RUNNING),
    pendingTaskCount: count(tasks, PENDING),
  };
}

export function describeServiceDeploymentBriefly(one: ServiceDeploymentRecord): Wire<ServiceDeploymentBrief> {
  return {
    serviceDeploymentArn: one.arn,
    serviceArn: one.service.arn,
    clusterArn: one.service.cluster.arn,
    createdAt: seconds(one.createdAt),
    startedAt: maybeSeconds(one.startedAt),
    finishedAt: maybeSeconds(one.finishedAt),
    targetServiceRevisionArn: one.target.arn,
    status: one.status,
    statusReason: one.reason,
  };
}

export function describeServiceDeployment(one: ServiceDeploymentRecord): Wire<ServiceDeployment> {
  const { targetServiceRevisionArn: _, ...brief } = describeServiceDeploymentBriefly(one);
  return {
    ...brief,
    stoppedAt: maybeSeconds(one.stoppedAt),
    updatedAt: seconds(one.updatedAt),
    sourceServiceRevisions: one.sources.map((revision) => summary(one.service, revision)),
    targetServiceRevision: summary(one.service, one.target),
    deploymentConfiguration: one.configuration as Wire<typeof one.configuration>,
    rollback: one.rollback && {
      reason: one.rollback.reason,
      startedAt: seconds(one.rollback.startedAt),
      serviceRevisionArn: one.rollback.revision.arn,
    },
    deploymentCircuitBreaker: {
      status: one.breaker,
      failureCount: one.failureCount,
      threshold: one.threshold,
    },
    alarms: { status: "DISABLED" },
  };
}

export function describeRevision(service: ServiceRecord, revision: RevisionRecord): Wire<ServiceRevision> {
  return {
    serviceRevisionArn: revision.arn,
    serviceArn: service.arn,
    clusterArn: service.cluster.arn,
    taskDefinition: revision.definition.arn,
    launchType: "FARGATE",
    containerImages: revision.definition.containers.map(({ name, image }) => ({
      containerName: name,
      image,
    })),
    guardDutyEnabled: false,
    createdAt: seconds(revision.createdAt),
  };
}

export function describeTask(task: TaskRecord): Wire<Task> {
  return {
    taskArn: task.arn,
    clusterArn: task.cluster.arn,
    taskDefinitionArn: task.definition.arn,
    group: task.group,
    startedBy: task.startedBy,
    launchType: "FARGATE",
    lastStatus: task.lastStatus,
    desiredStatus: task.desiredStatus,
    healthStatus: task.health,
    version: task.version,
    overrides: task.overrides,
    containers: task.containers.map((container) => describeContainer(task, container)),
    createdAt: seconds(task.createdAt),
    startedAt: maybeSeconds(task.startedAt),
    stoppingAt: maybeSeconds(task.stoppingAt),
    stoppedAt: maybeSeconds(task.stoppedAt),
    stopCode: task.stopCode,
    stoppedReason: task.stoppedReason,
  };
}

function describeContainer(task: TaskRecord, container: TaskRecord["containers"][number]): Wire<Container> {
  return {
    containerArn: container.arn,
    taskArn: task.arn,
    name: container.definition.name,
    image: container.definition.image,
    lastStatus: container.lastStatus,
    exitCode: container.exitCode,
    healthStatus: task.health,
    networkBindings: container.ports.map((binding) => ({ bindIP: "127.0.0.1", protocol: "tcp", ...binding })),
    networkInterfaces: [],
  };
}
