/**
 * rotateAll: preflight everything, then rotate what may be rotated, as one run. One run at a time; whoever calls while one
 * is under way is answered with that one, because `sls invoke` calls again by itself when a run outlasts its patience.
 */
import { randomUUID } from "node:crypto";
import { isOver, type RotationRequest, type Run } from "../rotation/intent.ts";
import { planReport } from "../rotation/plan.ts";
import type { Report } from "../rotation/report.ts";
import type { Ports } from "./ports.ts";
import { preflight } from "./preflight.ts";
import { type Invocation, reportOn, work } from "./work.ts";

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
  if (!begun.begun) {
    // The same event once more, perhaps because its first delivery died: gone on with, unless somebody does.
    const same = begun.runId === run.runId ? await ports.log.run(run.runId) : undefined;
    return same && !isOver(same) ? work(ports, same, invocation) : reportOn(ports, begun.runId, true);
  }
  ports.tell({
    event: "run.started",
    runId: run.runId,
    ...(request.reason ? { reason: request.reason } : {}),
  });
  return work(ports, { ...run, rev: 1 }, invocation);
}
