/**
 * The facts for a verdict: the service as it is now, and what Rekey itself has under way with it. Whoever does not answer in
 * time is done without: the first word of a stop must not wait for it.
 */
import type { StopEvent } from "../incident/stopEvent.ts";
import type { DefinitionFacts, ServiceNow } from "../incident/taskFacts.ts";
import type { StopFacts } from "../incident/verdict.ts";
import { inTime } from "./inTime.ts";
import type { StopPorts } from "./stopPorts.ts";

const ANSWER_MS = 4_000;
/** Tasks that start with a new value and cannot use it end within minutes. */
const ROTATION_MS = 15 * 60_000;

export async function gatherStop(ports: StopPorts, event: StopEvent): Promise<StopFacts> {
  const [service, open, recent, recoveredAt] = await Promise.all([
    event.service === undefined
      ? undefined
      : orNothing(ports, "service", ports.watch.service(event.cluster, event.service)),
    orNothing(ports, "open rotations", openRotations(ports, event)),
    orNothing(ports, "recent rotations", wasRotatedLately(ports, event)),
    orNothing(ports, "recovery", ports.episodes.recoveredAt(event.name)),
  ]);
  return {
    heldSeconds: (ports.now().getTime() - event.atMs) / 1000,
    ...(service === undefined ? {} : { service: serviceFacts(service) }),
    ours: {
      deploymentIds: open?.deploymentIds ?? [],
      isRotating: open?.isRotating === true || recent === true,
      isEmergency: open?.isEmergency === true,
    },
    isMended: recoveredAt !== undefined && recoveredAt > event.atMs,
  };
}

const serviceFacts = ({ desiredCount, runningCount, primaryId, isDeploying }: ServiceNow) => ({
  desiredCount,
  runningCount,
  isDeploying,
  ...(primaryId === undefined ? {} : { primaryId }),
});

async function openRotations({ rotations }: StopPorts, { name }: StopEvent) {
  const runs = await Promise.all((await rotations.openRuns()).map((runId) => rotations.run(runId)));
  const mine = runs
    .filter((run) => run !== undefined)
    .map((run) => ({ run, deployments: run.deployments.filter(({ service }) => service === name) }))
    .filter(({ deployments }) => deployments.length > 0);
  return {
    deploymentIds: mine.flatMap(({ deployments }) =>
      deployments.flatMap(({ deploymentId }) => deploymentId ?? []),
    ),
    isRotating: mine.length > 0,
    isEmergency: mine.some(({ run }) => run.request.emergency),
  };
}

/** Runs leave the list when they end; what they promoted is remembered by secret. */
async function wasRotatedLately({ rotations, watch }: StopPorts, event: StopEvent): Promise<boolean> {
  if (event.kind !== "task") return false;
  const histories = await rotations.histories();
  const fresh = [...histories].filter(([, { current }]) => {
    const age = current === undefined ? Number.NaN : event.atMs - Date.parse(current.since);
    return age >= 0 && age < ROTATION_MS;
  });
  if (fresh.length === 0) return false;
  const named = sourcesOf(await watch.definition(event.taskDefinition));
  return fresh.some(([arn]) => named.some((source) => source.startsWith(arn)));
}

const sourcesOf = ({ containers }: DefinitionFacts) =>
  containers.flatMap(({ secrets, environment }) => [...secrets.values(), ...environment.values()]);

async function orNothing<T>(ports: StopPorts, what: string, asked: Promise<T>): Promise<T | undefined> {
  try {
    return await inTime(ports, ANSWER_MS, asked);
  } catch (error) {
    ports.tell({ event: "stop.fact.missing", what, error });
    return undefined;
  }
}
