/**
 * Which services must be redeployed, and whether they have been. Pure: facts from ECS and our own records in, verdicts
 * out. The truth is the tasks: a service is through when no running task can hold the value that is to go, and the
 * deployment that we asked for has succeeded. "Stable" alone proves nothing, because a service is also stable after ECS
 * rolled our deployment back.
 */
import type { Consumers } from "./consumers.ts";
import type { DeploymentFacts, ServiceFacts, ServiceName, TaskFacts } from "./fleet.ts";
import type { DeploymentRecord } from "./intent.ts";

/** Between our clock and ECS's. Not for deployments that we asked for; it errs toward one redeploy too many. */
const CLOCK_MARGIN_MS = 5_000;
/** ECS may date a deployment a little before we noted that we would ask for it. */
const REQUEST_MARGIN_MS = 2_000;
/** How far ECS's clock may be from ours, and its times from the truth: two seconds, and one for times in whole seconds. */
const SKEW_MS = 3_000;

/** The value that is to leave the fleet, as the times between which a task must have read its secrets to hold it. */
export interface Holding {
  /** Nobody was given it before. */
  readonly from?: Date;
  /** Nobody is given it any more. */
  readonly before: Date;
}

export type ServiceVerdict =
  | { readonly state: "through" }
  | { readonly state: "missing" }
  | { readonly state: "running"; readonly because: string }
  | { readonly state: "failed"; readonly because: string };

export interface RolloutFacts {
  readonly state: "through" | "missing" | "running" | "failed";
  readonly because: string;
  readonly missing: readonly ServiceName[];
  readonly failed?: ServiceName;
}

interface Question {
  readonly consumers: Consumers;
  readonly tasks: readonly TaskFacts[];
  readonly records: readonly DeploymentRecord[];
  readonly back: boolean;
  /** There is no way back: a deployment that failed is over once another one has replaced every task. */
  readonly forwardOnly: boolean;
  readonly holding: Holding;
  readonly rolloutSeconds: number;
  /** Between the move of the label and the first deployment that we ask for. */
  readonly settleSeconds: number;
  readonly now: Date;
}

/** The state of one rotation's rollout over all its consumers; the worst one decides. */
export function judgeRollout(question: Question): RolloutFacts {
  const verdicts = question.consumers.services.map(({ service }) => ({
    name: service.name,
    verdict: judgeService(service, question),
  }));
  const failed = verdicts.find(({ verdict }) => verdict.state === "failed");
  if (failed?.verdict.state === "failed") {
    return { state: "failed", because: failed.verdict.because, missing: [], failed: failed.name };
  }
  const missing = verdicts.filter(({ verdict }) => verdict.state === "missing").map(({ name }) => name);
  if (missing.length > 0) return { state: "missing", because: `to redeploy: ${missing.join(", ")}`, missing };
  const running = verdicts.find(({ verdict }) => verdict.state === "running");
  if (running?.verdict.state === "running")
    return { state: "running", because: `${running.name}: ${running.verdict.because}`, missing: [] };
  const lone = question.consumers.tasks.find(({ task }) => holds(task, question.holding, [], undefined));
  if (lone) {
    return {
      state: "running",
      because: `task ${shortId(lone.task.taskArn)} runs outside any service and still holds the old value; it must end or be stopped`,
      missing: [],
    };
  }
  return { state: "through", because: "no running task can hold the old value", missing: [] };
}

export function judgeService(service: ServiceFacts, question: Omit<Question, "consumers">): ServiceVerdict {
  const { records, back, holding, now } = question;
  // A secret whose label moved later than that of others is not served by the deployment that was made for those; one that
  // was made for others after its label had moved serves it as well, forward or back.
  const ours = records.filter(
    (one) => one.service === service.name && Date.parse(one.requestedAt) >= holding.before.getTime(),
  );
  const record = ours.at(-1);
  const deployment = record && findOurs(service, record, records, question.settleSeconds);
  const newest = service.deployments[0];
  // Where there is no way back, and from a way back there is none, only a later deployment mends what failed.
  const isMended =
    (question.forwardOnly || back) &&
    record !== undefined &&
    newest !== undefined &&
    newest.deploymentId !== record.deploymentId &&
    newest.createdAt >= new Date(record.requestedAt) &&
    newest.status !== "failed";
  // Our own verdict first: after a circuit breaker's rollback the newest deployment is a healthy one that isn't ours.
  if ((record?.status === "failed" || deployment?.status === "failed") && !isMended) {
    return { state: "failed", because: deployment?.reason ?? record?.reason ?? "its deployment failed" };
  }
  const counting = [
    ...(deployment ? [deployment] : []),
    ...(newest && newest.createdAt.getTime() >= holding.before.getTime() + CLOCK_MARGIN_MS ? [newest] : []),
  ];
  const fresh = counting.map(({ deploymentId }) => deploymentId);
  const since = record && deployment && newerThanOurs(record, deployment, question);
  const stale = question.tasks.filter(
    (task) => task.service === service.name && holds(task, holding, fresh, since),
  );
  const running = counting.find(({ status }) => status === "running");
  if (running) {
    const askedAt = record ? new Date(record.requestedAt) : running.createdAt;
    return now.getTime() - askedAt.getTime() > question.rolloutSeconds * 1000
      ? { state: "failed", because: `its deployment did not end within ${question.rolloutSeconds} s` }
      : { state: "running", because: running.reason ?? "deployment in progress" };
  }
  if (newest?.status === "failed" && counting.includes(newest)) {
    return {
      state: "failed",
      because: newest.reason ?? "the deployment that another pipeline started failed",
    };
  }
  if (stale.length === 0) {
    // A task that runs and is not listed holds nobody knows what.
    const listed = question.tasks.filter((task) => mayBelongTo(service, task)).length;
    return listed < service.runningCount
      ? { state: "running", because: `ECS counts ${service.runningCount} tasks and lists ${listed}` }
      : { state: "through" };
  }
  if (counting.some(({ status }) => status === "succeeded"))
    return { state: "running", because: `${stale.length} old task(s) still stopping` };
  // We asked and the answer has not shown up in a reading yet: asking again would deploy twice.
  if (record && deployment === undefined && now.getTime() - Date.parse(record.requestedAt) < CLOCK_MARGIN_MS)
    return { state: "running", because: "deployment requested" };
  return { state: "missing" };
}

/**
 * The deployment that a record of ours speaks of, also when the process died before it could note its id. Then it is told by
 * its time, with a margin for ECS's clock; but what another record names is not this one's, and what is older than the label
 * served a value that was to go.
 */
export function findOurs(
  service: ServiceFacts,
  record: DeploymentRecord,
  records: readonly DeploymentRecord[],
  settleSeconds: number,
): DeploymentFacts | undefined {
  const byId = service.deployments.find(({ deploymentId }) => deploymentId === record.deploymentId);
  if (byId) return byId;
  const others = records.filter((one) => one !== record).map(({ deploymentId }) => deploymentId);
  // The label had moved for so long when we asked.
  const marginMs = Math.min(REQUEST_MARGIN_MS, settleSeconds * 1000);
  const earliest = Date.parse(record.requestedAt) - marginMs;
  const found = service.deployments.findLast(
    ({ createdAt, deploymentId }) => createdAt.getTime() >= earliest && !others.includes(deploymentId),
  );
  // Without service deployments ECS forgets ours once it is rolled back, and what it shows is its own, successful way back.
  const isOther = record.deploymentId !== undefined && found?.serviceDeploymentArn === undefined;
  return isOther ? undefined : found;
}

/**
 * The time, on ECS's own clock, from which a task is newer than our deployment, and so than the label. Within a second a
 * task may be older than it says, which does no harm if the label had moved a second before we asked.
 */
function newerThanOurs(
  record: DeploymentRecord,
  { deploymentId, createdAt }: DeploymentFacts,
  { holding, settleSeconds }: Pick<Question, "holding" | "settleSeconds">,
): Date | undefined {
  if (deploymentId !== record.deploymentId || createdAt.getTime() === 0) return undefined;
  const movedAt = holding.before.getTime() - settleSeconds * 1000;
  const askedLater = Date.parse(record.requestedAt) - movedAt >= 1_000;
  return askedLater ? createdAt : new Date(createdAt.getTime() + 1);
}

function holds(
  task: TaskFacts,
  { from, before }: Holding,
  fresh: readonly string[],
  since: Date | undefined,
): boolean {
  // By deployment before time: a platform whose clock is behind must not make a fresh task look old.
  if (task.startedBy !== undefined && fresh.includes(task.startedBy)) return false;
  if (since !== undefined && task.createdAt >= since) return false;
  // A task reads its secrets when its image is there, which may be minutes after it was created.
  const isFromBefore =
    from !== undefined &&
    task.startedAt !== undefined &&
    task.startedAt.getTime() < from.getTime() - CLOCK_MARGIN_MS;
  return task.createdAt.getTime() < before.getTime() + SKEW_MS && !isFromBefore;
}

function mayBelongTo(service: ServiceFacts, task: TaskFacts): boolean {
  return (
    task.service === service.name ||
    (task.service === undefined && service.taskDefinitions.includes(task.taskDefinition))
  );
}

/** Services to redeploy now: wanted by some rotation, and held back by none that has yet to promote its value. */
export function planDeployments(
  wanted: readonly (readonly ServiceName[])[],
  heldBack: readonly (readonly ServiceName[])[],
): readonly ServiceName[] {
  const held = new Set(heldBack.flat());
  return [...new Set(wanted.flat())].filter((name) => !held.has(name)).sort();
}

const shortId = (arn: string) => arn.split("/").at(-1) ?? arn;
