/**
 * The decision table, first half: a stopped task, by its stop code. ECS names who stopped it, and only then the containers'
 * exit codes say why; a stop that the scheduler makes for a deployment or for scaling is planned whatever they are.
 */
import { exitVerdict } from "./exitVerdict.ts";
import { signalVerdict } from "./signalVerdict.ts";
import { startVerdict } from "./startVerdict.ts";
import type { StopEvent, TaskStop } from "./stopEvent.ts";
import {
  type Alert,
  alert,
  HELD_SECONDS,
  isBelowDesired,
  isReplaced,
  planned,
  type StopFacts,
  THREE_ARE_P2,
  type Verdict,
} from "./verdict.ts";

type Row = (stop: TaskStop, facts: StopFacts) => Verdict;

const HEALTH = /health ?check|unhealthy/i;
/** "Scaling activity initiated by (deployment ecs-svc/...)", and what it says of other work of its own. */
const PLANNED = /scaling activity|initiated by \(?deployment|being deleted|draining|rebalanc/i;
const SPOT_SECONDS = 300;

export function stopVerdict(event: StopEvent, facts: StopFacts): Verdict {
  if (event.kind === "service") return signalVerdict(event, facts);
  const row = event.stopCode === undefined ? undefined : BY_CODE.get(event.stopCode);
  return row ? row(event, facts) : unknown(event);
}

const scheduled: Row = (stop, facts) => {
  if (HEALTH.test(stop.reason)) return ill(stop, facts);
  if (PLANNED.test(stop.reason))
    return planned("the service's scheduler stopped it for a deployment or to scale");
  if (isReplaced(stop, facts)) return planned("a deployment replaced it");
  if (facts.service !== undefined && !isBelowDesired(facts))
    return planned("the service has as many tasks as it wants");
  return alert({
    severity: "P3",
    cause: "stopped by the scheduler",
    says: `the service's scheduler stopped it for a reason that is not known: ${stop.reason || "none given"}`,
    lookAt: ["the service's events in ECS", "the task's last log lines"],
    repeat: THREE_ARE_P2,
  });
};

function ill(stop: TaskStop, facts: StopFacts): Verdict {
  if (facts.heldSeconds < HELD_SECONDS) return { kind: "wait", seconds: HELD_SECONDS };
  return alert({
    severity: "P3",
    cause: "failed health checks",
    says: `it failed its health checks and was stopped: ${stop.reason}`,
    lookAt: [
      "the health of its targets",
      "the last log lines before the stop",
      "the check's command, and its grace period",
    ],
    post: facts.isMended ? "when repeated" : "now",
    repeat: { count: 2, severity: "P2" },
  });
}

const byHand: Row = (stop, facts) => {
  if (isReplaced(stop, facts) && facts.ours.isRotating) return planned("a rotation's deployment replaced it");
  return alert({
    severity: facts.isActorFlagged ? "P2" : "P4",
    cause: "stopped by hand",
    says: `somebody stopped it: ${stop.reason || "no reason given"}`,
    lookAt: ["StopTask and UpdateService in CloudTrail: who, and from where"],
  });
};

const givenNotice: Row = (_stop, { service }) =>
  alert({
    severity: "P4",
    cause: "termination notice",
    says: "its host ends in two minutes",
    lookAt: ["whether a replacement has started"],
    // A service with more than one task goes on.
    post: service === undefined || service.desiredCount <= 1 ? "now" : "when repeated",
  });

const spot: Row = (_stop, facts) => {
  const isLate = facts.heldSeconds >= SPOT_SECONDS;
  const isShort = isLate && isBelowDesired(facts) && !facts.isMended;
  return alert({
    severity: isShort ? "P3" : "P4",
    cause: "spot interruption",
    says: isShort
      ? "its Spot capacity was taken back, and five minutes later the service still lacks tasks"
      : "its Spot capacity was taken back",
    lookAt: ["the service's placement events", "the capacity providers' weights"],
    ...(isLate ? {} : { againAtSeconds: SPOT_SECONDS }),
  });
};

const infrastructure: Row = ({ reason, zone }) =>
  alert({
    severity: "P3",
    cause: "infrastructure",
    says: `the host side ended it, not the application${zone ? `, in ${zone}` : ""}: ${reason || "no reason given"}`,
    lookAt: ["AWS Health for this Availability Zone", "other tasks on the same host"],
    repeat: THREE_ARE_P2,
  });

const unknown = ({ stopCode, reason }: TaskStop): Alert =>
  alert({
    severity: "P3",
    cause: "unknown stop code",
    says: `it stopped with ${stopCode ? `the code ${stopCode}, which Rekey does not know` : "no stop code"}: ${reason || "no reason given"}`,
    lookAt: ["the task in ECS while it is still listed, about an hour", "the last log lines"],
    repeat: THREE_ARE_P2,
  });

/** A map, because a code is text from outside. */
const BY_CODE: ReadonlyMap<string, Row> = new Map([
  ["EssentialContainerExited", exitVerdict],
  ["TaskFailedToStart", startVerdict],
  ["ServiceSchedulerInitiated", scheduled],
  ["UserInitiated", byHand],
  ["TerminationNotice", givenNotice],
  ["SpotInterruption", spot],
  ["InfrastructureHealth", infrastructure],
]);
