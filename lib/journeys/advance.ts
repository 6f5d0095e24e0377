/**
 * advance: every minute, and whenever ECS says that a deployment changed. Moves every open run on; the event that woke it
 * carries nothing that is used, so a lost one costs seconds.
 */
import type { Report } from "../rotation/report.ts";
import type { Ports } from "./ports.ts";
import { type Invocation, work } from "./work.ts";

/** The next invocation is a minute away, so there is no point in staying longer for something that is not due. */
const PATIENCE_MS = 50_000;

export async function advance(ports: Ports, invocation: Invocation): Promise<readonly Report[]> {
  const reports: Report[] = [];
  for (const runId of await ports.log.openRuns()) {
    if (ports.now() >= invocation.deadline) break;
    const run = await ports.log.run(runId);
    // Between the list entry and the run's record lies one write of `begin`; a minute from now it will be there.
    if (!run) continue;
    const patience = new Date(ports.now().getTime() + PATIENCE_MS);
    reports.push(await work(ports, run, { ...invocation, patience }));
  }
  return reports;
}
