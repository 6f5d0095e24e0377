/**
 * A run of a runbook, as it is stored: the smallest record from which any process can go on after any other died. Only
 * `record` makes a new one of it; `next` says what is to be done about it. Ids, names, times and digests, never a value.
 */
import type { ActionName } from "./actions.ts";
import type { Known } from "./condition.ts";
import type { InputName, Value, Values } from "./inputs.ts";
import type { Step } from "./runbook.ts";

export interface Run {
  readonly id: string;
  /** What was read when it began; later edits of the page are for later runs. */
  readonly runbook: { readonly id: string; readonly hash: string };
  readonly inputs: Values;
  readonly requestedBy: Requester;
  readonly startedAt: string;
  readonly steps: Readonly<Record<string, StepRecord>>;
  readonly lease?: { readonly holder: string; readonly until: string };
  /** One more with each change; a store takes a change only if nobody else has made one since it was read. */
  readonly revision: number;
  readonly ended?: {
    readonly as: "completed" | "cancelled";
    readonly at: string;
    readonly because: string;
    readonly by?: PersonId;
  };
}

/** A Slack user's id. Whoever comes by a door that IAM guards is mapped to one before anything is decided. */
export type PersonId = string;

export type Requester = { readonly person: PersonId } | { readonly rekey: "finding" | "stop" | "schedule" };

/**
 * `acting`: begun, and proof is looked for once it has answered. `unknown`: begun, and nobody knows how it ended; it is
 * looked at before anything is repeated.
 */
export type Status =
  | "pending"
  | "waiting"
  | "approved"
  | "acting"
  | "unknown"
  | "done"
  | "failed"
  | "skipped"
  | "undone";

export interface Work {
  readonly status: Status;
  /** Why it stands as it does, in a sentence. */
  readonly because?: string;
  readonly before?: Before;
  readonly request?: Request;
  /** How often people were asked and did not answer, and how often it was begun. */
  readonly silences: number;
  readonly attempts: number;
  /** Every request so far, so that each is another. */
  readonly asks: number;
  readonly beganAt?: string;
  readonly answeredAt?: string;
  readonly gave?: Values;
  readonly proof?: Proof;
  readonly settledAt?: string;
}

export interface StepRecord extends Work {
  /** Taking it back, which is approved and proven like the step itself. */
  readonly undo?: Work & { readonly requestedBy: PersonId };
  /** Who said that the run goes on although this failed. */
  readonly passedOverBy?: PersonId;
}

/** What was so before anything was done: what an approval rests on, and what an undo goes back to. */
export interface Before {
  /** Of everything that would make a person decide otherwise, and of nothing that changes by itself. */
  readonly digest: string;
  /** For people. */
  readonly shows: string;
}

/** People are asked once; what they said counts for this act, with these inputs, on what was then so. */
export interface Request {
  readonly digest: string;
  readonly people: number;
  readonly askedAt: string;
  /** Absent for what a person does: they are reminded, and not made to start over. */
  readonly expiresAt?: string;
  readonly given: readonly { readonly by: PersonId; readonly at: string }[];
  readonly usedAt?: string;
}

export interface Proof {
  readonly check: string;
  /** For people: what was looked at, and what it said. */
  readonly shows: string;
  readonly at: string;
  /** When it came true, by the clock of whoever made it true. */
  readonly providerAt?: string;
  readonly by?: PersonId;
}

/** A step, or the undoing of one. */
export interface Place {
  readonly step: string;
  readonly undo: boolean;
}

export const PENDING: Work = { status: "pending", silences: 0, attempts: 0, asks: 0 };

export const workAt = (run: Run, { step, undo }: Place): Work =>
  (undo ? run.steps[step]?.undo : run.steps[step]) ?? PENDING;

/** Whether the run may go on to what comes after it. */
export function isSettled(run: Run, { id, ifFails }: Step): boolean {
  const record = run.steps[id];
  if (record === undefined) return false;
  if (record.status === "failed") return ifFails === "continue" || record.passedOverBy !== undefined;
  return record.status === "done" || record.status === "skipped" || record.status === "undone";
}

/** What conditions and references are asked of. What a step found out stays known when it is undone. */
export const knownIn = (run: Run): Known => ({
  value(name): Value | undefined {
    const [first = "", output] = name.split(".");
    if (output === undefined) return run.inputs[first as InputName];
    return run.steps[first]?.gave?.[output as InputName];
  },
  isDone: (step) => run.steps[step]?.status === "done",
});

/** What is to be done at a place, in full. */
export interface Order {
  readonly place: Place;
  readonly action: ActionName;
  readonly inputs: Values;
}
