/**
 * The decision table for EssentialContainerExited: which container ended the task, and what its exit code says. When one
 * essential container ends, ECS ends the others with SIGTERM, so theirs are the codes 143 and 137 that say nothing.
 */
import type { ContainerEnd, TaskStop } from "./stopEvent.ts";
import {
  type Alert,
  alert,
  isBelowDesired,
  isReplaced,
  planned,
  type StopFacts,
  type StopSeverity,
  THREE_ARE_P2,
  type Verdict,
} from "./verdict.ts";

/** Codes above 128 are 128 and a signal: SIGINT, SIGABRT, SIGKILL, SIGSEGV, SIGTERM. */
const ASKED_TO_END = [130, 143];
const KILLED = 137;
const NATIVE = new Map([
  [134, "it aborted (SIGABRT)"],
  [139, "it crashed in native code (SIGSEGV)"],
]);

const ranOutOfMemory = ({ reason }: ContainerEnd) => /OutOfMemory/i.test(reason ?? "");

/** The one that brought the task down, whatever the order in which they are listed. */
export function culpritOf(containers: readonly ContainerEnd[]): ContainerEnd | undefined {
  const rank = (one: ContainerEnd) => {
    if (ranOutOfMemory(one)) return 0;
    if (one.exitCode === undefined) return 5;
    if (ASKED_TO_END.includes(one.exitCode)) return 4;
    if (one.exitCode === KILLED) return 3;
    return one.exitCode === 0 ? 2 : 1;
  };
  return containers.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))[0];
}

export function exitVerdict(stop: TaskStop, facts: StopFacts): Verdict {
  const end = culpritOf(stop.containers);
  const wasAsked = end?.exitCode !== undefined && [0, ...ASKED_TO_END].includes(end.exitCode);
  const isUnknown = facts.service?.primaryId === undefined;
  if (wasAsked && (isReplaced(stop, facts) || (facts.ours.isRotating && isUnknown && end.exitCode !== 0)))
    return planned("it ended as it was asked to, while a deployment replaced it");
  if (end?.exitCode === 0 && stop.service === undefined)
    return planned("a task of no service did its work and ended");
  const verdict = byCode(end, facts);
  return facts.ours.isRotating ? duringRotation(verdict) : verdict;
}

function byCode(end: ContainerEnd | undefined, facts: StopFacts): Alert {
  const about = end === undefined ? {} : { container: end.name };
  const who = end === undefined ? "a container" : `container ${end.name}`;
  const worse: StopSeverity = isBelowDesired(facts) ? "P2" : "P3";
  if (end !== undefined && ranOutOfMemory(end)) {
    return alert({
      ...about,
      severity: "P3",
      cause: "out of memory",
      says: `${who} was killed because it used more memory than it may (exit code ${end.exitCode ?? "unknown"})`,
      lookAt: [
        "memory against its limit over the last hour",
        "whether the limits changed with this revision",
      ],
      repeat: { count: 2, severity: "P2" },
    });
  }
  const code = end?.exitCode;
  if (code === undefined) {
    return alert({
      ...about,
      severity: "P3",
      cause: "exit code unknown",
      says: `${who} ended and left no exit code: ${end?.reason ?? "no reason given"}`,
      lookAt: ["the last log lines", "the task in ECS while it is still listed, about an hour"],
      repeat: THREE_ARE_P2,
    });
  }
  if (code === 0) {
    return alert({
      ...about,
      severity: "P4",
      cause: "finished",
      says: `${who} ended by itself with exit code 0; a service's task should not finish`,
      lookAt: ["its command, and how long it ran", "the last log lines"],
      post: "when repeated",
      repeat: { count: 3, severity: "P3" },
    });
  }
  const known = { ...about, repeat: THREE_ARE_P2 };
  if (code === KILLED) {
    return alert({
      ...known,
      severity: "P3",
      cause: "killed",
      says: `${who} was killed (SIGKILL, exit code 137), and not for its memory`,
      lookAt: ["whether it ignores SIGTERM and outlived its stopTimeout", "the host's own memory"],
    });
  }
  const native = NATIVE.get(code);
  if (native !== undefined) {
    return alert({
      ...known,
      severity: "P3",
      cause: "native crash",
      says: `${who}: ${native}, exit code ${code}`,
      lookAt: ["whether the image changed with this revision", "the last log lines"],
    });
  }
  if (ASKED_TO_END.includes(code)) {
    return alert({
      ...known,
      severity: "P3",
      cause: "terminated",
      says: `${who} was asked to end (exit code ${code}), and not by ECS`,
      lookAt: ["the last log lines: who sent the signal", "the host"],
    });
  }
  return alert({
    ...known,
    severity: worse,
    cause: "application error",
    says: `${who} ended with exit code ${code}`,
    lookAt: [
      "the last log lines",
      "what changed in the task definition",
      "whether what it depends on answers",
    ],
  });
}

/** The likeliest reason is then the new value. */
const duringRotation = (verdict: Alert): Alert => ({
  ...verdict,
  severity: "P2",
  cause: "exit during a rotation",
  says: `${verdict.says}, while a rotation of one of its secrets is under way`,
  lookAt: [
    "words like authentication or permission in the last log lines",
    "the rotation's own message: it goes back by itself when the deployment fails",
    ...verdict.lookAt,
  ],
  post: "now",
  repeat: THREE_ARE_P2,
});
