/**
 * How far a rotation has come, read off the log lines that the handler writes: for each secret the phases with their
 * times, for each service its deployment. What is not in the log is not known here.
 */

export const PHASES = ["stage", "set", "test", "promote", "rollOut", "confirm", "revoke", "finish"] as const;
export type Phase = (typeof PHASES)[number];

/** The way back: up to the failure, then the label, then the services and at last the value at the target. */
export type BackPhase = "failed" | "demote" | "withdraw";

/** Times are epoch milliseconds. */
export interface PhaseSpan {
  readonly phase: Phase | BackPhase;
  readonly from: number;
  to: number;
}

export interface DeploymentSpan {
  readonly service: string;
  readonly back: boolean;
  readonly from: number;
  to?: number;
  status?: "succeeded" | "failed" | "superseded";
}

/** The events of the handler's log that are read; the comparison writes the same ones. */
export type ProgressEvent =
  | { readonly event: "run.started" | "run.done" }
  | { readonly event: "rotation.phase"; readonly secret: string; readonly phase: Phase }
  | { readonly event: "rotation.giveUp" | "rotation.demote" | "rotation.withdraw"; readonly secret: string }
  | { readonly event: "deployment.requested"; readonly service: string; readonly back?: boolean }
  | {
      readonly event: "deployment.done";
      readonly service: string;
      readonly status?: NonNullable<DeploymentSpan["status"]>;
    };

const BACK = {
  "rotation.giveUp": "failed",
  "rotation.demote": "demote",
  "rotation.withdraw": "withdraw",
} as const;

export const shortName = (name: string) => name.split("/").at(-1) ?? name;

export class Progress {
  startedAt: number | undefined;
  endedAt: number | undefined;
  readonly deployments: DeploymentSpan[] = [];
  readonly #spans = new Map<string, PhaseSpan[]>();

  /** @param names in the order in which they are shown; secrets that the log names later come after them */
  constructor(names: readonly string[]) {
    for (const name of names) this.#spans.set(name, []);
  }

  get secrets(): ReadonlyMap<string, readonly PhaseSpan[]> {
    return this.#spans;
  }

  /** One line of a log; lines that are not JSON events are somebody else's. */
  readLine(line: string): void {
    if (!line.startsWith("{")) return;
    const event: ProgressEvent & { readonly time: string } = JSON.parse(line);
    this.note(event, Date.parse(event.time));
  }

  note(event: ProgressEvent, at = Date.now()): void {
    switch (event.event) {
      case "run.started":
        this.startedAt ??= at;
        break;
      case "run.done":
        this.endedAt = at;
        break;
      case "rotation.phase":
        this.#noteSpan(event.secret, event.phase, at);
        break;
      case "rotation.giveUp":
      case "rotation.demote":
      case "rotation.withdraw":
        this.#noteSpan(event.secret, BACK[event.event], at);
        break;
      case "deployment.requested": {
        const service = shortName(event.service);
        this.#endDeployment(service, "superseded", at);
        this.deployments.push({ service, back: event.back ?? false, from: at });
        break;
      }
      case "deployment.done":
        this.#endDeployment(shortName(event.service), event.status ?? "succeeded", at);
        break;
    }
  }

  #noteSpan(secret: string, phase: PhaseSpan["phase"], at: number): void {
    const spans = this.#spans.get(secret) ?? [];
    const last = spans.at(-1);
    // A bundle tells of each of its fields; together they are one phase.
    if (last?.phase === phase) last.to = at;
    else spans.push({ phase, from: last?.to ?? this.startedAt ?? at, to: at });
    this.#spans.set(secret, spans);
  }

  #endDeployment(service: string, status: NonNullable<DeploymentSpan["status"]>, at: number): void {
    const open = this.deployments.findLast((one) => one.service === service);
    if (open === undefined || open.to !== undefined) return;
    open.to = at;
    open.status = status;
  }

  /** The newest deployment of a service; undefined before its first. */
  deploymentOf(service: string): DeploymentSpan | undefined {
    return this.deployments.findLast((one) => one.service === service);
  }

  /** How far the way back has come and since when; undefined for a secret that has not turned round. */
  wayBackOf(secret: string): { readonly after: BackPhase | "finish"; readonly since: number } | undefined {
    const spans = this.#spans.get(secret) ?? [];
    const last = spans.at(-1);
    if (!last || !spans.some(({ phase }) => phase === "failed")) return undefined;
    return {
      after: last.phase === "finish" || isBackPhase(last.phase) ? last.phase : "failed",
      since: last.to,
    };
  }

  /** The phase that a secret is in; undefined before the run and after its last phase. */
  phaseOf(secret: string): { readonly phase: Phase; readonly since: number } | undefined {
    if (this.startedAt === undefined || this.endedAt !== undefined) return undefined;
    const last = this.#spans.get(secret)?.at(-1);
    if (last === undefined) return { phase: PHASES[0], since: this.startedAt };
    if (isBackPhase(last.phase)) return undefined;
    // In an emergency the old value dies first.
    const spans = this.#spans.get(secret) ?? [];
    const isRolledOut = spans.some(({ phase }) => phase === "rollOut" || phase === "confirm");
    if (last.phase === "revoke" && !isRolledOut) return { phase: "rollOut", since: last.to };
    // A bundle's fields are revoked one by one; only `finish` says that none is left.
    if (last.phase === "revoke") return { phase: "revoke", since: last.from };
    const next = PHASES[PHASES.indexOf(last.phase) + 1];
    return next && { phase: next, since: last.to };
  }
}

export const isBackPhase = (phase: PhaseSpan["phase"]): phase is BackPhase =>
  phase === "failed" || phase === "demote" || phase === "withdraw";
