/**
 * What is made of a stop, and the facts it is made from. A verdict is a function of one event and of facts that were read
 * for it; neither the order of events nor their repetition comes into it. Severities: P1 to P3 want a person, P4 is a notice.
 */
import type { TaskStop } from "./stopEvent.ts";

export type StopSeverity = "P1" | "P2" | "P3" | "P4";

export const GRAVEST_FIRST = ["P1", "P2", "P3", "P4"] as const satisfies readonly StopSeverity[];

export const graver = (a: StopSeverity, b: StopSeverity): StopSeverity =>
  GRAVEST_FIRST.indexOf(a) <= GRAVEST_FIRST.indexOf(b) ? a : b;

export type StopCause =
  | "application error"
  | "out of memory"
  | "killed"
  | "native crash"
  | "terminated"
  | "finished"
  | "exit code unknown"
  | "exit during a rotation"
  | "secrets not readable"
  | "not initialised"
  | "image not pulled"
  | "container not started"
  | "failed health checks"
  | "stopped by the scheduler"
  | "stopped by hand"
  | "termination notice"
  | "spot interruption"
  | "infrastructure"
  | "unknown stop code"
  | "tasks do not start"
  | "tasks find no place"
  | "deployment failed"
  | "targets unhealthy"
  | "service trouble";

/** Nothing that a person has to know. */
export interface Planned {
  readonly kind: "planned";
  readonly says: string;
}

/** Too early to tell: to be judged again when the stop is that old. */
export interface Wait {
  readonly kind: "wait";
  readonly seconds: number;
}

/** The service is well again as of this event. */
export interface Recovery {
  readonly kind: "recovery";
  readonly says: string;
}

export interface Alert {
  readonly kind: "alert";
  readonly severity: StopSeverity;
  readonly cause: StopCause;
  /** The container that brought the task down. */
  readonly container?: string;
  /** One sentence; has text from outside in it, so that whoever prints it must escape it. */
  readonly says: string;
  /** What to look at first, most telling first. */
  readonly lookAt: readonly string[];
  readonly post: "now" | "when repeated";
  /** So many within ten minutes make it graver. Absent: repeats are counted and say no more. */
  readonly repeat?: { readonly count: number; readonly severity: StopSeverity };
  /** To be judged again when the stop is that old; it may have become graver. */
  readonly againAtSeconds?: number;
}

export type Verdict = Planned | Wait | Recovery | Alert;

/** Read for one event. Absent: could not be asked, and is taken neither for good news nor for bad. */
export interface StopFacts {
  /** How old the stop was when these were read. */
  readonly heldSeconds: number;
  readonly service?: {
    readonly desiredCount: number;
    readonly runningCount: number;
    /** The deployment that the service is on, or on its way to. */
    readonly primaryId?: string;
    readonly isDeploying: boolean;
  };
  /** What Rekey itself has under way with this service. */
  readonly ours: {
    readonly deploymentIds: readonly string[];
    /** A rotation that this service takes part in is open, or was within the last quarter of an hour. */
    readonly isRotating: boolean;
    /** It was asked for because a value had leaked. */
    readonly isEmergency: boolean;
  };
  /** A sign of recovery came in after the stop. */
  readonly isMended: boolean;
  /** Who stopped the task by hand stands in an open finding. */
  readonly isActorFlagged?: boolean;
}

export const isBelowDesired = ({ service }: StopFacts): boolean =>
  service !== undefined && service.runningCount < service.desiredCount;

/** Of a generation that a deployment is taking away. */
export const isReplaced = ({ startedBy }: TaskStop, { service }: StopFacts): boolean =>
  startedBy?.startsWith("ecs-svc/") === true &&
  service?.primaryId !== undefined &&
  startedBy !== service.primaryId;

/** What is not well gets so long to mend before people hear of it. */
export const HELD_SECONDS = 90;

/** Three in ten minutes: ECS itself says nothing of tasks that start and then end. */
export const THREE_ARE_P2 = { count: 3, severity: "P2" } as const;

export const planned = (says: string): Planned => ({ kind: "planned", says });

export const alert = (fields: Omit<Alert, "kind" | "post"> & Partial<Pick<Alert, "post">>): Alert => ({
  kind: "alert",
  post: "now",
  ...fields,
});
