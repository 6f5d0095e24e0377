/**
 * What the engine needs of ECS: who runs with what, a forced deployment, and its end. Facts are plain; when a field is
 * absent the platform did not say, and whoever decides must not read that as good news.
 */

/** `cluster/service`, both by name: how people and reports call a service. */
export type ServiceName = string;

export interface SecretReference {
  readonly container: string;
  /** The environment variable, or `logConfiguration`, `repositoryCredentials`. */
  readonly variable: string;
  readonly value: string;
  /** `valueFrom`: ECS resolves it. `environment`: the container is told a name and fetches for itself. */
  readonly via: "valueFrom" | "environment";
}

export interface TaskDefinitionFacts {
  readonly arn: string;
  readonly references: readonly SecretReference[];
  /** ARN of the role with which ECS resolves `valueFrom`. */
  readonly executionRole?: string;
  /** ARN of the role with which the containers call AWS. */
  readonly taskRole?: string;
}

export type DeploymentStatus = "running" | "succeeded" | "failed" | "superseded";

export interface DeploymentFacts {
  /** `ecs-svc/...`: stands in `startedBy` of its tasks. */
  readonly deploymentId: string;
  readonly serviceDeploymentArn?: string;
  readonly createdAt: Date;
  readonly finishedAt?: Date;
  readonly status: DeploymentStatus;
  readonly reason?: string;
}

export interface ServiceFacts {
  readonly name: ServiceName;
  readonly cluster: string;
  readonly serviceArn: string;
  readonly active: boolean;
  /** Only ECS's own rolling controller can be told to redeploy. */
  readonly controller: string;
  readonly desiredCount: number;
  readonly runningCount: number;
  readonly pendingCount: number;
  readonly taskDefinitions: readonly string[];
  /** Newest first. The first is the one the service is on, or on its way to. */
  readonly deployments: readonly DeploymentFacts[];
}

export interface TaskFacts {
  readonly taskArn: string;
  readonly cluster: string;
  /** Undefined for a task that no service started. */
  readonly service?: ServiceName;
  readonly taskDefinition: string;
  /** The earliest moment at which it may have read its secrets. */
  readonly createdAt: Date;
  /** When all of it ran, so the latest moment at which it may have read them; undefined while it starts. */
  readonly startedAt?: Date;
  readonly startedBy?: string;
  readonly overrides: readonly SecretReference[];
}

export interface FleetFacts {
  readonly services: readonly ServiceFacts[];
  /** Every task that has not stopped. */
  readonly tasks: readonly TaskFacts[];
  readonly taskDefinitions: ReadonlyMap<string, TaskDefinitionFacts>;
}

export interface ConsumerFleet {
  /** Everything that runs, in every cluster. */
  survey(): Promise<FleetFacts>;
  /** These services and all tasks of their clusters, read afresh. */
  look(services: readonly ServiceFacts[]): Promise<FleetFacts>;
  /**
   * Forces a new deployment of what the service runs now.
   * @returns no id if ECS took the request and did not say which deployment came of it
   * @throws RekeyError AWS_DENIED, AWS_FAILED, AWS_THROTTLED; AWS_UNANSWERED when it may have begun
   */
  deploy(service: ServiceFacts): Promise<{ readonly deploymentId?: string }>;
  /** Stops the service's running deployment and lets ECS return to the last good one; nothing to stop is no error. */
  rollBack(service: ServiceFacts): Promise<void>;
}
