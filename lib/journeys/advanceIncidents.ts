/** Every minute: takes up what a dead worker left, what people did not answer, and proofs that were still to come. */
import { RekeyError } from "../errors.ts";
import { type Driven, driveIncident } from "./driveIncident.ts";
import type { IncidentPorts } from "./incidentPorts.ts";

/** Each gets its turn; the next round is a minute away. */
const TURN_MS = 50_000;

export async function advanceIncidents(ports: IncidentPorts, deadline: Date): Promise<readonly Driven[]> {
  const all = await ports.incidents.open();
  const turnEnds = new Date(Math.min(deadline.getTime(), ports.now().getTime() + TURN_MS));
  // At the same time: one that is long at work must not keep another from being contained.
  const driven = await Promise.allSettled(all.map((runId) => driveIncident(ports, runId, turnEnds)));
  return driven.map((one, at): Driven => {
    const runId = all[at] ?? "";
    if (one.status === "fulfilled") return one.value;
    ports.tell({ event: "incident.stuck", run: runId, error: one.reason });
    const because = one.reason instanceof RekeyError ? one.reason.message : "it failed; see the log";
    return { runId, status: "busy", because, people: [] };
  });
}
