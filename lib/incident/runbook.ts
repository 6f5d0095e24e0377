/**
 * A runbook as the product reads it: compiled, checked and whole. A run pins its hash, so that an edit in the middle of an
 * incident is for the next one.
 */
import type { Severity } from "../finding.ts";
import type { ActionName } from "./actions.ts";
import type { Condition } from "./condition.ts";
import type { InputName, Value } from "./inputs.ts";

/** The functions of NIST's incident response, and the two of a duty. In the order in which they may stand. */
export const PHASES = ["Prepare", "Detect", "Check", "Contain", "Eradicate", "Recover", "Improve"] as const;
export type Phase = (typeof PHASES)[number];

export const TRIGGERS = ["finding", "stop", "report", "slack", "schedule", "release"] as const;
export type Trigger = (typeof TRIGGERS)[number];

export interface Runbook {
  /** The name of its file. */
  readonly id: string;
  readonly title: string;
  /** Of the incident that it opens. */
  readonly severity: Severity;
  /** A role, not a name: people leave. */
  readonly owner: string;
  readonly triggers: readonly Trigger[];
  /** For a duty: how many days may pass between two runs. */
  readonly everyDays?: number;
  readonly inputs: Readonly<Partial<Record<InputName, "required" | "optional">>>;
  /** A day, as `2026-11-25`: when a person last read it through. */
  readonly reviewed: string;
  readonly reviewEveryDays: number;
  /** What stands before the first phase: the page's first words in Slack. Markdown. */
  readonly opening: string;
  readonly steps: readonly Step[];
  /** SHA-256 of its normalised source, in hexadecimal. */
  readonly hash: string;
}

export interface Step {
  readonly id: string;
  readonly phase: Phase;
  readonly title: string;
  readonly run: ActionName;
  /** A value, or `{{input}}`, `{{step.output}}` as the whole of it or within a text. */
  readonly with: Readonly<Partial<Record<InputName, Value>>>;
  readonly when?: Condition;
  /** Absent for a step that needs nobody's consent. */
  readonly approve?: Approve;
  /** One of its action's proofs. */
  readonly prove: string;
  /** For a person: after so long it is overdue. For anything else: after so long without proof it has failed. */
  readonly withinMinutes: number;
  readonly ifFails: "stop" | "continue";
  /** Markdown; what Slack shows. */
  readonly prose: string;
}

export interface Approve {
  readonly people: 1 | 2;
  readonly withinMinutes: number;
  /** `escalate` asks everybody who may approve, twice more, before the step fails. */
  readonly ifSilent: "escalate" | "fail";
}
