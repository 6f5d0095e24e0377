/**
 * What a run did, as the on-call and the next program read it. Made of records alone, so that whoever asks again later
 * gets the same answer. Ids and seconds; never a value.
 */
import type { Outcome, RecordedObjection, Rotation, Run, WaveRecord } from "./intent.ts";
import type { Wave } from "./strategy.ts";

export interface SecretReport {
  readonly name: string;
  readonly arn?: string;
  readonly credentials?: readonly string[];
  readonly outcome: Outcome | "planned" | "refused" | "notDue" | "open";
  readonly because?: string;
  readonly waves?: readonly Wave[];
  readonly oldVersionId?: string;
  readonly newVersionId?: string;
  /** Seconds that each phase took, summed over the waves. */
  readonly phases?: Readonly<Record<string, number>>;
  readonly briefCut?: boolean;
  /** Whether the old value was tried at the target and refused. */
  readonly oldRefused?: boolean;
  readonly emergency?: EmergencyReport;
  readonly consumers?: readonly string[];
  readonly notes?: readonly string[];
  readonly errors?: readonly RecordedObjection[];
}

/** What an emergency did to whoever held the leaked value. */
interface EmergencyReport {
  /** Credential -> seconds from the call until its old value was tried and refused. */
  readonly diedAfterSeconds: Readonly<Record<string, number>>;
  /** Sessions that were on the old value when it was revoked. */
  readonly cut: readonly {
    readonly credential: string;
    readonly login: string;
    readonly from: string;
    readonly program?: string;
  }[];
}

export interface ServiceReport {
  readonly service: string;
  readonly wave: Wave;
  readonly deploymentId?: string;
  readonly status: string;
  readonly tasksReplaced: number;
  readonly seconds?: number;
  readonly reason?: string;
}

export interface Report {
  readonly runId: string;
  /** `running`: another call is at it; this report shows how far it has come. */
  readonly status: "plan" | "running" | "open" | "done" | "refused";
  readonly summary: string;
  readonly dryRun: boolean;
  readonly reason?: string;
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly secrets: readonly SecretReport[];
  readonly services: readonly ServiceReport[];
  readonly totals: Readonly<Record<string, number>>;
  readonly open: readonly string[];
}

const PHASES = [
  ["preflight", "startedAt"],
  ["stage", "stagedAt"],
  ["set", "setAt"],
  ["test", "testedAt"],
  ["promote", "promotedAt"],
  ["rollOut", "rolledOutAt"],
  ["confirm", "confirmedAt"],
  ["revoke", "revokedAt"],
  ["finish", "finishedAt"],
] as const;

const secondsBetween = (from: string, to: string) =>
  Math.round((Date.parse(to) - Date.parse(from)) / 10) / 100;

/** Seconds per phase; a phase that a wave does not have (nothing to set, nothing to revoke) is left out. */
export function phaseSeconds(runCreatedAt: string, history: readonly WaveRecord[]): Record<string, number> {
  const sums: Record<string, number> = {};
  let before = runCreatedAt;
  for (const wave of history) {
    for (const [phase, key] of PHASES) {
      const at = wave[key];
      if (at === undefined || (phase === "preflight" && wave !== history[0])) continue;
      sums[phase] = Math.round(((sums[phase] ?? 0) + secondsBetween(before, at)) * 100) / 100;
      before = at;
    }
  }
  return sums;
}

export function makeReport(run: Run, rotations: readonly Rotation[], alreadyRunning = false): Report {
  const secrets = [
    ...rotations.map((rotation) => reportRotation(run, rotation)),
    ...run.refused.map(
      ({ secretName, secretArn, objections }): SecretReport => ({
        name: secretName,
        arn: secretArn,
        outcome: "refused",
        because: objections[0]?.message ?? "",
        errors: objections,
      }),
    ),
    ...run.notDue.map((name): SecretReport => ({ name, outcome: "notDue" })),
  ].toSorted((a, b) => a.name.localeCompare(b.name));
  const services = run.deployments.map(
    (one): ServiceReport => ({
      service: one.service,
      wave: one.wave,
      ...(one.deploymentId ? { deploymentId: one.deploymentId } : {}),
      status: one.status,
      tasksReplaced: one.tasksReplaced,
      ...(one.finishedAt ? { seconds: secondsBetween(one.requestedAt, one.finishedAt) } : {}),
      ...(one.status === "failed" && one.reason ? { reason: one.reason } : {}),
    }),
  );
  const open = secrets
    .filter(({ outcome }) => outcome === "open")
    .map(({ name, because }) => `${name}: ${because ?? "under way"}`);
  const totals = count(run, secrets, services);
  const status = alreadyRunning
    ? "running"
    : open.length > 0
      ? "open"
      : run.status === "refused"
        ? "refused"
        : "done";
  return {
    runId: run.runId,
    status,
    summary: `${run.request.emergency ? "emergency: " : ""}${summarize(status, totals)}`,
    dryRun: false,
    ...(run.request.reason ? { reason: run.request.reason } : {}),
    startedAt: run.createdAt,
    ...(run.finishedAt ? { finishedAt: run.finishedAt } : {}),
    secrets,
    services,
    totals,
    open,
  };
}

function reportRotation(run: Run, rotation: Rotation): SecretReport {
  const first = rotation.history[0];
  const last = rotation.history.at(-1);
  const emergency = rotation.emergency ? reportEmergency(run, rotation) : undefined;
  const because =
    emergency && rotation.outcome === "rotated"
      ? sentenceOf(emergency)
      : rotation.outcome === "rolledBack"
        ? wayBackOf(rotation)
        : rotation.because;
  return {
    name: rotation.secretName,
    arn: rotation.secretArn,
    credentials: rotation.credentials.map(({ label }) => label),
    outcome: rotation.outcome ?? "open",
    ...(because ? { because } : {}),
    waves: rotation.waves,
    ...(first ? { oldVersionId: first.fromVersionId } : {}),
    ...(last ? { newVersionId: last.toVersionId } : {}),
    phases: phaseSeconds(run.createdAt, rotation.history),
    briefCut: rotation.briefCut,
    ...(emergency ? { emergency } : {}),
    oldRefused: rotation.history.some(({ revokedAt }) => revokedAt !== undefined),
    consumers: rotation.consumers,
    ...(rotation.notes.length > 0 ? { notes: rotation.notes } : {}),
    ...(rotation.error ? { errors: [rotation.error] } : {}),
  };
}

function reportEmergency(run: Run, { history }: Rotation): EmergencyReport {
  const died = history.flatMap(({ revoked }) => Object.entries(revoked));
  const cut = history.flatMap((wave) => Object.entries(wave.cut));
  return {
    diedAfterSeconds: Object.fromEntries(
      died.map(([label, at]) => [label, secondsBetween(run.createdAt, at)]),
    ),
    cut: cut.flatMap(([credential, sessions]) =>
      sessions.map(({ login, from, program }) => ({
        credential,
        login,
        from,
        ...(program === undefined ? {} : { program }),
      })),
    ),
  };
}

function sentenceOf({ diedAfterSeconds, cut }: EmergencyReport): string {
  const died = Math.max(...Object.values(diedAfterSeconds));
  const users = new Set(cut.map(({ login, from }) => `${login} from ${from.replace(/:\d+$/, "")}`));
  const who =
    cut.length === 0
      ? "no session was on it"
      : `${cut.length} sessions on it were ended: ${[...users].join(", ")}`;
  return `the leaked value was dead ${died} s after the call; ${who}`;
}

/** Which deployment failed and how, since a secret goes back for a service that need not be the reader's. */
function wayBackOf({ history, because }: Rotation): string | undefined {
  const back = history.at(-1)?.retreat;
  if (!back?.service) return because;
  return `the deployment of ${back.service} failed (${back.because.replace(/\.$/, "")}), so AWSCURRENT and its services are back on the old value and the new one was withdrawn`;
}

function count(run: Run, secrets: readonly SecretReport[], services: readonly ServiceReport[]) {
  const having = (outcome: SecretReport["outcome"]) =>
    secrets.filter((one) => one.outcome === outcome).length;
  return {
    secrets: secrets.length,
    rotated: having("rotated"),
    open: having("open"),
    refused: having("refused"),
    dropped: having("dropped"),
    rolledBack: having("rolledBack"),
    notDue: having("notDue"),
    services: new Set(services.map(({ service }) => service)).size,
    deployments: services.length,
    tasksReplaced: services.reduce((sum, { tasksReplaced }) => sum + tasksReplaced, 0),
    seconds: run.finishedAt ? secondsBetween(run.createdAt, run.finishedAt) : 0,
  };
}

function summarize(status: Report["status"], totals: ReturnType<typeof count>): string {
  const parts = [
    `${totals.rotated} of ${totals.secrets} secrets rotated`,
    totals.open > 0 ? `${totals.open} open` : "",
    totals.refused > 0 ? `${totals.refused} refused` : "",
    totals.dropped > 0 ? `${totals.dropped} dropped` : "",
    totals.rolledBack > 0 ? `${totals.rolledBack} rolled back` : "",
    `${totals.deployments} deployments of ${totals.services} services`,
  ];
  const text = parts.filter((part) => part !== "").join(", ");
  return status === "running" ? `a run is already under way: ${text}` : text;
}
