/** What the demo says at its end: one object for programs, a short page for people. Names and numbers, never a value. */
import type { Watch } from "../chaos/monitor.ts";
import type { Crowd } from "./crowd.ts";
import type { Breakage, Scene } from "./options.ts";
import { shortName } from "./progress.ts";
import type { Proof, Trial } from "./proof.ts";
import type { Played } from "./scenes.ts";
import { group } from "./view.ts";
import { CONSUMED } from "./world.ts";

type BySecret<T> = Readonly<Record<string, T>>;

export interface Summary {
  readonly scene: Scene["kind"];
  readonly broken?: Breakage;
  readonly requests: number;
  readonly failed: number;
  readonly rotated: readonly string[];
  readonly rolledBack: readonly string[];
  /** Service -> deployments that were made, ECS's own ways back among them. */
  readonly deployments: Readonly<Record<string, number>>;
  /** Whether every one of a secret's old values was tried and refused, wherever it used to work. */
  readonly oldRefused: BySecret<boolean>;
  /** Whether every one of its new values was tried and accepted; what was taken back is tried from the version withdrawn. */
  readonly newAccepted: BySecret<boolean>;
  /** Whether every one of its new values was tried and refused. */
  readonly newRefused: BySecret<boolean>;
  readonly tried: Proof;
  /** What happened to it, as the report has it. */
  readonly sentences: BySecret<string>;
  /** From the call of the handler to its answer. */
  readonly seconds: number;
  /** Every value that could be read was tried all the time: how often, and how often it was refused. */
  readonly invariant: { readonly tries: number; readonly refusals: number };
  readonly emergency?: Pick<Played, "diedAfterSeconds" | "cut"> & { readonly failuresExpected: true };
  /** `service: reason` -> how many requests failed so. */
  readonly reasons: Readonly<Record<string, number>>;
  /** From the first failed request to the last. */
  readonly failingSeconds: number;
  readonly timeline: string;
}

interface Ending extends Pick<Summary, "deployments" | "seconds" | "timeline"> {
  readonly scene: Scene;
  readonly played: Played;
  readonly crowd: Crowd;
  readonly proof: Proof;
  readonly watch: Pick<Watch, "tries" | "refusals">;
}

export function summarize({ scene, played, crowd, proof, watch, ...rest }: Ending): Summary {
  const reasons: Record<string, number> = {};
  for (const { service, reason } of crowd.failures) {
    const key = `${service}: ${reason}`;
    reasons[key] = (reasons[key] ?? 0) + 1;
  }
  const times = crowd.failures.map(({ at }) => at);
  const every = (holds: (trial: Trial) => boolean) =>
    Object.fromEntries(
      Object.entries(proof).map(([name, trials]) => [name, Object.values(trials).every(holds)]),
    );
  const { rotated, rolledBack, sentences, diedAfterSeconds, cut } = played;
  return {
    scene: scene.kind,
    ...(scene.kind === "break" ? { broken: { service: scene.service, fault: scene.fault } } : {}),
    ...rest,
    requests: crowd.requests(),
    failed: crowd.failures.length,
    rotated,
    rolledBack,
    oldRefused: every(({ oldRefused }) => oldRefused),
    newAccepted: every(({ newAccepted }) => newAccepted),
    newRefused: every(({ newAccepted }) => !newAccepted),
    tried: proof,
    sentences,
    invariant: { tries: watch.tries, refusals: watch.refusals.length },
    ...(scene.kind === "emergency"
      ? { emergency: { diedAfterSeconds, cut, failuresExpected: true as const } }
      : {}),
    reasons,
    failingSeconds: times.length > 0 ? (Math.max(...times) - Math.min(...times)) / 1000 : 0,
  };
}

/** Whether the demo showed what it promises; the order of AWS's functions promises nothing. */
export function isProven(summary: Summary): boolean {
  const { scene, broken, failed, rotated, rolledBack, tried, deployments, invariant } = summary;
  if (scene === "awsOrder") return true;
  const names = Object.keys(tried);
  const isAnswered = names.length > 0 && names.every((name) => answersOf(summary, name));
  // Whoever holds a leaked value is cut off, ours as well: that is what an emergency is for.
  if (scene === "emergency") return isAnswered && rotated.length > 0 && rolledBack.length === 0;
  const goesBack = broken ? CONSUMED[broken.service] : [];
  return (
    isAnswered &&
    failed === 0 &&
    invariant.refusals === 0 &&
    names.every((name) => (goesBack.includes(name) ? rolledBack : rotated).includes(name)) &&
    (broken !== undefined || Object.values(deployments).every((count) => count === 1))
  );
}

/** Old and new in turn: what rotated has swapped them, what went back has not, what was left alone has only one. */
function answersOf({ tried, rotated, rolledBack }: Summary, name: string): boolean {
  const expected = {
    oldRefused: rotated.includes(name),
    newAccepted: !rolledBack.includes(name),
  };
  return Object.values(tried[name] ?? {}).every(
    ({ oldRefused, newAccepted }) =>
      oldRefused === expected.oldRefused && newAccepted === expected.newAccepted,
  );
}

export function pageOf(summary: Summary): string {
  const { requests, failed, rotated, rolledBack, seconds, deployments, timeline, invariant } = summary;
  const went = rolledBack.length > 0 ? ` and ${rolledBack.length} went back` : "";
  const lines = [
    ` ${group(requests)} requests, ${group(failed)} failed, while ${rotated.length} secrets changed${went} in ${seconds.toFixed(1)} s`,
    ` deployments: ${Object.entries(deployments)
      .map(([service, count]) => `${service} ${count}`)
      .join(", ")}`,
    ` every value that could be read was tried ${group(invariant.tries)} times meanwhile and refused ${group(invariant.refusals)} times`,
    "",
    ...sentenceLines(summary),
    ...proofLines(summary),
    ...deathLines(summary),
    ...failureLines(summary),
  ];
  return [...lines, "", ` picture of the run: ${timeline}`].join("\n");
}

const sentenceLines = ({ sentences }: Summary) => [
  ...Object.entries(sentences).map(([secret, sentence]) => ` ${shortName(secret)}: ${sentence}`),
  "",
];

function proofLines(summary: Summary): string[] {
  const { tried, rotated, rolledBack } = summary;
  const heading = ` ${"tried for real after the rotation".padEnd(48)}${"old".padEnd(16)}new`;
  const rows = Object.entries(tried).flatMap(([secret, trials]) =>
    Object.entries(trials).map(([what, { oldRefused, newAccepted }]) => {
      // In capitals what should be otherwise.
      const before = say(oldRefused ? "refused" : "accepted", oldRefused === rotated.includes(secret));
      const now = say(newAccepted ? "accepted" : "refused", newAccepted !== rolledBack.includes(secret));
      return ` ${`${shortName(secret)}: ${what}`.padEnd(48)}${before.padEnd(16)}${now}`;
    }),
  );
  return [heading, ...rows];
}

const say = (answer: string, isAsExpected: boolean) => (isAsExpected ? answer : answer.toUpperCase());

function deathLines({ emergency }: Summary): string[] {
  if (!emergency) return [];
  const deaths = Object.entries(emergency.diedAfterSeconds).sort(([, a], [, b]) => a - b);
  return [
    "",
    ` ${emergency.cut} sessions were ended; the leaked values died, in seconds after the call:`,
    ...deaths.map(([label, after]) => ` ${after.toFixed(1).padStart(8)}  ${shortName(label)}`),
  ];
}

function failureLines({ failed, reasons, failingSeconds, emergency }: Summary): string[] {
  if (failed === 0) return [];
  const most = Object.entries(reasons).sort(([, a], [, b]) => b - a);
  const why = emergency ? ", as they must when the value that they hold dies" : "";
  return [
    "",
    ` requests failed for ${failingSeconds.toFixed(1)} s${why}:`,
    ...most.map(([reason, count]) => ` ${group(count).padStart(8)}  ${reason}`),
  ];
}
