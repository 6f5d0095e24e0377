/**
 * What an evidence pack is made from, and whom to ask for it. Each of these may be unable to answer, which is then said in
 * the pack; none of them hands out a secret's value.
 */

export interface ContainerShape {
  readonly name: string;
  readonly image: string;
  readonly isEssential: boolean;
  readonly cpu?: number;
  /** MiB: the hard limit, and the soft one. */
  readonly memory?: number;
  readonly memoryReservation?: number;
  readonly command: readonly string[];
  readonly stopTimeoutSeconds?: number;
  readonly environment: ReadonlyMap<string, string>;
  /** Variable -> where ECS takes it from. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly dependsOn: readonly { readonly container: string; readonly condition: string }[];
  readonly healthCheck?: string;
  /** Only of the awslogs driver; others cannot be read back. */
  readonly logs?: { readonly group: string; readonly prefix: string; readonly region?: string };
}

export interface DefinitionFacts {
  readonly arn: string;
  /** CPU units and MiB of the whole task. */
  readonly cpu?: string;
  readonly memory?: string;
  readonly containers: readonly ContainerShape[];
}

export interface ServiceNow {
  readonly desiredCount: number;
  readonly runningCount: number;
  readonly pendingCount: number;
  readonly primaryId?: string;
  readonly isDeploying: boolean;
  readonly targetGroups: readonly string[];
}

export interface TaskHealth {
  /** Container -> HEALTHY, UNHEALTHY or UNKNOWN; ECS leaves the latter where there is no check. */
  readonly containers: ReadonlyMap<string, string>;
  readonly whole: string;
}

/** ECS, asked about one service. @throws RekeyError AWS_DENIED, AWS_FAILED, AWS_THROTTLED, AWS_UNANSWERED */
export interface ServiceWatch {
  /** @returns undefined when there is no such service (any more) */
  service(cluster: string, service: string): Promise<ServiceNow | undefined>;
  /** @returns undefined about an hour after the stop, when ECS has forgotten the task */
  health(cluster: string, taskArn: string): Promise<TaskHealth | undefined>;
  definition(arn: string): Promise<DefinitionFacts>;
  /** The task definition of the newest deployment that succeeded, other than with `than`. */
  lastGood(cluster: string, service: string, than: string): Promise<string | undefined>;
}

/** @throws RekeyError as above */
export interface LogTail {
  /** @returns the newest lines, oldest first; none while the stream is not there */
  tail(
    stream: { readonly group: string; readonly stream: string; readonly region?: string },
    count: number,
  ): Promise<readonly string[]>;
}

/** Percent of what is reserved, one number a minute; empty where nothing is measured. */
export interface ServiceUsage {
  readonly cpu: readonly number[];
  readonly memory: readonly number[];
}

/** @throws RekeyError as above */
export interface UsageMeter {
  ofService(cluster: string, service: string, from: Date, to: Date): Promise<ServiceUsage>;
  /** The most unhealthy targets of a target group within that time; undefined where nothing is measured. */
  unhealthyTargets(targetGroup: string, from: Date, to: Date): Promise<number | undefined>;
}

/** Opens a connection and closes it; nothing is sent. Never throws. */
export interface Reach {
  reach(host: string, port: number): Promise<"answers" | "refuses" | "is silent" | "has no address">;
}
