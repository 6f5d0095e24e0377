/** What the demo says at its end: one object for programs, a short page for people. Names and numbers, never a value. */
import type { Crowd } from "./crowd.ts";
import { shortName } from "./progress.ts";
import type { Proof } from "./proof.ts";
import { group } from "./view.ts";

export interface Summary {
  readonly order: "rekey" | "aws-single-user";
  readonly requests: number;
  readonly failed: number;
  readonly rotated: readonly string[];
  /** Service -> deployments that the rotation made. */
  readonly deployments: Readonly<Record<string, number>>;
  /** Secret -> whether every one of its old values was tried and refused, wherever it used to work. */
  readonly oldRefused: Readonly<Record<string, boolean>>;
  /** Secret -> whether every one of its present values was tried and accepted. */
  readonly newAccepted: Readonly<Record<string, boolean>>;
  readonly tried: Proof;
  /** From the call of the handler to its answer. */
  readonly seconds: number;
  /** `service: reason` -> how many requests failed so. */
  readonly reasons: Readonly<Record<string, number>>;
  /** From the first failed request to the last. */
  readonly failingSeconds: number;
  readonly timeline: string;
}

interface Ending extends Pick<Summary, "order" | "rotated" | "deployments" | "seconds" | "timeline"> {
  readonly crowd: Crowd;
  readonly proof: Proof;
}

export function summarize({ crowd, proof, ...rest }: Ending): Summary {
  const reasons: Record<string, number> = {};
  for (const { service, reason } of crowd.failures) {
    const key = `${service}: ${reason}`;
    reasons[key] = (reasons[key] ?? 0) + 1;
  }
  const times = crowd.failures.map(({ at }) => at);
  const every = (holds: "oldRefused" | "newAccepted") =>
    Object.fromEntries(
      Object.entries(proof).map(([name, trials]) => [name, Object.values(trials).every((one) => one[holds])]),
    );
  return {
    ...rest,
    requests: crowd.requests(),
    failed: crowd.failures.length,
    oldRefused: every("oldRefused"),
    newAccepted: every("newAccepted"),
    tried: proof,
    reasons,
    failingSeconds: times.length > 0 ? (Math.max(...times) - Math.min(...times)) / 1000 : 0,
  };
}

/** Whether the demo showed what it promises. */
export function isProven({ failed, rotated, oldRefused, newAccepted, deployments }: Summary): boolean {
  const all = (answers: Readonly<Record<string, boolean>>) => Object.values(answers).every(Boolean);
  const names = Object.keys(oldRefused);
  return (
    failed === 0 &&
    names.length > 0 &&
    names.every((name) => rotated.includes(name)) &&
    all(oldRefused) &&
    all(newAccepted) &&
    Object.values(deployments).every((count) => count === 1)
  );
}

export function pageOf(summary: Summary): string {
  const { requests, failed, rotated, seconds, deployments, reasons, failingSeconds, timeline, tried } =
    summary;
  const lines = [
    ` ${group(requests)} requests, ${group(failed)} failed, while ${rotated.length} secrets changed in ${seconds.toFixed(1)} s`,
    ` deployments: ${Object.entries(deployments)
      .map(([service, count]) => `${service} ${count}`)
      .join(", ")}`,
    "",
    ` ${"tried for real after the rotation".padEnd(48)}${"old".padEnd(16)}new`,
  ];
  for (const [secret, trials] of Object.entries(tried)) {
    for (const [what, { oldRefused, newAccepted }] of Object.entries(trials)) {
      const [before, now] = [oldRefused ? "refused" : "STILL ACCEPTED", newAccepted ? "accepted" : "REFUSED"];
      lines.push(` ${`${shortName(secret)}: ${what}`.padEnd(48)}${before.padEnd(16)}${now}`);
    }
  }
  if (failed > 0) {
    lines.push("", ` requests failed for ${failingSeconds.toFixed(1)} s:`);
    const most = Object.entries(reasons).sort(([, a], [, b]) => b - a);
    for (const [reason, count] of most) lines.push(` ${group(count).padStart(8)}  ${reason}`);
  }
  return [...lines, "", ` picture of the run: ${timeline}`].join("\n");
}
