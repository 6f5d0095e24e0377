/** An incident as those see it who write about it: what is kept of it, in their words. */
import { readAuditEntry } from "../incident/audit.ts";
import type { IncidentStore } from "../incident/incidentStore.ts";
import type { Moment } from "../incident/incidentTimes.ts";
import type { PostMortemFacts, Reach } from "../incident/postMortem.ts";
import type { Run } from "../incident/run.ts";
import type { Runbook } from "../incident/runbook.ts";
import type { KeptIncident, Reached } from "./postMortem.ts";

/** @throws RekeyError RECORD_INVALID, AWS_* */
export async function keptIncident(
  incidents: Pick<IncidentStore, "read" | "entries">,
  id: string,
): Promise<KeptIncident | undefined> {
  const [stored, entries] = await Promise.all([incidents.read(id), incidents.entries(id)]);
  if (!stored) return undefined;
  const { incident, runbook } = stored;
  const { run, noticedAt, firstUseAt } = incident;
  const noticed: Moment = { at: noticedAt, source: "Rekey", says: "noticed, or was told" };
  const firstUse: Moment | undefined =
    firstUseAt === undefined ? undefined : { at: firstUseAt, source: "CloudTrail", says: "first bad use" };
  const refusedClicks = entries
    .map(readAuditEntry)
    .filter(({ what }) => what === "clickRefused")
    .map(({ at, by = "unknown", says, step }): PostMortemFacts["refusedClicks"][number] => ({
      ...{ at, by },
      what: `${step ?? "the run"}: ${says ?? "refused"}`,
    }));
  return { run, runbook, noticed, ...(firstUse && { firstUse }), refusedClicks };
}

/** What the steps that looked have kept of who read what: nothing is asked again. */
export async function keptReach(
  incidents: Pick<IncidentStore, "kept">,
  run: Run,
  runbook: Runbook,
): Promise<Reached> {
  const looked = runbook.steps.filter(({ run: action }) => action === "blastRadius");
  const kept = await Promise.all(looked.map(({ id: step }) => incidents.kept(run.id, { step, undo: false })));
  const lines = kept.flatMap((found) => found?.lines ?? []);
  const reach: Reach = lines.length > 0 ? { lines } : { missing: "no step of this run has looked yet" };
  return { reach, moments: [] };
}
