/** Begins an incident, goes on with one, or takes a person's word on one; then drives it as far as it goes. */
import { isDeepStrictEqual } from "node:util";
import type { Happening } from "../incident/audit.ts";
import { NOTHING_YET } from "../incident/audit.ts";
import { nameOfRequester, runIdOf } from "../incident/happening.ts";
import { type Incident, withHappening } from "../incident/incident.ts";
import type { Requester } from "../incident/run.ts";
import { startRun } from "../incident/start.ts";
import { type Driven, driveIncident } from "./driveIncident.ts";
import { type Entered, enterClick } from "./enterClick.ts";
import type { IncidentPorts } from "./incidentPorts.ts";
import type { IncidentRequest } from "./incidentRequest.ts";

export interface Opened extends Driven {
  readonly click?: Entered;
}

/** What somebody or something asked for. */
export interface Beginning {
  readonly runbook: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly requestedBy: Requester;
  readonly reason?: string;
  /** Of the thing that it is about: asked for twice, it is one run. */
  readonly about: readonly string[];
  readonly firstUseAt?: Date;
}

/**
 * @returns the run's id; it may have begun before
 * @throws RekeyError PAYLOAD_INVALID naming every field that is wrong, AWS_*
 */
export async function beginIncident(
  ports: Pick<IncidentPorts, "incidents" | "loadRunbook" | "tell" | "now">,
  asked: Beginning,
): Promise<string> {
  const runbook = await ports.loadRunbook(asked.runbook);
  const now = ports.now();
  const id = runIdOf(runbook.id, ...asked.about);
  // A reason is kept with the incident, whether or not the page asks for one.
  const inputs = { ...asked.inputs };
  if (runbook.inputs.reason === undefined) delete inputs["reason"];
  const run = startRun(runbook, { id, inputs, requestedBy: asked.requestedBy }, now);
  const incident: Incident = {
    run,
    ...(asked.reason === undefined ? {} : { reason: asked.reason }),
    noticedAt: now.toISOString(),
    ...(asked.firstUseAt === undefined ? {} : { firstUseAt: asked.firstUseAt.toISOString() }),
    audit: NOTHING_YET,
    rev: 0,
  };
  const started: Happening = {
    at: now.toISOString(),
    what: "started",
    by: nameOfRequester(run.requestedBy),
    says: `${runbook.id} (${runbook.hash.slice(0, 12)})${asked.reason === undefined ? "" : `: ${asked.reason}`}`,
  };
  const begun = await ports.incidents.begin(withHappening(incident, started), runbook);
  if (begun) ports.tell({ event: "incident.started", run: id, runbook: runbook.id });
  return id;
}

/** @throws RekeyError PAYLOAD_INVALID, AWS_*, RECORD_INVALID */
export async function openIncident(
  ports: IncidentPorts,
  request: IncidentRequest,
  invocationId: string,
  deadline: Date,
): Promise<Opened> {
  if ("click" in request) {
    const { click } = request;
    const entered = await enterClick(ports, click);
    return { ...(await driveIncident(ports, click.runId, deadline)), click: entered };
  }
  if ("goOn" in request) return driveIncident(ports, request.goOn, deadline);
  const runId =
    (await sameOpenRun(ports, request)) ??
    (await beginIncident(ports, {
      runbook: request.begin,
      inputs: request.inputs,
      requestedBy: { person: request.requester },
      ...(request.reason === undefined ? {} : { reason: request.reason }),
      // A call that is repeated by its sender has the same id.
      about: [invocationId],
    }));
  return driveIncident(ports, runId, deadline);
}

/** `sls invoke` calls again by itself when a run outlasts its patience, and a person who is in a hurry does, too. */
async function sameOpenRun(
  { incidents }: IncidentPorts,
  { begin, inputs, requester }: Extract<IncidentRequest, { begin: string }>,
): Promise<string | undefined> {
  for (const runId of await incidents.open()) {
    const run = (await incidents.read(runId))?.incident.run;
    if (!run || run.ended || run.runbook.id !== begin) continue;
    const isSame = Object.entries(run.inputs).every(([name, value]) =>
      isDeepStrictEqual(inputs[name], value),
    );
    const names = Object.keys(inputs).filter((name) => name !== "reason");
    const isWhole = names.every((name) => Object.hasOwn(run.inputs, name));
    const isTheirs = "person" in run.requestedBy && run.requestedBy.person === requester;
    if (isSame && isWhole && isTheirs) return runId;
  }
  return undefined;
}
