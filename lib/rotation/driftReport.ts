/** What a daily look came to: one JSON object, and one message if there is something to say. */
import { type Finding, SEVERITIES } from "../finding.ts";
import { escapeText, type Message, section, sections } from "../message.ts";
import type { DriftFinding, Judged } from "./drift.ts";

export interface DriftReport {
  readonly checkedAt: string;
  readonly secrets: number;
  /** checks = holds + couldNotAsk + what does not hold. */
  readonly checks: number;
  readonly holds: number;
  /** Everything that does not hold, worst first, and what could not be asked. */
  readonly findings: readonly DriftFinding[];
  readonly couldNotAsk: number;
  readonly summary: string;
}

export function makeDriftReport(judged: readonly Judged[], now: Date): DriftReport {
  const rank = ({ severity, secret }: DriftFinding) => `${SEVERITIES.indexOf(severity)} ${secret}`;
  const findings = judged.flatMap((one) => one.findings).toSorted((a, b) => rank(a).localeCompare(rank(b)));
  const checks = judged.reduce((sum, one) => sum + one.checks, 0);
  const couldNotAsk = findings.filter(({ id }) => id === "could-not-ask").length;
  const broken = findings.length - couldNotAsk;
  const parts = [
    `${checks} checks of ${judged.length} secrets`,
    broken === 0 && couldNotAsk === 0 ? "everything holds" : `${broken} do not hold`,
    couldNotAsk > 0 ? `${couldNotAsk} could not be asked` : "",
  ];
  return {
    checkedAt: now.toISOString(),
    secrets: judged.length,
    checks,
    holds: checks - findings.length,
    findings,
    couldNotAsk,
    summary: parts.filter((part) => part !== "").join(", "),
  };
}

const MARKS: Readonly<Record<Finding["severity"], string>> = {
  critical: ":rotating_light:",
  high: ":x:",
  medium: ":warning:",
  low: ":grey_question:",
};

export function renderDrift({ findings, couldNotAsk, summary, checkedAt }: DriftReport): Message {
  const title = findings.length > couldNotAsk ? "Secrets have drifted" : "Secrets could not be checked";
  return {
    text: `${title}: ${summary}`,
    blocks: [
      { type: "header", text: { type: "plain_text", text: title } },
      section(escapeText(summary)),
      ...sections(findings.map(findingText)),
      { type: "context", elements: [{ type: "mrkdwn", text: `checked ${checkedAt}` }] },
    ],
  };
}

function findingText({ id, severity, says, evidence, mend }: DriftFinding): string {
  const facts = evidence.map(({ what, is }) => `${escapeText(what)} ${escapeText(is)}`).join(", ");
  const lines = [`${MARKS[severity]} \`${id}\` ${escapeText(says)}`, facts, `\`${escapeText(mend)}\``];
  return lines.filter((line) => line !== "").join("\n");
}
