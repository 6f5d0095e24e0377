/** Where incidents and their audit logs are kept. Every write is conditional. */
import type { Incident } from "./incident.ts";
import type { Values } from "./inputs.ts";
import type { Place } from "./run.ts";
import type { Runbook } from "./runbook.ts";

/** What a step found, for its thread; and what it gives to later steps. Scrubbed, and without values. */
export interface Findings {
  readonly lines: readonly string[];
  readonly gave?: Values;
  readonly at: string;
}

/** @throws RekeyError AWS_*, RECORD_INVALID */
export interface IncidentStore {
  /** With the page as it is now, which the run keeps to. @returns false if it has begun already */
  begin(incident: Incident, runbook: Runbook): Promise<boolean>;
  read(runId: string): Promise<{ readonly incident: Incident; readonly runbook: Runbook } | undefined>;
  /** What is not over, or not told to its end. */
  open(): Promise<readonly string[]>;
  /**
   * Its entry is appended before the record may be changed again.
   * @returns undefined if somebody else wrote since it was read
   */
  save(incident: Incident): Promise<Incident | undefined>;
  close(runId: string): Promise<void>;
  keep(runId: string, place: Place, findings: Findings): Promise<void>;
  kept(runId: string, place: Place): Promise<Findings | undefined>;
  /** Every run that ever began. */
  chains(): Promise<readonly string[]>;
  /** As they are stored, in the order of their keys; for looking whether they still hold. */
  entries(runId: string): Promise<readonly unknown[]>;
}
