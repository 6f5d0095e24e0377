/** What a run would do: the same report, as a plan. */
import type { Consumers } from "./consumers.ts";
import type { RotationRequest } from "./intent.ts";
import type { ManagedSecret } from "./managed.ts";
import type { Report, SecretReport, ServiceReport } from "./report.ts";
import { type Objection, WAVES, type Wave } from "./strategy.ts";

interface Found {
  readonly planned: readonly {
    readonly managed: ManagedSecret;
    readonly fromVersionId: string;
    readonly credentials: readonly { readonly label: string }[];
    readonly waves: readonly Wave[];
    readonly briefCut: boolean;
    readonly consumers: Consumers;
    readonly notes: readonly string[];
  }[];
  readonly refused: readonly {
    readonly name: string;
    readonly arn: string;
    readonly objections: readonly Objection[];
  }[];
  readonly notDue: readonly string[];
}

export function planReport(request: RotationRequest, now: Date, found: Found): Report {
  const secrets: SecretReport[] = [
    ...found.planned.map(
      (one): SecretReport => ({
        name: one.managed.name,
        arn: one.managed.arn,
        credentials: one.credentials.map(({ label }) => label),
        outcome: "planned",
        waves: one.waves,
        oldVersionId: one.fromVersionId,
        briefCut: one.briefCut,
        consumers: one.consumers.services.map(({ service }) => service.name),
        ...(one.notes.length > 0 ? { notes: one.notes } : {}),
      }),
    ),
    ...found.refused.map(
      ({ name, arn, objections }): SecretReport => ({
        name,
        arn,
        outcome: "refused",
        because: objections[0]?.message ?? "",
        errors: objections.map(({ code, message }) => ({ code, message })),
      }),
    ),
    ...found.notDue.map((name): SecretReport => ({ name, outcome: "notDue" })),
  ];
  const services = WAVES.flatMap((wave) => {
    const users = found.planned
      .filter(({ waves }) => waves.includes(wave))
      .flatMap(({ consumers }) => consumers.services);
    const tasks = new Map(users.map(({ service }) => [service.name, service.runningCount]));
    return [...tasks].map(
      ([service, tasksReplaced]): ServiceReport => ({ service, wave, status: "planned", tasksReplaced }),
    );
  });
  const totals = {
    secrets: secrets.length,
    planned: found.planned.length,
    refused: found.refused.length,
    notDue: found.notDue.length,
    services: new Set(services.map(({ service }) => service)).size,
    deployments: services.length,
    tasksReplaced: services.reduce((sum, { tasksReplaced }) => sum + tasksReplaced, 0),
  };
  return {
    runId: "",
    status: "plan",
    summary: `${request.emergency ? "emergency, old values die before services are redeployed: " : ""}would rotate ${totals.planned} of ${totals.secrets} secrets with ${totals.deployments} deployments of ${totals.services} services; nothing was changed`,
    dryRun: true,
    ...(request.reason ? { reason: request.reason } : {}),
    startedAt: now.toISOString(),
    secrets: secrets.toSorted((a, b) => a.name.localeCompare(b.name)),
    services,
    totals,
    open: [],
  };
}
