/**
 * What became of a service's deployments. The truth is the service deployment, which alone tells "succeeded" from "stable
 * because ECS rolled back"; where that API is not offered, the deployments inside the service description must do.
 */
import {
  type Deployment,
  DescribeServiceDeploymentsCommand,
  type ECSClient,
  ListServiceDeploymentsCommand,
  type Service,
  type ServiceDeploymentBrief,
} from "@aws-sdk/client-ecs";
import { RekeyError } from "../errors.ts";
import type { DeploymentFacts, DeploymentStatus } from "../rotation/fleet.ts";
import { isNotOffered } from "./awsCalls.ts";

type Read = <T>(doing: string, call: () => Promise<T>) => Promise<T>;

const STATUS: Readonly<Record<string, DeploymentStatus>> = {
  PENDING: "running",
  IN_PROGRESS: "running",
  STOP_REQUESTED: "running",
  SUCCESSFUL: "succeeded",
  STOPPED: "superseded",
  // On its way back already: for whoever asked for it, the deployment has failed.
  ROLLBACK_REQUESTED: "failed",
  ROLLBACK_IN_PROGRESS: "failed",
  ROLLBACK_SUCCESSFUL: "failed",
  ROLLBACK_FAILED: "failed",
};

/** Enough to see past a few superseded ones; older deployments decide nothing. */
const RECENT = 10;

export function serviceDeployments(client: ECSClient, read: Read) {
  const known = new Map<string, readonly ServiceDeploymentBrief[]>();
  let offered = true;
  /** Listing without describing is half an API; each look then lists again. */
  let describable = true;

  async function list(service: Service): Promise<readonly ServiceDeploymentBrief[]> {
    if (!offered) return [];
    const request = { cluster: service.clusterArn, service: service.serviceArn, maxResults: RECENT };
    try {
      const got = await read(`list the deployments of ${service.serviceArn}`, () =>
        client.send(new ListServiceDeploymentsCommand(request)),
      );
      return got.serviceDeployments ?? [];
    } catch (error) {
      if (!isMissingApi(error)) throw error;
      offered = false;
      return [];
    }
  }

  async function refresh(
    briefs: readonly ServiceDeploymentBrief[],
  ): Promise<ReadonlyMap<string, ServiceDeploymentBrief>> {
    const arns = briefs.flatMap(({ serviceDeploymentArn }) => serviceDeploymentArn ?? []);
    const fresh = new Map<string, ServiceDeploymentBrief>();
    for (let start = 0; start < arns.length; start += 20) {
      const batch = arns.slice(start, start + 20);
      const request = new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: batch });
      const got = await read("describe service deployments", () => client.send(request)).catch(
        (error: unknown) => {
          if (!isMissingApi(error)) throw error;
          describable = false;
          return { serviceDeployments: [] };
        },
      );
      for (const { targetServiceRevision, ...one } of got.serviceDeployments ?? []) {
        if (one.serviceDeploymentArn === undefined) continue;
        fresh.set(one.serviceDeploymentArn, {
          ...one,
          targetServiceRevisionArn: targetServiceRevision?.arn,
        });
      }
    }
    return fresh;
  }

  return {
    /**
     * Lists what is not known yet: services whose primary deployment is new to this worker. Of the others, the newest
     * deployment and those that have not ended are re-read, in batches of twenty.
     */
    async of(services: readonly Service[]): Promise<readonly (readonly DeploymentFacts[])[]> {
      const toRefresh: ServiceDeploymentBrief[] = [];
      await Promise.all(
        services.map(async (service) => {
          const arn = service.serviceArn ?? "";
          const briefs = known.get(arn) ?? [];
          const primary = service.deployments?.find(({ status }) => status === "PRIMARY");
          if (!describable || !briefs.some((brief) => isSame(brief, primary)))
            known.set(arn, newestFirst(await list(service)));
          else
            toRefresh.push(
              ...briefs.filter((brief, place) => place === 0 || STATUS[brief.status ?? ""] === "running"),
            );
        }),
      );
      const wasDescribable = describable;
      const refreshed = offered ? await refresh(toRefresh) : new Map<string, ServiceDeploymentBrief>();
      if (wasDescribable && !describable) return this.of(services);
      return services.map((service) => {
        const briefs = (known.get(service.serviceArn ?? "") ?? []).map(
          (brief) => refreshed.get(brief.serviceDeploymentArn ?? "") ?? brief,
        );
        known.set(service.serviceArn ?? "", briefs);
        return fold(service, briefs);
      });
    },
  };
}

function fold(service: Service, briefs: readonly ServiceDeploymentBrief[]): readonly DeploymentFacts[] {
  const described = service.deployments ?? [];
  const [head] = briefs;
  if (head === undefined) return newestFirst(described).map((one) => fromDescription(one, service));
  const facts = briefs.map((brief) => fromBrief(brief, service));
  const primary = described.find(({ status }) => status === "PRIMARY");
  const isListed = briefs.some((brief) => isSame(brief, primary));
  const isNewer = (primary?.createdAt?.getTime() ?? 0) > (head.createdAt?.getTime() ?? 0);
  // Listing lags behind a new deployment. After a rollback, though, the unlisted primary is ECS's own way back.
  if (primary && !isListed && isNewer && facts[0]?.status !== "failed") {
    return [fromDescription(primary, service), ...facts];
  }
  return facts;
}

function fromBrief(brief: ServiceDeploymentBrief, service: Service): DeploymentFacts {
  const described = service.deployments ?? [];
  const matching =
    described.find(({ id }) => id === `ecs-svc/${revisionId(brief)}`) ??
    described.find((one) => isSame(brief, one));
  return {
    deploymentId: matching?.id ?? `ecs-svc/${revisionId(brief)}`,
    ...(brief.serviceDeploymentArn ? { serviceDeploymentArn: brief.serviceDeploymentArn } : {}),
    createdAt: brief.createdAt ?? matching?.createdAt ?? new Date(0),
    ...(brief.finishedAt ? { finishedAt: brief.finishedAt } : {}),
    status: STATUS[brief.status ?? ""] ?? (matching ? rolloutStatus(matching, service) : "running"),
    ...(brief.statusReason ? { reason: brief.statusReason } : {}),
  };
}

function fromDescription(one: Deployment, service: Service): DeploymentFacts {
  return {
    deploymentId: one.id ?? "",
    createdAt: one.createdAt ?? new Date(0),
    status: rolloutStatus(one, service),
    ...(one.rolloutStateReason ? { reason: one.rolloutStateReason } : {}),
  };
}

function rolloutStatus(one: Deployment, service: Service): DeploymentStatus {
  if (one.rolloutState === "FAILED") return "failed";
  if (one.rolloutState === "COMPLETED") return "succeeded";
  if (one.rolloutState === "IN_PROGRESS") return "running";
  if (one.status !== "PRIMARY") return "superseded";
  const alone = (service.deployments ?? []).every((other) => other === one || other.status === "INACTIVE");
  // Counts that are not given are no zeros.
  const { desiredCount, runningCount, pendingCount } = one.desiredCount === undefined ? service : one;
  const full = desiredCount !== undefined && runningCount === desiredCount && (pendingCount ?? 0) === 0;
  return alone && full ? "succeeded" : "running";
}

function isMissingApi(error: unknown): boolean {
  return isNotOffered(error instanceof RekeyError ? error.cause : error);
}

/**
 * A deployment's id `ecs-svc/<n>` and its service revision's ARN end in the same number. That is seen and not promised,
 * so two that were created in the same second are taken for one as well.
 */
function isSame(brief: ServiceDeploymentBrief, deployment: Deployment | undefined): boolean {
  if (deployment?.id === undefined) return false;
  if (deployment.id === `ecs-svc/${revisionId(brief)}`) return true;
  const apart =
    (deployment.createdAt?.getTime() ?? 0) - (brief.createdAt?.getTime() ?? Number.POSITIVE_INFINITY);
  return Math.abs(apart) <= 1_000;
}

function revisionId(brief: ServiceDeploymentBrief): string {
  return (brief.targetServiceRevisionArn ?? brief.serviceDeploymentArn ?? "").split("/").at(-1) ?? "";
}

function newestFirst<T extends { readonly createdAt?: Date | undefined }>(items: readonly T[]): T[] {
  return items.toSorted((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0));
}
