/** ECS, asked about one service and one stopped task. Few calls and seldom, so they share one pace. */
import {
  type ContainerDefinition,
  DescribeServiceRevisionsCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ECSClient,
  ListServiceDeploymentsCommand,
  type Service,
} from "@aws-sdk/client-ecs";
import type { ContainerShape, DefinitionFacts, ServiceWatch } from "../incident/taskFacts.ts";
import { awsError, bucket, CLIENT_OPTIONS, isNotOffered } from "./awsCalls.ts";

const DEPLOYMENTS_BACK = 20;

export function ecsWatch(client = new ECSClient(CLIENT_OPTIONS)): ServiceWatch {
  const reading = bucket(40, 15);
  const read = <T>(doing: string, call: () => Promise<T>) =>
    reading(call).catch((error: unknown) => {
      throw awsError(error, doing);
    });
  const definitions = new Map<string, DefinitionFacts>();

  async function describe(cluster: string, service: string): Promise<Service | undefined> {
    const { services } = await read(`describe service ${service}`, () =>
      client.send(new DescribeServicesCommand({ cluster, services: [service] })),
    );
    return services?.find(({ status }) => status !== "INACTIVE");
  }

  /** Newest first. */
  async function succeeded(cluster: string, service: string): Promise<readonly string[]> {
    const listed = await read(`list the deployments of service ${service}`, () =>
      client.send(
        new ListServiceDeploymentsCommand({
          cluster,
          service,
          status: ["SUCCESSFUL"],
          maxResults: DEPLOYMENTS_BACK,
        }),
      ),
    );
    const revisions = (listed.serviceDeployments ?? [])
      .toSorted((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0))
      .flatMap(({ targetServiceRevisionArn }) => targetServiceRevisionArn ?? []);
    if (revisions.length === 0) return [];
    const { serviceRevisions = [] } = await read(`describe revisions of service ${service}`, () =>
      client.send(new DescribeServiceRevisionsCommand({ serviceRevisionArns: revisions })),
    );
    return revisions.flatMap(
      (arn) =>
        serviceRevisions.find(({ serviceRevisionArn }) => serviceRevisionArn === arn)?.taskDefinition ?? [],
    );
  }

  return {
    async service(cluster, service) {
      const found = await describe(cluster, service);
      if (found === undefined) return undefined;
      const primary = found.deployments?.find(({ status }) => status === "PRIMARY");
      return {
        desiredCount: found.desiredCount ?? 0,
        runningCount: found.runningCount ?? 0,
        pendingCount: found.pendingCount ?? 0,
        ...(primary?.id === undefined ? {} : { primaryId: primary.id }),
        isDeploying: primary?.rolloutState === "IN_PROGRESS" || (found.deployments?.length ?? 0) > 1,
        targetGroups: (found.loadBalancers ?? []).flatMap(({ targetGroupArn }) => targetGroupArn ?? []),
      };
    },

    async health(cluster, taskArn) {
      const { tasks } = await read(`describe task ${taskArn}`, () =>
        client.send(new DescribeTasksCommand({ cluster, tasks: [taskArn] })),
      );
      const [task] = tasks ?? [];
      return (
        task && {
          whole: task.healthStatus ?? "UNKNOWN",
          containers: new Map(
            (task.containers ?? []).map(({ name, healthStatus }) => [name ?? "", healthStatus ?? "UNKNOWN"]),
          ),
        }
      );
    },

    async definition(arn) {
      const known = definitions.get(arn);
      if (known) return known;
      const { taskDefinition } = await read(`describe task definition ${arn}`, () =>
        client.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn })),
      );
      const facts: DefinitionFacts = {
        arn,
        ...(taskDefinition?.cpu ? { cpu: taskDefinition.cpu } : {}),
        ...(taskDefinition?.memory ? { memory: taskDefinition.memory } : {}),
        containers: (taskDefinition?.containerDefinitions ?? []).map(containerShape),
      };
      definitions.set(arn, facts);
      return facts;
    },

    async lastGood(cluster, service, than) {
      const found = await describe(cluster, service);
      const running = (found?.deployments ?? [])
        .filter(({ rolloutState }) => rolloutState === "COMPLETED")
        .flatMap(({ taskDefinition }) => taskDefinition ?? []);
      const near = running.find((arn) => arn !== than);
      if (near !== undefined) return near;
      try {
        return (await succeeded(cluster, service)).find((arn) => arn !== than);
      } catch (error) {
        // Some partitions and emulators keep no service deployments; then there is nothing to compare with.
        if (isNotOffered((error as Error).cause)) return undefined;
        throw error;
      }
    },
  };
}

function containerShape(container: ContainerDefinition): ContainerShape {
  const { logConfiguration: log, healthCheck } = container;
  const {
    "awslogs-group": group,
    "awslogs-stream-prefix": prefix,
    "awslogs-region": region,
  } = log?.options ?? {};
  const isReadable = log?.logDriver === "awslogs" && group !== undefined && prefix !== undefined;
  return {
    name: container.name ?? "",
    image: container.image ?? "",
    isEssential: container.essential !== false,
    ...(container.cpu ? { cpu: container.cpu } : {}),
    ...(container.memory ? { memory: container.memory } : {}),
    ...(container.memoryReservation ? { memoryReservation: container.memoryReservation } : {}),
    ...(container.stopTimeout ? { stopTimeoutSeconds: container.stopTimeout } : {}),
    command: [...(container.entryPoint ?? []), ...(container.command ?? [])],
    environment: new Map((container.environment ?? []).map(({ name, value }) => [name ?? "", value ?? ""])),
    secrets: new Map((container.secrets ?? []).map(({ name, valueFrom }) => [name ?? "", valueFrom ?? ""])),
    dependsOn: (container.dependsOn ?? []).map(({ containerName, condition }) => ({
      container: containerName ?? "",
      condition: condition ?? "",
    })),
    ...(healthCheck?.command ? { healthCheck: healthCheck.command.join(" ") } : {}),
    ...(isReadable ? { logs: { group, prefix, ...(region ? { region } : {}) } } : {}),
  };
}
