/**
 * Before an emergency rotates a secret whose last rotation is still open, in its grace period or in mid-rollout, that one
 * is made to end: its old value dies now, and its claim is given free.
 */

import { drive } from "./drive.ts";
import { takeHold, underHold } from "./hold.ts";
import type { Ports } from "./ports.ts";
import type { PlannedSecret } from "./preflight.ts";

/** An open rotation that still waits after this needs a person, and the emergency says so. A rollout is waited for. */
const PATIENCE_MS = 30_000;
/** Only what is hurried is waited for; the rest of that run is left to `advance`. */
const TURN_MS = 1_000;

/** @returns whether there was anything to hurry */
export async function hurryOpen(
  ports: Ports,
  planned: readonly PlannedSecret[],
  worker: { readonly holder: string; readonly deadline: Date },
): Promise<boolean> {
  const open = planned.flatMap(({ managed, openRun }) =>
    openRun === undefined ? [] : [{ arn: managed.arn, runId: openRun }],
  );
  for (const { arn, runId } of open) await ports.log.hurry(runId, arn);
  const runs = new Set(open.map(({ runId }) => runId));
  const hurriedAt = ports.now().getTime();
  const isAwaited = async () => {
    const claims = await ports.log.claims();
    const left = open.filter(({ arn, runId }) => claims.get(arn) === runId);
    const parked = await Promise.all(left.map(({ arn, runId }) => parkedSince(ports, runId, arn)));
    return parked.some((since) => ports.now().getTime() - Math.max(since, hurriedAt) < PATIENCE_MS);
  };
  while ((await isAwaited()) && ports.now() < worker.deadline) {
    for (const runId of runs) await takeATurn(ports, runId, worker.holder);
    if (await isAwaited()) await ports.sleep(ports.settings.pollMs);
  }
  return open.length > 0;
}

/** @returns milliseconds; for a rotation that is on its way, a time that has not come */
async function parkedSince(ports: Ports, runId: string, secretArn: string): Promise<number> {
  const rotation = (await ports.log.rotations(runId)).find((one) => one.secretArn === secretArn);
  return rotation?.parkedSince === undefined ? Number.POSITIVE_INFINITY : Date.parse(rotation.parkedSince);
}

/** Whoever holds the run sees that its records changed, and lets go of it; until then there is nothing to do here. */
async function takeATurn(ports: Ports, runId: string, holder: string): Promise<void> {
  const hold = await takeHold(ports, runId, holder);
  if (!hold) return;
  try {
    const run = await ports.log.run(runId);
    const deadline = new Date(ports.now().getTime() + TURN_MS);
    if (run) await drive(underHold(ports, hold), run, { deadline, patience: deadline });
  } finally {
    await hold.letGo();
  }
}
