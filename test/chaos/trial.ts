/**
 * One run with one fault in it: rotateAll begins, whoever is killed is followed by a fresh process that runs `advance`
 * again and again, and in the end the world is judged. The next trial starts from where this one ended.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ECSClient, ListServiceDeploymentsCommand } from "@aws-sdk/client-ecs";
import type { Rotation } from "../../lib/rotation/intent.ts";
import type { Report } from "../../lib/rotation/report.ts";
import { complaintsAboutEnd, currentOf } from "./endState.ts";
import type { Watch } from "./monitor.ts";
import { type Injector, nameOf, type Plan, type Point } from "./points.ts";
import type { Records } from "./records.ts";
import { CLUSTER, SERVICES, type SmallWorld } from "./smallWorld.ts";
import type { Workers } from "./workers.ts";

export interface Arena {
  readonly world: SmallWorld;
  readonly injector: Injector;
  readonly workers: Workers;
  readonly records: Records;
  readonly watch: Watch;
}

export interface Verdict {
  /** Where the fault struck; empty if the run never came to the point. */
  readonly hits: readonly Point[];
  readonly calls: readonly Point[];
  /** `rotated`, or `kept` when the old value is in use again, or `stuck`. */
  readonly end: "rotated" | "kept" | "stuck";
  readonly violations: readonly string[];
  readonly seconds: number;
}

/** A run takes seconds; a machine that has no time for it must not make it look stuck. */
const BOUND_MS = 400_000;
const TIMEOUT_MS = 200_000;
const PAUSE_MS = 200;

export async function tryOnce(arena: Arena, plan?: Plan): Promise<Verdict> {
  const { world, injector, workers, records, watch } = arena;
  const begunAt = Date.now();
  const before = currentOf(world);
  const refusedBefore = watch.refusals.length;
  const deploymentsBefore = await countDeployments(world);
  injector.begin(plan);
  injector.kill = () => workers.current.kill();

  const runIds = new Set<string>();
  const follow = async (name: "rotateAll" | "advance") => {
    const { payload, failure, died } = await workers.current.invoke(name, {}, TIMEOUT_MS);
    // Lambda ends a process that has used up its time; here, too, nothing of it may go on beside the next one.
    const isLate = failure?.errorType === "TimeoutError";
    if (isLate) await workers.current.kill();
    for (const { runId } of [payload ?? []].flat() as Report[]) runIds.add(runId);
    const open = await records.open();
    for (const runId of open.runIds) runIds.add(runId);
    if (died || isLate) await Promise.all(open.runIds.map((runId) => records.ageLease(runId)));
    return open;
  };
  let open = await follow("rotateAll");
  while (open.held.length > 0 && Date.now() - begunAt < BOUND_MS) {
    // A run that died before it had a record stands in the way of others for a minute and is then replaced.
    const isUnborn = (await Promise.all(open.runIds.map((id) => records.run(id)))).every(({ run }) => !run);
    if (isUnborn && (await records.agePointer())) open = await follow("rotateAll");
    else open = await follow("advance");
    if (open.held.length === 0) break;
    await sleep(PAUSE_MS);
  }
  const calls = [...injector.calls];
  const hits = [...injector.hits];
  injector.begin();

  const isStuck = open.held.length > 0;
  const violations = isStuck ? [] : await complaintsAboutEnd(world, before);
  if (isStuck) violations.push(`after ${BOUND_MS / 1000} s there is still ${open.held.join(", ")}`);
  for (const refusal of watch.refusals.slice(refusedBefore))
    violations.push(`refused while it could be read: ${JSON.stringify(refusal)}`);
  const rotations = (await Promise.all([...runIds].map((id) => records.run(id)))).flatMap(
    (one) => one.rotations,
  );
  const isRotated = currentOf(world) !== before;
  violations.push(
    ...deploymentComplaints(deploymentsBefore, await countDeployments(world), rotations, isRotated),
  );
  const strayed = hits.find(
    ({ target, operation }) => target !== plan?.point.target || operation !== plan.point.operation,
  );
  if (strayed) violations.push(`the fault struck at ${nameOf(strayed)}, which was not chosen`);
  if (hits[0] && plan && nameOf(hits[0]) !== nameOf(plan.point))
    violations.push(`the fault struck first at ${nameOf(hits[0])}, which was not chosen`);
  return {
    hits,
    calls,
    end: isStuck ? "stuck" : isRotated ? "rotated" : "kept",
    violations,
    seconds: (Date.now() - begunAt) / 1000,
  };
}

type Counts = Readonly<Record<string, number>>;

async function countDeployments({ client }: SmallWorld): Promise<Counts> {
  const ecs = new ECSClient(client);
  try {
    const counts: Record<string, number> = {};
    for (const service of SERVICES) {
      let nextToken: string | undefined;
      do {
        const page = await ecs.send(
          new ListServiceDeploymentsCommand({
            cluster: CLUSTER,
            service,
            maxResults: 100,
            ...(nextToken ? { nextToken } : {}),
          }),
        );
        counts[service] = (counts[service] ?? 0) + (page.serviceDeployments?.length ?? 0);
        nextToken = page.nextToken;
      } while (nextToken);
    }
    return counts;
  } finally {
    ecs.destroy();
  }
}

/** One deployment for each wave that was promoted, and at most one more on the way back. */
function deploymentComplaints(
  before: Counts,
  after: Counts,
  rotations: readonly Rotation[],
  isRotated: boolean,
): string[] {
  const waves = rotations
    .flatMap(({ history }) => history)
    .filter(({ promotedAt }) => promotedAt !== undefined);
  const backs = waves.filter(({ retreat }) => retreat?.demotedAt !== undefined).length;
  const most = waves.length + backs;
  return SERVICES.flatMap((service) => {
    const made = (after[service] ?? 0) - (before[service] ?? 0);
    if (made > Math.max(most, isRotated ? 1 : 0))
      return [`${service} was deployed ${made} times for ${waves.length} wave(s) and ${backs} way(s) back`];
    return isRotated && made === 0 ? [`${service} was not deployed`] : [];
  });
}
