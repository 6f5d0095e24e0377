/**
 * Clusters and task definitions. A task definition is checked when it is registered, as ECS does, so that a demo or a
 * test cannot rest on one that a real account would refuse.
 */
import type {
  ContainerDefinition,
  CreateClusterRequest,
  DeregisterTaskDefinitionRequest,
  DescribeClustersRequest,
  DescribeTaskDefinitionRequest,
  ListClustersRequest,
  ListTaskDefinitionsRequest,
  RegisterTaskDefinitionRequest,
} from "@aws-sdk/client-ecs";
import type { Caller, Operation } from "../service.ts";
import { describeCluster, describeTaskDefinition } from "./describe.ts";
import type { EcsState, TaskDefinitionRecord } from "./model.ts";
import {
  clientError,
  findCluster,
  findTaskDefinition,
  invalid,
  page,
  requireList,
  requireText,
} from "./request.ts";

type Token = { nextToken?: string; maxResults?: number };

export function definitionOperations(
  state: EcsState,
  allowShadowedKeys: boolean,
): Readonly<Record<string, Operation>> {
  return {
    CreateCluster({ clusterName = "default" }: CreateClusterRequest) {
      if (!/^[A-Za-z0-9_-]{1,255}$/.test(clusterName))
        throw invalid("Cluster name contains invalid characters.");
      const cluster = state.clusters.get(clusterName) ?? {
        seq: state.nextSeq(),
        arn: state.arn(`cluster/${clusterName}`),
        name: clusterName,
        services: new Map(),
        tasks: new Map(),
      };
      state.clusters.set(clusterName, cluster);
      return { cluster: describeCluster(cluster) };
    },

    ListClusters(input: ListClustersRequest & Token) {
      const { page: clusters, nextToken } = page([...state.clusters.values()], input, 100, 100);
      return { clusterArns: clusters.map(({ arn }) => arn), nextToken };
    },

    DescribeClusters({ clusters = ["default"] }: DescribeClustersRequest) {
      const asked = requireList(clusters, "Clusters", 100);
      return {
        clusters: asked.flatMap((one) =>
          [findCluster(state, one)].filter((it) => it !== undefined).map(describeCluster),
        ),
        failures: asked
          .filter((one) => !findCluster(state, one))
          .map((one) => ({
            arn: one.startsWith("arn:") ? one : state.arn(`cluster/${one}`),
            reason: "MISSING",
          })),
      };
    },

    RegisterTaskDefinition(input: RegisterTaskDefinitionRequest, caller: Caller) {
      const family = requireText(input.family, "Family");
      if (!/^[A-Za-z0-9_-]{1,255}$/.test(family)) throw clientError("Family contains invalid characters.");
      const containers = input.containerDefinitions ?? [];
      if (containers.length === 0) throw clientError("Container list cannot be empty.");
      for (const container of containers) checkContainer(container, containers, allowShadowedKeys);
      const revisions = state.families.get(family) ?? [];
      const revision = revisions.length + 1;
      const definition: TaskDefinitionRecord = {
        seq: state.nextSeq(),
        arn: state.arn(`task-definition/${family}:${revision}`),
        family,
        revision,
        containers,
        input,
        registeredAt: Date.now(),
        registeredBy: caller.principalArn,
        status: "ACTIVE",
      };
      state.families.set(family, [...revisions, definition]);
      return { taskDefinition: describeTaskDefinition(definition), tags: input.tags };
    },

    DescribeTaskDefinition({ taskDefinition, include }: DescribeTaskDefinitionRequest) {
      const definition = findTaskDefinition(state, requireText(taskDefinition, "TaskDefinition"));
      if (!definition) throw clientError("Unable to describe task definition.");
      return {
        taskDefinition: describeTaskDefinition(definition),
        tags: include?.includes("TAGS") ? (definition.input.tags ?? []) : undefined,
      };
    },

    ListTaskDefinitions({
      familyPrefix,
      status = "ACTIVE",
      sort,
      ...token
    }: ListTaskDefinitionsRequest & Token) {
      const all = [...state.families.values()]
        .flat()
        .filter((one) => one.status === status && (familyPrefix === undefined || one.family === familyPrefix))
        .sort((a, b) => (sort === "DESC" ? b.seq - a.seq : a.seq - b.seq));
      const { page: definitions, nextToken } = page(all, token, 100, 100);
      return { taskDefinitionArns: definitions.map(({ arn }) => arn), nextToken };
    },

    DeregisterTaskDefinition({ taskDefinition }: DeregisterTaskDefinitionRequest) {
      const asked = requireText(taskDefinition, "TaskDefinition");
      const definition = /:\d+$/.test(asked) ? findTaskDefinition(state, asked) : undefined;
      if (!definition) throw clientError("The specified task definition does not exist; name a revision.");
      definition.status = "INACTIVE";
      return { taskDefinition: describeTaskDefinition(definition) };
    },
  };
}

function checkContainer(
  container: ContainerDefinition,
  all: readonly ContainerDefinition[],
  allowShadowedKeys: boolean,
): void {
  const name = requireText(container.name, "Container.name");
  requireText(container.image, "Container.image");
  if (all.filter((one) => one.name === name).length > 1)
    throw clientError(`Container name ${name} is not unique.`);
  const secrets = (container.secrets ?? []).map((secret) => {
    requireText(secret.valueFrom, "Secret.valueFrom");
    return requireText(secret.name, "Secret.name");
  });
  const plain = new Set((container.environment ?? []).map((pair) => pair.name));
  const taken = secrets.find(
    (secret, position) => secrets.indexOf(secret) !== position || (plain.has(secret) && !allowShadowedKeys),
  );
  if (taken !== undefined) {
    throw clientError(
      `The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '${taken}'.`,
    );
  }
}
