/** One worker's turn at a run: take it, begin it or go on with it, and tell how far it has come. */
import { RekeyError } from "../errors.ts";
import { isOver, type Run } from "../rotation/intent.ts";
import { makeReport, type Report } from "../rotation/report.ts";
import { drive } from "./drive.ts";
import { takeHold, underHold } from "./hold.ts";
import type { Ports } from "./ports.ts";
import { isTold, showBoard } from "./showBoard.ts";
import { start } from "./start.ts";

export interface Invocation {
  /** The event's own id, if it has one: the same event delivered twice is one run. */
  readonly eventId?: string;
  /** Who works: unique for each invocation. */
  readonly holder: string;
  readonly deadline: Date;
}

/** Moves a run on from wherever it stands. */
export async function work(
  free: Ports,
  begun: Run,
  invocation: Invocation & { readonly patience?: Date },
): Promise<Report> {
  const { runId } = begun;
  const hold = await takeHold(free, runId, invocation.holder);
  if (!hold) return reportOn(free, runId, true);
  const ports = underHold(free, hold);
  try {
    // Read again under the lease: the run may have moved on between finding it and getting it.
    const found = (await ports.log.run(runId)) ?? begun;
    const current = hold.tookOver ? await stampRecords(ports, found) : found;
    const run = current.status === "preflight" ? await start(ports, current, invocation) : current;
    const { deadline, patience } = invocation;
    if (!isOver(run)) await drive(ports, run, { deadline, patience: patience ?? deadline });
    return await close(ports, runId);
  } catch (error) {
    // Awaited here: while the lease is given back below, nobody would hear this promise fail, and Node would end.
    if (error instanceof RekeyError && error.code === "LEASE_LOST") return await reportOn(ports, runId, true);
    throw error;
  } finally {
    await hold.letGo();
  }
}

/** With this worker's token in every record, the next write of the worker that fell silent fails, wherever it wakes. */
async function stampRecords(ports: Ports, run: Run): Promise<Run> {
  const rotations = await ports.log.rotations(run.runId);
  const open = rotations.filter(({ outcome }) => outcome === undefined);
  await Promise.all(open.map((rotation) => ports.log.saveRotation(rotation)));
  return ports.log.saveRun(run);
}

/** The last word on the run: told in the channel, and off the list of what is looked at every minute. */
async function close(ports: Ports, runId: string): Promise<Report> {
  let run = await ports.log.run(runId);
  const rotations = await ports.log.rotations(runId);
  if (!run) throw new RekeyError("RECORD_INVALID", `run ${runId} has no record`);
  if (isOver(run)) {
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
    const request = { dryRun: false, force: false, emergency: false, scheduled: false };
    return makeReport({ ...empty, request, refused: [], notDue: [], deployments: [] }, [], true);
  }
  return makeReport(run, await ports.log.rotations(runId), alreadyRunning && !isOver(run));
}
