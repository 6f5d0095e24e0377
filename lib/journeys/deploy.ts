/**
 * The run's deployments: which services are due, asked for once each, and what became of them. The record of having asked
 * is written before the asking, so that a crash between the two is seen as a deployment to look for.
 */
import { RekeyError } from "../errors.ts";
import { type Consumers, findConsumers } from "../rotation/consumers.ts";
import type { FleetFacts, ServiceFacts, ServiceName } from "../rotation/fleet.ts";
import type { DeploymentRecord, Rotation, Run, WaveRecord } from "../rotation/intent.ts";
import { findOurs, planDeployments } from "../rotation/rollout.ts";
import type { Wave } from "../rotation/strategy.ts";
import {
  type FleetLook,
  hasSettled,
  isRollingOut,
  rolloutFacts,
  settlesAt,
  type Workpiece,
} from "./gather.ts";
import type { Ports } from "./ports.ts";

const isOpen = ({ outcome }: Rotation) => outcome === undefined;
const isBack = (wave: WaveRecord | undefined) => wave?.retreat?.demotedAt !== undefined;

/** Whether this rotation's next move depends on ECS. */
function needsFleet(rotation: Rotation): boolean {
  const wave = rotation.history.at(-1);
  return isOpen(rotation) && wave !== undefined && isRollingOut(wave);
}

/** Looks at as much of ECS as the round needs: everything at first and before a rollout is called complete. */
export class FleetView {
  readonly #ports: Ports;
  readonly #pieces: ReadonlyMap<string, Workpiece>;
  #services: readonly ServiceFacts[] | undefined;
  #wantsAll = true;

  constructor(ports: Ports, pieces: ReadonlyMap<string, Workpiece>) {
    this.#ports = ports;
    this.#pieces = pieces;
  }

  async read(rotations: readonly Rotation[]): Promise<FleetLook | undefined> {
    const involved = rotations.filter(needsFleet);
    if (involved.length === 0) return undefined;
    const complete = this.#wantsAll || this.#services === undefined;
    const names = new Set(involved.flatMap(({ consumers }) => consumers));
    const known = (this.#services ?? []).filter(({ name }) => names.has(name));
    const facts = complete ? await this.#ports.fleet.survey() : await this.#ports.fleet.look(known);
    if (complete) this.#services = facts.services;
    this.#wantsAll = false;
    return { facts, complete, consumersOf: this.#consumersIn(facts) };
  }

  /** For all secrets at once, because each answer takes a walk through everything that runs. */
  #consumersIn(facts: FleetFacts): (secretArn: string) => Consumers | undefined {
    const known = new Map<string, Consumers>();
    return (secretArn) => {
      if (!known.has(secretArn)) {
        const managed = [...this.#pieces.values()].map((piece) => piece.managed);
        for (const [arn, consumers] of findConsumers(managed, facts)) known.set(arn, consumers);
      }
      return known.get(secretArn);
    };
  }

  surveyNext(): void {
    this.#wantsAll = true;
  }
}

/** Brings the records of our deployments up to what ECS says now. */
export async function noteDeployments(ports: Ports, run: Run, fleet: FleetFacts): Promise<Run> {
  const services = new Map(fleet.services.map((service) => [service.name, service]));
  const deployments = run.deployments.map((record): DeploymentRecord => {
    const service = services.get(record.service);
    const found =
      service &&
      record.status !== "succeeded" &&
      record.status !== "failed" &&
      findOurs(service, record, run.deployments, ports.settings.settleSeconds);
    if (!found || found.status === record.status) return record;
    ports.tell({ event: "deployment.changed", service: record.service, status: found.status });
    if (found.status !== "running")
      ports.tell({ event: "deployment.done", service: record.service, status: found.status });
    return {
      ...record,
      deploymentId: found.deploymentId,
      status: found.status,
      ...(found.reason ? { reason: found.reason } : {}),
      ...(found.status === "running" ? {} : { finishedAt: (found.finishedAt ?? ports.now()).toISOString() }),
    };
  });
  const changed = deployments.some((record, position) => record !== run.deployments[position]);
  return changed ? ports.log.saveRun({ ...run, deployments }) : run;
}

/** Asks ECS for every deployment that is due, once. */
export async function deployWhatIsDue(
  ports: Ports,
  begun: Run,
  rotations: readonly Rotation[],
  look: FleetLook,
  runWave: Wave,
): Promise<Run> {
  let run = begun;
  const { facts: fleet } = look;
  const services = new Map(fleet.services.map((service) => [service.name, service]));
  const wanted: { names: readonly ServiceName[]; back: boolean; wave: Wave }[] = [];
  for (const rotation of rotations.filter(needsFleet)) {
    const wave = rotation.history.at(-1);
    const consumers = look.consumersOf(rotation.secretArn);
    // A task that starts before may still be given the value that is to go.
    if (!wave || !consumers || !hasSettled(ports, wave)) continue;
    const { state, missing } = rolloutFacts(ports, run, rotation, fleet, consumers);
    if (isBack(wave)) await stopFailed(ports, wave, services);
    if (state === "missing") wanted.push({ names: missing, back: isBack(wave), wave: wave.wave });
  }
  const heldBack = rotations
    .filter((one) => waitsToPromote(one, runWave) || waitsToSettle(ports, one))
    .map(({ consumers }) => consumers);
  const due = planDeployments(
    wanted.map(({ names }) => names),
    heldBack,
  );
  if (due.length === 0) return run;

  const requestedAt = ports.now().toISOString();
  const records = due.map((service): DeploymentRecord => {
    const back = wanted.some((one) => one.back && one.names.includes(service));
    const wave = wanted.find(({ names }) => names.includes(service))?.wave ?? "rotate";
    const tasksReplaced = fleet.tasks.filter((task) => task.service === service).length;
    return { service, wave, back, requestedAt, status: "requested", tasksReplaced };
  });
  // What was asked for once and never showed did not begin; this is the same deployment, not a second one.
  const earlier = run.deployments.filter((one) => !(isUnseen(one) && due.includes(one.service)));
  run = await ports.log.saveRun({ ...run, deployments: [...earlier, ...records] });
  const asked = await Promise.all(records.map((record) => ask(ports, record, services.get(record.service))));
  const answered = asked.filter((record) => record !== undefined);
  return ports.log.saveRun({ ...run, deployments: [...earlier, ...answered] });
}

const isUnseen = ({ status, deploymentId }: DeploymentRecord) =>
  status === "requested" && deploymentId === undefined;

/** @returns undefined if nothing was begun and the next round may ask again */
async function ask(
  ports: Ports,
  record: DeploymentRecord,
  service: ServiceFacts | undefined,
): Promise<DeploymentRecord | undefined> {
  if (!service) return record;
  try {
    const deployment = await ports.fleet.deploy(service);
    ports.tell({
      event: "deployment.requested",
      service: record.service,
      ...deployment,
      wave: record.wave,
      back: record.back,
    });
    return { ...record, ...deployment, status: "running" };
  } catch (error) {
    if (!(error instanceof RekeyError) || error.code === "LEASE_LOST") throw error;
    ports.tell({
      event: "deployment.refused",
      service: record.service,
      code: error.code,
      message: error.message,
    });
    if (error.code === "AWS_THROTTLED") return undefined;
    // It may have begun: the next rounds look for it.
    if (error.code === "AWS_UNANSWERED") return record;
    // Not tried again in this wave: who may not deploy now may not deploy in a minute, and the way back is safe.
    return { ...record, status: "failed", reason: error.message, finishedAt: ports.now().toISOString() };
  }
}

/** The label is back by now, so what ECS's rollback starts reads the old value. */
async function stopFailed(
  ports: Ports,
  wave: WaveRecord,
  services: ReadonlyMap<ServiceName, ServiceFacts>,
): Promise<void> {
  const service = services.get(wave.retreat?.service ?? "");
  const newest = service?.deployments[0];
  const isFromBefore = newest !== undefined && newest.createdAt < new Date(wave.retreat?.demotedAt ?? 0);
  if (service && isFromBefore && newest.status === "running") await ports.fleet.rollBack(service);
}

function waitsToSettle(ports: Ports, rotation: Rotation): boolean {
  const wave = rotation.history.at(-1);
  return needsFleet(rotation) && wave !== undefined && !hasSettled(ports, wave);
}

/** Services that wait for nothing but for a promoted value to be readable everywhere are deployed as soon as it is. */
export function untilNextSettled(ports: Ports, rotations: readonly Rotation[]): number {
  const times = rotations
    .filter((rotation) => waitsToSettle(ports, rotation))
    .flatMap(({ history }) => history.at(-1) ?? [])
    .map((wave) => settlesAt(ports, wave).getTime());
  return Math.min(...times) - ports.now().getTime();
}

/** In the wave that the run has come to and on its way to the promotion: a service that it shares waits for it. */
function waitsToPromote(rotation: Rotation, runWave: Wave): boolean {
  const wave = rotation.history.at(-1);
  if (!isOpen(rotation) || rotation.parkedSince !== undefined || wave?.wave !== runWave) return false;
  // In an emergency the services are cut off already; one deployment too many is better than to wait for what stumbles.
  if (rotation.emergency && rotation.because !== undefined) return false;
  return wave.promotedAt === undefined && wave.retreat === undefined;
}
