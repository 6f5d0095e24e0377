/** verifyAudit: whether every run's audit log still is as it was written, and if not, where it first is not. Reads only. */

import * as z from "zod/mini";
import { RekeyError } from "../errors.ts";
import { type Checked, checkChain } from "../incident/audit.ts";
import type { IncidentStore } from "../incident/incidentStore.ts";
import type { Ports } from "./ports.ts";
import { isSchedule, read } from "./request.ts";

export interface AuditReport {
  readonly holds: boolean;
  readonly runs: number;
  readonly entries: number;
  readonly broken: readonly { readonly run: string; readonly entry: number; readonly because: string }[];
  readonly summary: string;
}

const request = z.strictObject({ run: z.optional(z.string("must be the id of a run")) });

/** @throws RekeyError PAYLOAD_INVALID */
export const readAuditRequest = (event: unknown): { readonly run?: string | undefined } =>
  isSchedule(event) ? {} : read(request, event);

/** @param only one run's; every run's when left out */
export async function verifyAudit(
  { incidents, tell }: Pick<Ports, "tell"> & { readonly incidents: IncidentStore },
  only?: string,
): Promise<AuditReport> {
  const runs = only === undefined ? await incidents.chains() : [only];
  const checked = await Promise.all(runs.map(async (run) => ({ run, ...(await checkOne(incidents, run)) })));
  const broken = checked.flatMap((one) =>
    one.holds ? [] : [{ run: one.run, entry: one.broken.seq, because: one.broken.because }],
  );
  for (const one of broken) tell({ event: "audit.broken", ...one });
  const entries = checked.reduce((sum, one) => sum + one.entries, 0);
  const [first] = broken;
  const summary = first
    ? `${broken.length} of ${runs.length} audit logs do not hold; the first: run ${first.run}, entry ${first.entry}: ${first.because}`
    : `${entries} entries of ${runs.length} runs, and every one follows from the one before it`;
  return { holds: broken.length === 0, runs: runs.length, entries, broken, summary };
}

async function checkOne(incidents: IncidentStore, run: string): Promise<Checked> {
  // The record first: what is appended in between is longer than it says, and then it is asked once more.
  for (let tries = 0; ; tries += 1) {
    const before = await recordOf(incidents, run);
    const entries = await incidents.entries(run);
    const after = await recordOf(incidents, run);
    if (before?.audit.hash !== after?.audit.hash && tries < 5) continue;
    const newest = after?.newest;
    // Its entry may still stand in the record alone, where a worker died before it appended it.
    const isPending = newest !== undefined && newest.seq === entries.length + 1;
    return checkChain(run, isPending ? [...entries, newest] : entries, after?.audit);
  }
}

async function recordOf(incidents: IncidentStore, run: string) {
  try {
    return (await incidents.read(run))?.incident;
  } catch (error) {
    if (error instanceof RekeyError && error.code === "RECORD_INVALID") return undefined;
    throw error;
  }
}
