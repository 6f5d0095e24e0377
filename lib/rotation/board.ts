/**
 * The run's one message in the security channel: edited in place while the run advances, details in its thread. Pure:
 * a report in, Slack blocks out.
 */
import { cut, escapeText, type Message, pack, section, sections } from "../message.ts";
import type { Report, SecretReport, ServiceReport } from "./report.ts";

const BAR_CELLS = 20;

const MARKS: Readonly<Record<SecretReport["outcome"], string>> = {
  rotated: ":white_check_mark:",
  open: ":hourglass_flowing_sand:",
  planned: ":memo:",
  refused: ":no_entry:",
  dropped: ":warning:",
  rolledBack: ":leftwards_arrow_with_hook:",
  notDue: ":zzz:",
};

/** @param progress share of the work that is done, 0 to 1 */
export function renderBoard(report: Report, progress: number): Message {
  const title = titleOf(report);
  const shown = report.secrets.filter(({ outcome }) => outcome !== "notDue");
  return {
    text: `${title} ${report.summary}`,
    blocks: [
      { type: "header", text: { type: "plain_text", text: title } },
      section(
        `${bar(progress)}\n${escapeText(report.summary)}${report.reason ? `\nReason: ${escapeText(report.reason)}` : ""}`,
      ),
      ...sections(shown.map(secretLine)),
      ...sections(report.services.map(serviceLine)),
      {
        type: "context",
        elements: [{ type: "mrkdwn", text: `run \`${report.runId}\` started ${report.startedAt}` }],
      },
    ],
  };
}

/** Details for the thread: the secrets that have come to an end and are not told of yet, in as few replies as hold them. */
export function renderThread(
  report: Report,
  told: readonly string[],
): { readonly replies: string[]; readonly names: string[] } {
  const fresh = report.secrets.filter(
    ({ name, outcome }) => outcome !== "open" && outcome !== "notDue" && !told.includes(name),
  );
  const failedFirst = fresh.toSorted(
    (a, b) => Number(a.outcome === "rotated") - Number(b.outcome === "rotated"),
  );
  return { replies: pack(failedFirst.map(secretDetails)), names: fresh.map(({ name }) => name) };
}

function secretDetails(secret: SecretReport): string {
  const phases = Object.entries(secret.phases ?? {}).map(([phase, seconds]) => `${phase} ${seconds} s`);
  const lines = [
    `${MARKS[secret.outcome]} *${escapeText(secret.name)}* ${secret.outcome}`,
    ...(secret.errors ?? []).map(({ code, message }) => `\`${code}\` ${escapeText(message)}`),
    secret.newVersionId ? `version \`${secret.oldVersionId}\` to \`${secret.newVersionId}\`` : "",
    secret.oldRefused ? "the old value was tried and is refused" : "",
    ...(secret.emergency?.cut ?? []).map(
      ({ login, from, program }) =>
        `cut off: \`${escapeText(login)}\` from ${escapeText(from)}${program ? ` (${escapeText(program)})` : ""}`,
    ),
    phases.join(", "),
    ...(secret.notes ?? []).map(escapeText),
  ];
  return cut(lines.filter((line) => line !== "").join("\n"));
}

function titleOf({ status }: Report): string {
  switch (status) {
    case "done":
      return "Secrets rotated";
    case "refused":
      return "Rotation refused";
    case "plan":
      return "Rotation planned";
    case "running":
    case "open":
      return "Rotating secrets";
  }
}

function secretLine(secret: SecretReport): string {
  const cutMark = secret.briefCut ? " (brief cut)" : "";
  const because =
    secret.outcome === "rotated" && !secret.emergency
      ? ""
      : secret.because
        ? `: ${escapeText(secret.because)}`
        : "";
  return `${MARKS[secret.outcome]} *${escapeText(secret.name)}*${cutMark} ${secret.outcome}${because}`;
}

function serviceLine(service: ServiceReport): string {
  const mark =
    { succeeded: ":white_check_mark:", failed: ":x:" }[service.status] ?? ":arrows_counterclockwise:";
  const tasks = service.status === "succeeded" ? `, ${service.tasksReplaced} tasks replaced` : "";
  return `${mark} \`${escapeText(service.service)}\` ${service.status}${tasks}${service.reason ? `: ${escapeText(service.reason)}` : ""}`;
}

function bar(progress: number): string {
  const full = Math.round(Math.min(Math.max(progress, 0), 1) * BAR_CELLS);
  return `\`${"█".repeat(full)}${"░".repeat(BAR_CELLS - full)}\` ${Math.round(progress * 100)} %`;
}
