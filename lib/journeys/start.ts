/** The beginning of a run: what will be rotated, claimed and on record, before anything is changed. */
import { randomUUID } from "node:crypto";
import pLimit from "p-limit";
import { RekeyError } from "../errors.ts";
import { isOver, type Rotation, type Run } from "../rotation/intent.ts";
import { firstAsked } from "../rotation/native.ts";
import { newWave } from "./act.ts";
import { hurryOpen } from "./hurry.ts";
import type { Ports } from "./ports.ts";
import { type PlannedSecret, type Preflight, preflight } from "./preflight.ts";

/** Preflight, and the records of what will be rotated. Repeated whole after a crash: nothing has been changed by then. */
export async function start(
  ports: Ports,
  run: Run,
  worker: { readonly holder: string; readonly deadline: Date },
): Promise<Run> {
  let found: Preflight;
  await releaseEnded(ports);
  try {
    found = await preflight(ports, run.request, run.runId);
    if (run.request.emergency && (await hurryOpen(ports, found.planned, worker)))
      found = await preflight(ports, run.request, run.runId);
  } catch (error) {
    // What an earlier attempt came to records for has passed its preflight and is gone on with: an emergency may have driven
    // it since, and nobody would ever take up the claims of a run that is closed.
    if (error instanceof RekeyError && (await ports.log.rotations(run.runId)).length > 0) {
      ports.tell({
        event: "preflight.notRepeated",
        runId: run.runId,
        code: error.code,
        message: error.message,
      });
      return ports.log.saveRun({ ...run, status: "rotating" });
    }
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
        const rotation = newRotation(run, planned, ports.now(), ports.settings.rolloutSeconds);
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
 * Nobody would ever release the claim of a worker that fell silent between a claim and its record, when another has ended
 * that rotation meanwhile, or has begun the run anew and refused the secret.
 */
async function releaseEnded(ports: Ports): Promise<void> {
  const claims = await ports.log.claims();
  for (const runId of new Set(claims.values())) {
    const run = await ports.log.run(runId);
    const rotations = new Map((await ports.log.rotations(runId)).map((one) => [one.secretArn, one]));
    for (const [secretArn, claimedBy] of claims) {
      if (claimedBy !== runId) continue;
      const rotation = rotations.get(secretArn);
      const hasEnded = rotation ? rotation.outcome !== undefined : run !== undefined && isOver(run);
      if (hasEnded) await ports.log.release({ runId, secretArn });
    }
  }
}

function newRotation(run: Run, planned: PlannedSecret, now: Date, rolloutSeconds: number): Rotation {
  const { native } = run.request;
  const rotationId = native ?? randomUUID();
  const first = planned.waves[0] ?? "rotate";
  return {
    runId: run.runId,
    rotationId,
    secretArn: planned.managed.arn,
    secretName: planned.managed.name,
    credentials: planned.credentials.map(({ label, waves }) => ({ label, waves: [...waves] })),
    briefCut: planned.briefCut,
    emergency: run.request.emergency,
    waves: [...planned.waves],
    history: [newWave({ rotationId }, first, planned.fromVersionId, now)],
    consumers: planned.consumers.services.map(({ service }) => service.name),
    notes: [...planned.notes],
    ...(native === undefined ? {} : { native: firstAsked(now, rolloutSeconds) }),
    failures: 0,
    rev: 0,
  };
}

function claimedBy({ managed }: PlannedSecret, other: string) {
  const message = `${managed.name}: run ${other} has its rotation open`;
  return { name: managed.name, arn: managed.arn, objections: [{ code: "ROTATION_OPEN" as const, message }] };
}
