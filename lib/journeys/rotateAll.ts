/**
 * rotateAll: preflight everything, then rotate what may be rotated, as one run. One run at a time; whoever calls while one
 * is under way is answered with that one, because `sls invoke` calls again by itself when a run outlasts its patience.
 */
import { randomUUID } from "node:crypto";
import pLimit from "p-limit";
import { RekeyError } from "../errors.ts";
import type { Rotation, RotationRequest, Run } from "../rotation/intent.ts";
import { planReport } from "../rotation/plan.ts";
import { makeReport, type Report } from "../rotation/report.ts";
import { newWave } from "./act.ts";
import { drive } from "./drive.ts";
import type { Ports } from "./ports.ts";
import { type PlannedSecret, type Preflight, preflight } from "./preflight.ts";
import { isTold, showBoard } from "./showBoard.ts";

export interface Invocation {
  /** The event's own id, if it has one: the same event delivered twice is one run. */
  readonly eventId?: string;
  /** Who works: unique for each invocation. */
  readonly holder: string;
  readonly deadline: Date;
}

/** @throws RekeyError PAYLOAD_INVALID, and whatever keeps preflight from reading anything at all */
export async function rotateAll(
  ports: Ports,
  request: RotationRequest,
  invocation: Invocation,
): Promise<Report> {
  if (request.dryRun) {
    const found = await preflight(ports, request);
    return planReport(request, ports.now(), found);
  }
  const run: Run = {
    runId: invocation.eventId ?? randomUUID(),
    createdAt: ports.now().toISOString(),
    request,
    status: "preflight",
    refused: [],
    notDue: [],
    deployments: [],
    rev: 0,
  };
  const begun = await ports.log.begin(run);
  if (!begun.begun) return reportOn(ports, begun.runId, true);
  ports.tell({
    event: "run.started",
    runId: run.runId,
    ...(request.reason ? { reason: request.reason } : {}),
  });
  return work(ports, { ...run, rev: 1 }, invocation);
}

/** Moves a run on from wherever it stands. */
export async function work(
  ports: Ports,
  begun: Run,
  invocation: Invocation & { readonly patience?: Date },
): Promise<Report> {
  const { runId } = begun;
  if (!(await ports.log.lease(runId, invocation.holder, ports.now(), ports.settings.leaseSeconds)))
    return reportOn(ports, runId, true);
  try {
    // Read again under the lease: the run may have moved on between finding it and getting it.
    const current = (await ports.log.run(runId)) ?? begun;
    const run = current.status === "preflight" ? await start(ports, current) : current;
    const { deadline, patience } = invocation;
    if (run.status !== "done" && run.status !== "refused") {
      await drive(ports, run, invocation.holder, { deadline, patience: patience ?? deadline });
    }
    return await close(ports, runId);
  } catch (error) {
    if (error instanceof RekeyError && error.code === "LEASE_LOST") {
      // Awaited here: while the lease is given back below, nobody would hear this promise fail, and Node would end.
      return await reportOn(ports, runId, true);
    }
    throw error;
  } finally {
    await ports.log.unlease(runId, invocation.holder);
  }
}

/** Preflight, and the records of what will be rotated. Repeated whole after a crash: nothing has been changed by then. */
async function start(ports: Ports, run: Run): Promise<Run> {
  let found: Preflight;
  await releaseEnded(ports);
  try {
    found = await preflight(ports, run.request, run.runId);
  } catch (error) {
    // A request that cannot be met must not stand in the way of the next one.
    await ports.log.closeRun(
      (await ports.log.saveRun({ ...run, status: "refused", finishedAt: ports.now().toISOString() })).runId,
    );
    throw error;
  }
  const known = new Set((await ports.log.rotations(run.runId)).map(({ secretArn }) => secretArn));
  const refused = [...found.refused];
  const limit = pLimit(ports.settings.concurrency);
  const claimed = found.planned
    .filter(({ managed }) => !known.has(managed.arn))
    .map((planned) =>
      limit(async () => {
        const rotation = newRotation(run, planned, ports.now());
        const other = await ports.log.claim(rotation);
        if (other === undefined) await ports.log.saveRotation(rotation);
        else refused.push(claimedBy(planned, other));
      }),
    );
  await Promise.all(claimed);
  const isEmpty = found.planned.length === 0 && known.size === 0;
  return ports.log.saveRun({
    ...run,
    status: !isEmpty ? "rotating" : refused.length > 0 ? "refused" : "done",
    // A secret that a crashed preflight of this run had claimed is not refused for being claimed.
    refused: refused
      .filter(({ arn }) => !known.has(arn))
      .map(({ name, arn, objections }) => ({
        secretName: name,
        secretArn: arn,
        objections: [...objections],
      })),
    notDue: [...found.notDue],
    ...(isEmpty ? { finishedAt: ports.now().toISOString() } : {}),
  });
}

/**
 * A worker that stood still between claiming a secret and its record may claim it again after another has ended that
 * rotation. Nobody would ever release that claim.
 */
async function releaseEnded(ports: Ports): Promise<void> {
  const claims = await ports.log.claims();
  for (const runId of new Set(claims.values())) {
    const rotations = await ports.log.rotations(runId);
    const ended = rotations.filter(
      ({ secretArn, outcome }) => outcome !== undefined && claims.get(secretArn) === runId,
    );
    for (const rotation of ended) await ports.log.release(rotation);
  }
}

function newRotation(run: Run, planned: PlannedSecret, now: Date): Rotation {
  const rotationId = randomUUID();
  const first = planned.waves[0] ?? "rotate";
  return {
    runId: run.runId,
    rotationId,
    secretArn: planned.managed.arn,
    secretName: planned.managed.name,
    credentials: planned.credentials.map(({ label, waves }) => ({ label, waves: [...waves] })),
    briefCut: planned.briefCut,
    waves: [...planned.waves],
    history: [newWave({ rotationId }, first, planned.fromVersionId, now)],
    consumers: planned.consumers.services.map(({ service }) => service.name),
    notes: [...planned.notes],
    failures: 0,
    rev: 0,
  };
}

function claimedBy({ managed }: PlannedSecret, other: string) {
  const message = `${managed.name}: run ${other} has its rotation open`;
  return { name: managed.name, arn: managed.arn, objections: [{ code: "ROTATION_OPEN" as const, message }] };
}

/** The last word on the run: told in the channel, and off the list of what is looked at every minute. */
async function close(ports: Ports, runId: string): Promise<Report> {
  let run = await ports.log.run(runId);
  const rotations = await ports.log.rotations(runId);
  if (!run) throw new RekeyError("RECORD_INVALID", `run ${runId} has no record`);
  const isOver = run.status === "done" || run.status === "refused";
  if (isOver) {
    run = await showBoard(ports, run, rotations, true);
    if (isTold(ports, run, rotations)) await ports.log.closeRun(runId);
  }
  return makeReport(run, rotations);
}

export async function reportOn(ports: Ports, runId: string, alreadyRunning: boolean): Promise<Report> {
  const run = await ports.log.run(runId);
  if (!run) {
    // Its first write is on the way; the id is what the caller needs.
    const createdAt = ports.now().toISOString();
    const empty = {
      runId,
      createdAt,
      status: "preflight",
      refused: [],
      notDue: [],
      deployments: [],
      rev: 0,
    } as const;
    const request = { dryRun: false, force: false, scheduled: false };
    return makeReport({ ...empty, request, refused: [], notDue: [], deployments: [] }, [], true);
  }
  const isOver = run.status === "done" || run.status === "refused";
  return makeReport(run, await ports.log.rotations(runId), alreadyRunning && !isOver);
}
