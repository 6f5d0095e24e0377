/**
 * ECS as the engine's ConsumerFleet: pages, batches and paces the reads, and folds services, deployments, tasks and task
 * definitions into plain facts. What a deployment came to is judged in `ecsDeployments.ts`.
 */
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ECSClient,
  type Failure,
  ListClustersCommand,
  ListServicesCommand,
  ListTasksCommand,
  type Service,
  StopServiceDeploymentCommand,
  type Task,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import { RekeyError } from "../errors.ts";
import type {
  ConsumerFleet,
  FleetFacts,
  ServiceFacts,
  TaskDefinitionFacts,
  TaskFacts,
} from "../rotation/fleet.ts";
import { awsError, bucket, CLIENT_OPTIONS, isNotOffered, isSdkError, ONCE } from "./awsCalls.ts";
import { serviceDeployments } from "./ecsDeployments.ts";
import { overrideReferences, taskDefinitionFacts } from "./ecsTaskDefinitions.ts";

const nameOf = (arn: string) => arn.split("/").at(-1) ?? arn;

/** @param clusters names or ARNs; empty for every cluster of the Region */
export function ecsFleet(
  clusters: readonly string[],
  client = new ECSClient(CLIENT_OPTIONS),
  once = new ECSClient(ONCE),
): ConsumerFleet {
  /** Each group of reads has a bucket of its own, of 50 or 100, refilled at 20 a second. */
  const reader = () => {
    const reading = bucket(45, 19);
    return <T>(doing: string, call: () => Promise<T>) =>
      reading(call).catch((error: unknown) => {
        throw awsError(error, doing);
      });
  };
  const [readClusters, readServices, readTasks, readDefinitions] = [reader(), reader(), reader(), reader()];
  /** 50 at once, refilled at 5 a second. */
  const writing = bucket(45, 4.5);
  const deployments = serviceDeployments(client, reader());
  const definitions = new Map<string, TaskDefinitionFacts>();

  async function paged<T>(
    read: ReturnType<typeof reader>,
    doing: string,
    page: (nextToken: {
      nextToken?: string;
    }) => Promise<{ nextToken?: string | undefined; items: readonly T[] | undefined }>,
  ): Promise<T[]> {
    const found: T[] = [];
    let token: string | undefined;
    do {
      const got = await read(doing, () => page(token === undefined ? {} : { nextToken: token }));
      found.push(...(got.items ?? []));
      token = got.nextToken;
      // An empty token would be answered with the first page, for ever.
    } while (token);
    return found;
  }

  const listClusters = () =>
    clusters.length > 0
      ? Promise.resolve([...clusters])
      : paged(readClusters, "list the clusters", async (token) => {
          const got = await client.send(new ListClustersCommand({ maxResults: 100, ...token }));
          return { nextToken: got.nextToken, items: got.clusterArns };
        });

  const listServices = (cluster: string) =>
    paged(readServices, `list the services of cluster ${cluster}`, async (token) => {
      const got = await client.send(new ListServicesCommand({ cluster, maxResults: 100, ...token }));
      return { nextToken: got.nextToken, items: got.serviceArns };
    });

  async function describeServices(cluster: string, services: readonly string[]): Promise<Service[]> {
    const batches = await Promise.all(
      chunks(services, 10).map((batch) =>
        readServices(`describe services of cluster ${cluster}`, () =>
          client.send(new DescribeServicesCommand({ cluster, services: batch })),
        ),
      ),
    );
    rejectFailures(`describe services of cluster ${cluster}`, batches);
    return batches.flatMap((batch) => batch.services ?? []).map((one) => ({ clusterArn: cluster, ...one }));
  }

  /** Tasks on their way out are listed under STOPPED while they still run and hold what they read. */
  async function describeTasks(cluster: string): Promise<Task[]> {
    const lists = await Promise.all(
      (["RUNNING", "STOPPED"] as const).map((desiredStatus) =>
        paged(readTasks, `list the tasks of cluster ${cluster}`, async (token) => {
          const got = await client.send(
            new ListTasksCommand({ cluster, desiredStatus, maxResults: 100, ...token }),
          );
          return { nextToken: got.nextToken, items: got.taskArns };
        }),
      ),
    );
    const batches = await Promise.all(
      chunks([...new Set(lists.flat())], 100).map((tasks) =>
        readTasks(`describe tasks of cluster ${cluster}`, () =>
          client.send(new DescribeTasksCommand({ cluster, tasks })),
        ),
      ),
    );
    rejectFailures(`describe tasks of cluster ${cluster}`, batches);
    return batches
      .flatMap((batch) => batch.tasks ?? [])
      .filter(({ lastStatus }) => lastStatus !== "STOPPED")
      .map((one) => ({ clusterArn: cluster, ...one }));
  }

  /** A revision never changes, so each is read once. */
  async function define(arns: Iterable<string>): Promise<ReadonlyMap<string, TaskDefinitionFacts>> {
    const wanted = [...new Set(arns)];
    await Promise.all(
      wanted
        .filter((arn) => !definitions.has(arn))
        .map(async (arn) => {
          const got = await readDefinitions(`describe task definition ${arn}`, () =>
            client.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn })),
          );
          definitions.set(arn, taskDefinitionFacts(arn, got.taskDefinition));
        }),
    );
    return new Map(
      wanted.flatMap((arn) =>
        [...[definitions.get(arn)].filter((one) => one !== undefined)].map((one) => [arn, one] as const),
      ),
    );
  }

  async function gather(
    wanted: readonly { cluster: string; services: readonly string[] }[],
  ): Promise<FleetFacts> {
    const perCluster = await Promise.all(
      wanted.map(async ({ cluster, services }) => {
        const [described, tasks] = await Promise.all([
          describeServices(cluster, services),
          describeTasks(cluster),
        ]);
        return { described, tasks: tasks.map((task) => taskFacts(task, described)) };
      }),
    );
    const described = perCluster.flatMap((one) => one.described);
    const facts = await deployments.of(described);
    const services = described.map((service, position) => serviceFacts(service, facts[position] ?? []));
    const tasks = perCluster.flatMap((one) => one.tasks);
    const taskDefinitions = await define([
      ...services.flatMap((service) => service.taskDefinitions),
      ...tasks.map((task) => task.taskDefinition),
    ]);
    return { services, tasks, taskDefinitions };
  }

  return {
    async survey() {
      const all = await listClusters();
      return gather(
        await Promise.all(all.map(async (cluster) => ({ cluster, services: await listServices(cluster) }))),
      );
    },

    async look(services) {
      const byCluster = Map.groupBy(services, ({ cluster }) => cluster);
      return gather(
        [...byCluster].map(([cluster, members]) => ({
          cluster,
          services: members.map(({ serviceArn }) => serviceArn),
        })),
      );
    },

    async deploy(service) {
      const request = {
        cluster: service.cluster,
        service: nameOf(service.serviceArn),
        forceNewDeployment: true,
      };
      const got = await writing(() => once.send(new UpdateServiceCommand(request))).catch(
        (error: unknown) => {
          throw awsError(error, `redeploy service ${service.name}`);
        },
      );
      const answered = newDeployment(service, got.service);
      if (answered) return answered;
      const [described] = await describeServices(service.cluster, [service.serviceArn]).catch(() => []);
      return newDeployment(service, described) ?? {};
    },

    async rollBack(service) {
      const arn = service.deployments.find(({ status }) => status === "running")?.serviceDeploymentArn;
      if (arn === undefined) return;
      const request = { serviceDeploymentArn: arn, stopType: "ROLLBACK" } as const;
      await writing(() => client.send(new StopServiceDeploymentCommand(request))).catch((error: unknown) => {
        // It ended, or is stopping already, while we decided: what comes of it is read in the next round.
        if (isSdkError(error, "ConflictException", "ServiceDeploymentNotFoundException")) return;
        // Then the redeployment that follows supersedes it.
        if (isNotOffered(error)) return;
        throw awsError(error, `roll back the deployment of service ${service.name}`);
      });
    },
  };
}

function serviceFacts(service: Service, deployments: ServiceFacts["deployments"]): ServiceFacts {
  const cluster = service.clusterArn ?? "";
  const definitions = [
    service.taskDefinition,
    ...(service.deployments ?? []).map((one) => one.taskDefinition),
  ];
  return {
    name: `${nameOf(cluster)}/${service.serviceName ?? nameOf(service.serviceArn ?? "")}`,
    cluster,
    serviceArn: service.serviceArn ?? "",
    active: service.status !== "INACTIVE",
    controller: service.deploymentController?.type ?? "ECS",
    desiredCount: service.desiredCount ?? 0,
    runningCount: service.runningCount ?? 0,
    pendingCount: service.pendingCount ?? 0,
    taskDefinitions: [...new Set(definitions.filter((one) => one !== undefined))],
    deployments,
  };
}

/** Ours is new: the one that was there before we asked may still be shown as the primary one. */
function newDeployment(before: ServiceFacts, service: Service | undefined) {
  const primary = service?.deployments?.find(({ status }) => status === "PRIMARY");
  const isKnown = before.deployments.some(({ deploymentId }) => deploymentId === primary?.id);
  return primary?.id === undefined || isKnown ? undefined : { deploymentId: primary.id };
}

/** What is gone is no failure; about anything else ECS has not answered. @throws RekeyError AWS_FAILED */
function rejectFailures(
  doing: string,
  batches: readonly { readonly failures?: Failure[] | undefined }[],
): void {
  const failure = batches
    .flatMap(({ failures }) => failures ?? [])
    .find(({ reason }) => reason !== "MISSING");
  if (failure)
    throw new RekeyError("AWS_FAILED", `could not ${doing}: ${failure.arn ?? ""} ${failure.reason ?? ""}`);
}

function taskFacts(task: Task, services: readonly Service[]): TaskFacts {
  const cluster = task.clusterArn ?? "";
  const service = task.group?.startsWith("service:")
    ? task.group.slice("service:".length)
    : services.find(({ deployments }) => deployments?.some(({ id }) => id === task.startedBy))?.serviceName;
  return {
    taskArn: task.taskArn ?? "",
    cluster,
    ...(service === undefined ? {} : { service: `${nameOf(cluster)}/${service}` }),
    taskDefinition: task.taskDefinitionArn ?? "",
    // It has read its secrets before it starts; so one that says nothing about its beginning is taken for an old one.
    createdAt: task.createdAt ?? task.pullStartedAt ?? new Date(0),
    ...(task.startedAt ? { startedAt: task.startedAt } : {}),
    ...(task.startedBy ? { startedBy: task.startedBy } : {}),
    overrides: overrideReferences(task),
  };
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, position) => items.slice(position * size, (position + 1) * size));
}
