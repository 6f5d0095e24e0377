/**
 * How far a rotation has come, read off the log lines that the handler writes: for each secret the phases with their
 * times, for each service its deployment. What is not in the log is not known here.
 */

export const PHASES = ["stage", "set", "test", "promote", "rollOut", "confirm", "revoke", "finish"] as const;
export type Phase = (typeof PHASES)[number];

/** Times are epoch milliseconds. */
export interface PhaseSpan {
  readonly phase: Phase;
  readonly from: number;
  to: number;
}

export interface DeploymentSpan {
  readonly service: string;
  readonly from: number;
  to?: number;
}

/** The events of the handler's log that are read; the comparison writes the same ones. */
export type ProgressEvent =
  | { readonly event: "run.started" | "run.done" }
  | { readonly event: "rotation.phase"; readonly secret: string; readonly phase: Phase }
  | { readonly event: "deployment.requested" | "deployment.done"; readonly service: string };

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
      case "rotation.phase": {
        const spans = this.#spans.get(event.secret) ?? [];
        const last = spans.at(-1);
        // A bundle tells of each of its fields; together they are one phase.
        if (last?.phase === event.phase) last.to = at;
        else spans.push({ phase: event.phase, from: last?.to ?? this.startedAt ?? at, to: at });
        this.#spans.set(event.secret, spans);
        break;
      }
      case "deployment.requested":
        this.deployments.push({ service: shortName(event.service), from: at });
        break;
      case "deployment.done": {
        const open = this.deployments.findLast(({ service }) => service === shortName(event.service));
        if (open) open.to = at;
        break;
      }
    }
  }

  /** The phase that a secret is in; undefined before the run and after its last phase. */
  phaseOf(secret: string): { readonly phase: Phase; readonly since: number } | undefined {
    if (this.startedAt === undefined || this.endedAt !== undefined) return undefined;
    const last = this.#spans.get(secret)?.at(-1);
    // A bundle's fields are revoked one by one; only `finish` says that none is left.
    if (last?.phase === "revoke") return { phase: "revoke", since: last.from };
    const next = last === undefined ? PHASES[0] : PHASES[PHASES.indexOf(last.phase) + 1];
    return next && { phase: next, since: last?.to ?? this.startedAt };
  }
}
