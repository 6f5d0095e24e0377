/**
 * An incident as it is kept: its run, why it began, and where its audit log ends. The newest entry of the log stands in the
 * record itself, written in one with what it tells; it is appended to the log before the next one is made, so that no crash
 * leaves a change without its entry, or an entry without its change.
 */
import * as z from "zod/mini";
import { RekeyError } from "../errors.ts";
import { type AuditEntry, chained, type Happening, type Head, readAuditEntry } from "./audit.ts";
import { happeningOf } from "./happening.ts";
import { type Event, record } from "./record.ts";
import type { Run } from "./run.ts";

export interface Incident {
  readonly run: Run;
  readonly reason?: string;
  /** When somebody or something of ours noticed. */
  readonly noticedAt: string;
  /** The first bad use, where it is known. */
  readonly firstUseAt?: string;
  readonly audit: Head;
  /** May not be in the log yet. */
  readonly newest?: AuditEntry;
  /** Optimistic lock. */
  readonly rev: number;
}

const VALUE = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
const VALUES = z.record(z.string(), VALUE);
const PROOF = z.looseObject({ check: z.string(), shows: z.string(), at: z.iso.datetime() });
const WORK_FIELDS = {
  status: z.enum([
    "pending",
    "waiting",
    "approved",
    "acting",
    "unknown",
    "done",
    "failed",
    "skipped",
    "undone",
  ]),
  silences: z.number(),
  attempts: z.number(),
  asks: z.number(),
  before: z.optional(z.object({ digest: z.string(), shows: z.string() })),
  request: z.optional(
    z.looseObject({
      digest: z.string(),
      people: z.number(),
      askedAt: z.iso.datetime(),
      given: z.array(z.object({ by: z.string(), at: z.iso.datetime() })),
    }),
  ),
  gave: z.optional(VALUES),
  proof: z.optional(PROOF),
};
const RUN = z.looseObject({
  id: z.string(),
  runbook: z.object({ id: z.string(), hash: z.string() }),
  inputs: VALUES,
  requestedBy: z.union([
    z.object({ person: z.string() }),
    z.object({ rekey: z.enum(["finding", "stop", "schedule"]) }),
  ]),
  startedAt: z.iso.datetime(),
  steps: z.record(
    z.string(),
    z.looseObject({
      ...WORK_FIELDS,
      undo: z.optional(z.looseObject({ ...WORK_FIELDS, requestedBy: z.string() })),
    }),
  ),
  lease: z.optional(z.object({ holder: z.string(), until: z.iso.datetime() })),
  revision: z.number(),
});
const INCIDENT = z.object({
  run: RUN,
  reason: z.optional(z.string()),
  noticedAt: z.iso.datetime(),
  firstUseAt: z.optional(z.iso.datetime()),
  audit: z.object({ seq: z.number(), hash: z.string() }),
  newest: z.optional(z.unknown()),
  rev: z.number(),
});

/** @throws RekeyError RECORD_INVALID: a record that does not read back whole is never acted upon */
export function readIncident(value: unknown): Incident {
  const read = INCIDENT.safeParse(value);
  if (!read.success) {
    const where = read.error.issues.map(({ path }) => path.join(".")).join(", ");
    throw new RekeyError("RECORD_INVALID", `stored incident is not readable at: ${where}`);
  }
  const { newest, ...rest } = read.data;
  return { ...rest, ...(newest === undefined ? {} : { newest: readAuditEntry(newest) }) } as Incident;
}

/** @throws RekeyError RECORD_INVALID for a change that the run does not allow */
export function withEvent(incident: Incident, event: Event, now: Date): Incident {
  const changed = { ...incident, run: record(incident.run, event, now) };
  const happening = happeningOf(event, now);
  return happening === undefined ? changed : withHappening(changed, happening);
}

/** For what changes nothing, and is kept all the same: a click that was refused. */
export function withHappening(incident: Incident, happening: Happening): Incident {
  const newest = chained(incident.run.id, incident.audit, happening);
  return { ...incident, newest, audit: { seq: newest.seq, hash: newest.hash } };
}
