/**
 * Brings an incident's thread up to date: the headline, and below it what each step found or came to. All of it may be said
 * again; what is said already changes nothing. A channel that cannot be reached does not hold the run up.
 */
import { RekeyError } from "../errors.ts";
import type { Incident } from "../incident/incident.ts";
import { detailMessages, headline, PRIORITIES } from "../incident/incidentMessage.ts";
import type { Runbook } from "../incident/runbook.ts";
import type { IncidentPorts } from "./incidentPorts.ts";

export async function tellIncident(
  { voice, incidents, tell }: IncidentPorts,
  incident: Incident,
  runbook: Runbook,
): Promise<void> {
  if (!voice) return;
  const { id } = incident.run;
  const priority = PRIORITIES[runbook.severity];
  try {
    await voice.say({ threadId: id, key: "headline", message: headline(incident, runbook), priority });
    const done = runbook.steps.filter(({ id: step }) => incident.run.steps[step]?.proof !== undefined);
    const found = new Map(
      await Promise.all(
        done.map(async ({ id: step }) => [step, await incidents.kept(id, { step, undo: false })] as const),
      ),
    );
    for (const { key, message } of detailMessages(incident, runbook, found))
      await voice.say({ threadId: id, key, message, priority });
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    tell({ event: "incident.notTold", run: id, error });
  }
}
