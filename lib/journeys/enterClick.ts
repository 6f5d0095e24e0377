/**
 * What a person says to an incident, by whichever door: judged, written down, and gone on with. A refused click changes
 * nothing about the run, and is kept in its audit log with the reason.
 */
import { RekeyError } from "../errors.ts";
import { judgeClick, REFUSALS } from "../incident/approval.ts";
import { type Choice, judgeChoice } from "../incident/choice.ts";
import { type Incident, withEvent, withHappening } from "../incident/incident.ts";
import type { Event } from "../incident/record.ts";
import { type PersonId, workAt } from "../incident/run.ts";
import type { Runbook } from "../incident/runbook.ts";
import type { IncidentPorts } from "./incidentPorts.ts";

export type IncidentClick = { readonly runId: string; readonly by: PersonId } & (
  | { readonly says: "approve" | "refuse"; readonly digest: string }
  | { readonly says: "done"; readonly digest: string; readonly note?: string }
  | { readonly says: "tryAgain" | "goOn" | "takeBack"; readonly step: string }
  | { readonly says: "cancel"; readonly because: string }
);

export type Entered =
  | { readonly taken: true; readonly what: Event["what"] }
  /** A sentence for whoever clicked. */
  | { readonly taken: false; readonly because: string };

/** Each try loses only to somebody else's success. */
const MOST_TRIES = 20;

/** @throws RekeyError AWS_*, RECORD_INVALID, and LEASE_LOST if others kept writing */
export async function enterClick(ports: IncidentPorts, click: IncidentClick): Promise<Entered> {
  const { runId, by } = click;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const stored = await ports.incidents.read(runId);
    if (!stored) {
      ports.tell({ event: "incident.clickRefused", run: runId, by, because: "there is no such run" });
      return { taken: false, because: "there is no such run" };
    }
    const judged = judge(ports, stored.incident, stored.runbook, click);
    const changed =
      "event" in judged
        ? withEvent(stored.incident, judged.event, ports.now())
        : withHappening(stored.incident, refusalOf(click, judged.refused, ports.now()));
    const saved = await ports.incidents.save(changed);
    if (!saved) continue;
    const { seq, hash } = saved.audit;
    if ("refused" in judged) {
      ports.tell({
        event: "incident.clickRefused",
        run: runId,
        by,
        because: judged.refused,
        audit: seq,
        hash,
      });
      return { taken: false, because: judged.refused };
    }
    ports.tell({ event: `incident.${judged.event.what}`, run: runId, by, audit: seq, hash });
    return { taken: true, what: judged.event.what };
  }
  throw new RekeyError("LEASE_LOST", `run ${runId} was written by others ${MOST_TRIES} times in a row`);
}

type Judged = { readonly event: Event } | { readonly refused: string };

function judge(
  { people, now }: IncidentPorts,
  { run }: Incident,
  runbook: Runbook,
  click: IncidentClick,
): Judged {
  const { by } = click;
  switch (click.says) {
    case "approve":
    case "done": {
      const note = click.says === "done" ? { note: click.note ?? "" } : {};
      const judged = judgeClick(run, runbook.steps, { by, digest: click.digest, ...note }, people, now());
      return "refused" in judged ? { refused: REFUSALS[judged.refused] } : judged;
    }
    case "refuse": {
      // Whoever may not say yes is told the same when they say no, but for the requester, who may think better of it.
      const judged = judgeClick(run, runbook.steps, { by, digest: click.digest, note: "no" }, people, now());
      if ("refused" in judged && !["requester", "twice"].includes(judged.refused))
        return { refused: REFUSALS[judged.refused] };
      const place = runbook.steps
        .flatMap(({ id }) => [false, true].map((undo) => ({ step: id, undo })))
        .find((one) => workAt(run, one).request?.digest === click.digest);
      return place
        ? { event: { what: "failed", place, because: `${by} refused it` } }
        : { refused: REFUSALS.superseded };
    }
    case "cancel":
      return judgeChoice(run, runbook, { choose: "cancel", by, because: click.because }, people);
    default: {
      const choice: Choice = { choose: click.says, step: click.step, by };
      return judgeChoice(run, runbook, choice, people);
    }
  }
}

function refusalOf(click: IncidentClick, because: string, now: Date) {
  return {
    at: now.toISOString(),
    what: "clickRefused",
    by: click.by,
    says: `${click.says}: ${because}`,
    ...("digest" in click ? { digest: click.digest } : {}),
    ...("step" in click ? { step: click.step } : {}),
  };
}
