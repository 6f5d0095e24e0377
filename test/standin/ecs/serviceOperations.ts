/**
 * Services and their deployments: what a caller may ask for. What becomes of it is the scheduler's business, so an
 * answer describes the request taken and not yet its effect.
 */
import type {
  CreateServiceRequest,
  DeleteServiceRequest,
  DeploymentConfiguration,
  DescribeServiceDeploymentsRequest,
  DescribeServiceRevisionsRequest,
  DescribeServicesRequest,
  ListServicesRequest,
  StopServiceDeploymentRequest,
  UpdateServiceRequest,
} from "@aws-sdk/client-ecs";
import { AwsError, type Caller, type Operation } from "../service.ts";
import type { Deployments } from "./deployments.ts";
import {
  describeRevision,
  describeService,
  describeServiceDeployment,
  describeServiceDeploymentBriefly,
} from "./describe.ts";
import type { EcsState, ServiceRecord } from "./model.ts";
import {
  findService,
  findServiceDeployment,
  invalid,
  page,
  requireActiveService,
  requireCluster,
  requireList,
  requireService,
  requireTaskDefinition,
  requireText,
} from "./request.ts";
import type { Scheduler } from "./scheduler.ts";

type Token = { nextToken?: string; maxResults?: number };

/** As they come over the wire: dates are numbers. */
interface ListServiceDeploymentsInput extends Token {
  readonly cluster?: string;
  readonly service?: string;
  readonly status?: readonly string[];
  readonly createdAt?: { readonly before?: number; readonly after?: number };
}

const USUAL: DeploymentConfiguration = {
  strategy: "ROLLING",
  maximumPercent: 200,
  minimumHealthyPercent: 100,
  deploymentCircuitBreaker: { enable: false, rollback: false },
  bakeTimeInMinutes: 0,
};

export function serviceOperations(
  state: EcsState,
  deployments: Deployments,
  scheduler: Scheduler,
): Readonly<Record<string, Operation>> {
  return {
    CreateService(input: CreateServiceRequest, caller: Caller) {
      const cluster = requireCluster(state, input.cluster);
      const name = requireText(input.serviceName, "Service name");
      if (!/^[A-Za-z0-9_-]{1,255}$/.test(name)) throw invalid("Service name contains invalid characters.");
      const former = cluster.services.get(name);
      if (former && former.status !== "INACTIVE") {
        throw invalid(
          former.status === "ACTIVE"
            ? "Creation of service was not idempotent."
            : "Unable to Start a service that is still Draining.",
        );
      }
      const definition = requireTaskDefinition(state, input.taskDefinition);
      const service: ServiceRecord = {
        seq: state.nextSeq(),
        arn: state.arn(`service/${cluster.name}/${name}`),
        name,
        cluster,
        controller: input.deploymentController?.type ?? "ECS",
        createdAt: Date.now(),
        createdBy: caller.principalArn,
        revisions: new Map(),
        live: new Set(),
        status: "ACTIVE",
        desiredCount: checkCount(input.desiredCount ?? 1),
        configuration: configure(USUAL, input.deploymentConfiguration),
        definition,
        deployments: [],
        serviceDeployments: [],
        lastGood: undefined,
        nextFault: undefined,
        events: [],
      };
      cluster.services.set(name, service);
      deployments.begin(service, definition);
      scheduler.wake(service);
      return { service: describeService(service) };
    },

    UpdateService(input: UpdateServiceRequest) {
      const service = requireActiveService(requireCluster(state, input.cluster), input.service);
      const wanted =
        input.taskDefinition === undefined
          ? service.definition
          : requireTaskDefinition(state, input.taskDefinition);
      const isDeployment = input.forceNewDeployment === true || wanted !== service.definition;
      if (isDeployment && service.controller !== "ECS") {
        throw invalid(
          `Unable to deploy on services with a ${service.controller} deployment controller through UpdateService.`,
        );
      }
      if (input.desiredCount !== undefined) service.desiredCount = checkCount(input.desiredCount);
      service.configuration = configure(service.configuration, input.deploymentConfiguration);
      if (isDeployment) deployments.begin(service, wanted);
      scheduler.wake(service);
      return { service: describeService(service) };
    },

    DeleteService(input: DeleteServiceRequest) {
      const service = requireActiveService(requireCluster(state, input.cluster), input.service);
      if (service.desiredCount > 0 && input.force !== true)
        throw invalid("The service cannot be stopped while it is scaled above 0.");
      service.status = "DRAINING";
      service.desiredCount = 0;
      scheduler.wake(service);
      return { service: describeService(service) };
    },

    DescribeServices(input: DescribeServicesRequest) {
      const cluster = requireCluster(state, input.cluster);
      const asked = requireList(input.services, "Services", 10);
      const found = asked.map((one) => [one, findService(cluster, one)] as const);
      return {
        services: found.flatMap(([, service]) => (service ? [describeService(service)] : [])),
        failures: found
          .filter(([, service]) => !service)
          .map(([one]) => ({
            arn: one.startsWith("arn:") ? one : state.arn(`service/${cluster.name}/${one}`),
            reason: "MISSING",
          })),
      };
    },

    ListServices(input: ListServicesRequest & Token) {
      const services = [...requireCluster(state, input.cluster).services.values()].filter(
        ({ status }) => status !== "INACTIVE",
      );
      const { page: found, nextToken } = page(services, input, 10, 100);
      return { serviceArns: found.map(({ arn }) => arn), nextToken };
    },

    ListServiceDeployments(input: ListServiceDeploymentsInput) {
      const service = requireService(requireCluster(state, input.cluster), input.service);
      const { after = 0, before = Number.POSITIVE_INFINITY } = input.createdAt ?? {};
      const all = service.serviceDeployments.filter(
        ({ status, createdAt }) =>
          (input.status === undefined || input.status.length === 0 || input.status.includes(status)) &&
          createdAt / 1000 >= after &&
          createdAt / 1000 <= before,
      );
      const { page: found, nextToken } = page(all, input, 20, 100);
      return { serviceDeployments: found.map(describeServiceDeploymentBriefly), nextToken };
    },

    DescribeServiceDeployments({ serviceDeploymentArns }: DescribeServiceDeploymentsRequest) {
      const asked = requireList(serviceDeploymentArns, "serviceDeploymentArns", 20);
      const found = asked.map((arn) => [arn, findServiceDeployment(state, arn)] as const);
      return {
        serviceDeployments: found.flatMap(([, one]) => (one ? [describeServiceDeployment(one)] : [])),
        failures: found.filter(([, one]) => !one).map(([arn]) => ({ arn, reason: "MISSING" })),
      };
    },

    DescribeServiceRevisions({ serviceRevisionArns }: DescribeServiceRevisionsRequest) {
      const asked = requireList(serviceRevisionArns, "serviceRevisionArns", 20);
      const found = asked.map((arn) => {
        const [, clusterName = "", serviceName = ""] = arn.split("/");
        const service = state.clusters.get(clusterName)?.services.get(serviceName);
        const revision = service?.revisions.get(arn);
        return { arn, described: service && revision && describeRevision(service, revision) };
      });
      return {
        serviceRevisions: found.flatMap(({ described }) => (described ? [described] : [])),
        failures: found.filter(({ described }) => !described).map(({ arn }) => ({ arn, reason: "MISSING" })),
      };
    },

    StopServiceDeployment({ serviceDeploymentArn, stopType = "ROLLBACK" }: StopServiceDeploymentRequest) {
      const arn = requireText(serviceDeploymentArn, "serviceDeploymentArn");
      const one = findServiceDeployment(state, arn);
      if (!one) throw new AwsError("ServiceDeploymentNotFoundException", "Service deployment not found.");
      if (one.status !== "PENDING" && one.status !== "IN_PROGRESS") {
        throw new AwsError(
          "ConflictException",
          `A service deployment that is ${one.status} cannot be stopped.`,
        );
      }
      if (stopType !== "ROLLBACK" && stopType !== "ABORT")
        throw invalid("stopType must be ROLLBACK or ABORT.");
      one.status = stopType === "ROLLBACK" ? "ROLLBACK_REQUESTED" : "STOP_REQUESTED";
      one.updatedAt = Date.now();
      scheduler.wake(one.service);
      return { serviceDeploymentArn: arn };
    },
  };
}

function checkCount(count: number): number {
  if (!Number.isInteger(count) || count < 0 || count > 5000)
    throw invalid("Desired count must be between 0 and 5000.");
  return count;
}

function configure(
  before: DeploymentConfiguration,
  change: DeploymentConfiguration | undefined,
): DeploymentConfiguration {
  const after = { ...before, ...change };
  if ((after.strategy ?? "ROLLING") !== "ROLLING")
    throw invalid("The stand-in knows the deployment strategy ROLLING only.");
  if ((after.maximumPercent ?? 200) < 100) throw invalid("maximumPercent must be at least 100.");
  return after;
}
