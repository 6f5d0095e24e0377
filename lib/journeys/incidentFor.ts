/** An alert of the detection that is grave enough begins its incident by itself, once, however often it is told. */
import { type Episode, startOf } from "../detection/episodes.ts";
import { RekeyError } from "../errors.ts";
import { byGravity, type Severity } from "../finding.ts";
import { isInputName, type Values, whyNoInput } from "../incident/inputs.ts";
import { runbookFor } from "../incident/runbookFor.ts";
import type { BeginPorts } from "./incidentPorts.ts";
import { beginIncident } from "./openIncident.ts";

/** A page takes one secret; an alert about more than these is one about everything, and a person decides. */
const MOST_SECRETS = 3;
const ROLE = /^arn:[\w-]+:iam::\d{12}:role\/(?:.*\/)?([\w+=,.@-]{1,64})$/;

/** @returns the runs' ids; none if it is not grave enough, or the page asks for what the alert does not know */
export async function incidentFor(
  ports: BeginPorts,
  account: string,
  episode: Episode,
  from: Severity,
): Promise<readonly string[]> {
  if (byGravity(episode, { severity: from }) > 0) return [];
  const { family, rules, principal, secrets, severity } = episode;
  const runbook = await ports.loadRunbook(runbookFor({ from: "detection", family, rules }));
  const takesSecret = runbook.inputs.secret !== undefined;
  const named = takesSecret && secrets.length > 0 ? secrets.slice(0, MOST_SECRETS) : [undefined];
  const ids: string[] = [];
  for (const key of named) {
    const known: Record<string, unknown> = {
      ...(key === undefined ? {} : { secret: key.split("/").slice(2).join("/") }),
      principal,
      role: ROLE.exec(principal)?.[1],
    };
    const inputs = Object.fromEntries(
      Object.entries(known).filter(
        ([name, value]) =>
          isInputName(name) && runbook.inputs[name] !== undefined && whyNoInput(name, value) === undefined,
      ),
    ) as Values;
    try {
      const id = await beginIncident(ports, {
        runbook: runbook.id,
        inputs,
        requestedBy: { rekey: "finding" },
        reason: `${severity}: ${rules.join(", ")}`,
        about: [account, principal, family, String(startOf(episode)), key ?? ""],
        firstUseAt: new Date(startOf(episode)),
      });
      ids.push(id);
    } catch (error) {
      // The alert is told all the same, and a person can begin the run with what is missing.
      if (!(error instanceof RekeyError) || error.code !== "PAYLOAD_INVALID") throw error;
      ports.tell({ event: "incident.notBegun", runbook: runbook.id, principal, because: error.message });
    }
  }
  return ids;
}
