/**
 * Incidents and their audit logs, in Rekey's one table.
 *
 *     INCIDENT#<run>   RECORD            the run, why it began, where its audit log ends
 *     INCIDENT#<run>   RUNBOOK#<hash>    the page as it was when the run began
 *     INCIDENT#<run>   FOUND#<step>      what a step found
 *     INCIDENTS        <run>             what is not over
 *     AUDIT            <run>             every run that ever began
 *     AUDIT#<run>      <number>          one entry; written once, never changed, never removed by us
 */
import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { RekeyError } from "../errors.ts";
import { type AuditEntry, readAuditEntry } from "../incident/audit.ts";
import { type Incident, readIncident } from "../incident/incident.ts";
import type { Findings, IncidentStore } from "../incident/incidentStore.ts";
import type { Place } from "../incident/run.ts";
import type { Runbook } from "../incident/runbook.ts";
import { CLIENT_OPTIONS } from "./awsCalls.ts";
import { type Condition, type Key, Table } from "./dynamoTable.ts";

const IS_NEW: Condition = { that: "attribute_not_exists(pk)" };

export function dynamoIncidents(name: string, client = new DynamoDBClient(CLIENT_OPTIONS)): IncidentStore {
  const table = new Table(name, client);

  /** The same entry again is no harm; another one in its place is. */
  async function append(entry: AuditEntry): Promise<void> {
    const key = { pk: `AUDIT#${entry.chain}`, sk: numbered(entry.seq) };
    if (await table.put(`append to the audit log of ${entry.chain}`, { ...key, entry }, IS_NEW)) return;
    const stored = (await table.get(key))?.["entry"];
    if (stored !== undefined && readAuditEntry(stored).hash === entry.hash) return;
    throw new RekeyError("RECORD_INVALID", `audit log of ${entry.chain}: entry ${entry.seq} is another one`);
  }

  async function put(incident: Incident): Promise<Incident | undefined> {
    const key = recordKey(incident.run.id);
    const next = { ...incident, rev: incident.rev + 1 };
    const write = randomUUID();
    const isWritten = await table.put(
      `save incident ${incident.run.id}`,
      { ...key, record: next, rev: next.rev, write },
      incident.rev === 0
        ? IS_NEW
        : { that: "#rev = :rev", names: { "#rev": "rev" }, values: { ":rev": incident.rev } },
    );
    // The SDK sends a call again whose answer was lost, and then finds its own work in the way.
    if (!isWritten && (await table.get(key))?.["write"] !== write) return undefined;
    return next;
  }

  const readRecord = async (runId: string): Promise<Incident | undefined> => {
    const item = await table.get(recordKey(runId));
    return item && readIncident(item["record"]);
  };

  return {
    async begin(incident, runbook) {
      const { id } = incident.run;
      // The lists first: a run that stands on them without a record is passed over, one that does not is forgotten.
      await table.put(`list the audit log of ${id}`, { pk: "AUDIT", sk: id });
      if (await readRecord(id)) return false;
      await table.put(`list incident ${id}`, { pk: "INCIDENTS", sk: id });
      await table.put(`keep the runbook of ${id}`, { ...bookKey(id, runbook.hash), runbook }, IS_NEW);
      const begun = await put(incident);
      if (begun?.newest) await append(begun.newest);
      return begun !== undefined;
    },

    async read(runId) {
      const incident = await readRecord(runId);
      if (incident === undefined) return undefined;
      const book = await table.get(bookKey(runId, incident.run.runbook.hash));
      const runbook = book?.["runbook"] as Runbook | undefined;
      if (runbook?.hash !== incident.run.runbook.hash)
        throw new RekeyError("RECORD_INVALID", `the runbook of ${runId} is not the one that it began with`);
      return { incident, runbook };
    },

    async open() {
      return (await table.query("INCIDENTS")).map(({ sk }) => String(sk));
    },

    async save(incident) {
      // What the record tells of now goes to the log before it may be forgotten.
      const stored = await readRecord(incident.run.id);
      if (stored?.rev !== incident.rev) return undefined;
      if (stored.newest) await append(stored.newest);
      const saved = await put(incident);
      if (saved?.newest) await append(saved.newest);
      return saved;
    },

    async close(runId) {
      await table.remove(`take incident ${runId} off the list`, { pk: "INCIDENTS", sk: runId });
    },

    async keep(runId, place, findings) {
      await table.put(`keep what ${place.step} of ${runId} found`, { ...foundKey(runId, place), findings });
    },

    async kept(runId, place) {
      return (await table.get(foundKey(runId, place)))?.["findings"] as Findings | undefined;
    },

    async chains() {
      return (await table.query("AUDIT")).map(({ sk }) => String(sk));
    },

    async entries(runId) {
      return (await table.query(`AUDIT#${runId}`)).map(({ entry }) => entry);
    },
  };
}

const recordKey = (runId: string): Key => ({ pk: `INCIDENT#${runId}`, sk: "RECORD" });
const bookKey = (runId: string, hash: string): Key => ({ pk: `INCIDENT#${runId}`, sk: `RUNBOOK#${hash}` });
const foundKey = (runId: string, { step, undo }: Place): Key => ({
  pk: `INCIDENT#${runId}`,
  sk: `FOUND#${undo ? "undo " : ""}${step}`,
});
/** Keys are compared as texts. */
const numbered = (seq: number) => String(seq).padStart(8, "0");
