/** The decision table, row by row. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { culpritOf } from "../../lib/incident/exitVerdict.ts";
import { stopVerdict } from "../../lib/incident/stopVerdict.ts";
import type { StopFacts, Verdict } from "../../lib/incident/verdict.ts";
import { OLD, PRIMARY, QUIET, SHORT, type Sketch, signalOf, stopOf } from "./stops.ts";

const ROTATING: StopFacts = {
  ...QUIET,
  ours: { deploymentIds: [PRIMARY], isRotating: true, isEmergency: false },
};
const LEAK: StopFacts = { ...QUIET, ours: { deploymentIds: [PRIMARY], isRotating: true, isEmergency: true } };
const DEPLOYING: StopFacts = {
  ...QUIET,
  service: { desiredCount: 3, runningCount: 3, primaryId: PRIMARY, isDeploying: true },
};
const UNKNOWN: StopFacts = { heldSeconds: 2, ours: QUIET.ours, isMended: false };
const held = (heldSeconds: number, facts: StopFacts = QUIET): StopFacts => ({ ...facts, heldSeconds });

const exit = (exitCode: number, reason?: string): Sketch => ({
  containers: [reason === undefined ? { exitCode } : { exitCode, reason }],
});
const OOM = exit(137, "OutOfMemoryError: Container killed due to memory usage");
const scheduler = (reason: string, more: Sketch = {}): Sketch => ({
  code: "ServiceSchedulerInitiated",
  reason,
  containers: [{ exitCode: 143 }],
  ...more,
});
const unstarted = (reason: string): Sketch => ({ code: "TaskFailedToStart", reason, containers: [{}] });

const brief = (verdict: Verdict): string => {
  if (verdict.kind === "wait") return `wait ${verdict.seconds}`;
  if (verdict.kind !== "alert") return verdict.kind;
  const later = verdict.post === "now" ? "" : ` ${verdict.post}`;
  const worse = verdict.repeat ? `; ${verdict.repeat.count}x ${verdict.repeat.severity}` : "";
  return `${verdict.severity} ${verdict.cause}${later}${worse}`;
};

describe("a task that stopped", () => {
  test.each<[string, Sketch, StopFacts, string]>([
    ["exit 0", exit(0), QUIET, "P4 finished when repeated; 3x P3"],
    ["exit 0 of a task of no service", { ...exit(0), group: "family:cleanup" }, UNKNOWN, "planned"],
    ["exit 1", exit(1), QUIET, "P3 application error; 3x P2"],
    ["exit 1, too few tasks left", exit(1), SHORT, "P2 application error; 3x P2"],
    ["exit 1, ECS did not answer", exit(1), UNKNOWN, "P3 application error; 3x P2"],
    [
      "exit 1 of a batch task",
      { ...exit(1), group: "family:cleanup" },
      UNKNOWN,
      "P3 application error; 3x P2",
    ],
    ["out of memory", OOM, QUIET, "P3 out of memory; 2x P2"],
    ["exit 137 without it", exit(137), QUIET, "P3 killed; 3x P2"],
    ["exit 139", exit(139), QUIET, "P3 native crash; 3x P2"],
    ["exit 134", exit(134), QUIET, "P3 native crash; 3x P2"],
    ["exit 143 while replaced", { ...exit(143), startedBy: OLD }, DEPLOYING, "planned"],
    ["exit 130 while replaced", { ...exit(130), startedBy: OLD }, DEPLOYING, "planned"],
    ["exit 143 of the newest", exit(143), DEPLOYING, "P3 terminated; 3x P2"],
    [
      "exit 1 of the old one while replaced",
      { ...exit(1), startedBy: OLD },
      DEPLOYING,
      "P3 application error; 3x P2",
    ],
    ["exit 1 while a rotation is open", exit(1), ROTATING, "P2 exit during a rotation; 3x P2"],
    ["exit 143 while a rotation replaces it", { ...exit(143), startedBy: OLD }, ROTATING, "planned"],
    [
      "no exit code",
      { containers: [{ reason: "DockerTimeoutError" }] },
      QUIET,
      "P3 exit code unknown; 3x P2",
    ],
    ["no containers", { containers: [] }, QUIET, "P3 exit code unknown; 3x P2"],

    [
      "secrets",
      unstarted(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm",
      ),
      QUIET,
      "P3 secrets not readable; 3x P2",
    ],
    [
      "network",
      unstarted("ResourceInitializationError: failed to configure ENI"),
      QUIET,
      "P3 not initialised; 3x P2",
    ],
    [
      "image",
      unstarted("CannotPullContainerError: pull image manifest has been retried 1 time(s)"),
      QUIET,
      "P3 image not pulled; 3x P2",
    ],
    [
      "image, new deployment",
      unstarted("CannotPullContainerError: not found"),
      DEPLOYING,
      "P2 image not pulled; 3x P2",
    ],
    [
      "command, too few tasks",
      unstarted("CannotStartContainerError: exec: not found"),
      SHORT,
      "P2 container not started; 3x P2",
    ],
    ["anything else", unstarted("Task failed to start"), QUIET, "P3 container not started; 3x P2"],

    [
      "health, at first",
      scheduler("Task failed ELB health checks in (target-group arn:aws:x)"),
      QUIET,
      "wait 90",
    ],
    [
      "health, after 90 s",
      scheduler("Task failed ELB health checks"),
      held(90, SHORT),
      "P3 failed health checks; 2x P2",
    ],
    [
      "container health, after 90 s",
      scheduler("Task failed container health checks"),
      held(91),
      "P3 failed health checks; 2x P2",
    ],
    [
      "health, well again within 90 s",
      scheduler("Task failed container health checks"),
      { ...held(90), isMended: true },
      "P3 failed health checks when repeated; 2x P2",
    ],
    [
      "a deployment",
      scheduler(`Scaling activity initiated by (deployment ${PRIMARY})`, { startedBy: OLD }),
      DEPLOYING,
      "planned",
    ],
    [
      "a deployment, ECS did not answer",
      scheduler(`Scaling activity initiated by (deployment ${PRIMARY})`),
      UNKNOWN,
      "planned",
    ],
    ["scale-in", scheduler("Scaling activity"), QUIET, "planned"],
    ["a deleted service", scheduler("The service is being deleted"), UNKNOWN, "planned"],
    ["zones rebalanced", scheduler("Task stopped for Availability Zone rebalancing"), QUIET, "planned"],
    [
      "the old deployment's, in words of tomorrow",
      scheduler("Housekeeping", { startedBy: OLD }),
      SHORT,
      "planned",
    ],
    ["no reason, enough tasks", scheduler(""), QUIET, "planned"],
    ["no reason, too few tasks", scheduler(""), SHORT, "P3 stopped by the scheduler; 3x P2"],
    [
      "killed after its stopTimeout in a deployment",
      scheduler(`Scaling activity initiated by (deployment ${PRIMARY})`, { containers: [{ exitCode: 137 }] }),
      DEPLOYING,
      "planned",
    ],

    ["by hand", { code: "UserInitiated", reason: "debugging" }, QUIET, "P4 stopped by hand"],
    [
      "by hand, by somebody in a finding",
      { code: "UserInitiated" },
      { ...QUIET, isActorFlagged: true },
      "P2 stopped by hand",
    ],
    ["by hand, replaced by ours", { code: "UserInitiated", startedBy: OLD }, ROTATING, "planned"],
    [
      "notice, one task",
      { code: "TerminationNotice", lastStatus: "RUNNING" },
      { ...QUIET, service: { desiredCount: 1, runningCount: 1, isDeploying: false } },
      "P4 termination notice",
    ],
    [
      "notice, more tasks",
      { code: "TerminationNotice", lastStatus: "RUNNING" },
      QUIET,
      "P4 termination notice when repeated",
    ],
    ["Spot", { code: "SpotInterruption" }, SHORT, "P4 spot interruption"],
    ["Spot, five minutes later", { code: "SpotInterruption" }, held(300, SHORT), "P3 spot interruption"],
    ["Spot, five minutes later, all there", { code: "SpotInterruption" }, held(300), "P4 spot interruption"],
    ["infrastructure", { code: "InfrastructureHealth" }, QUIET, "P3 infrastructure; 3x P2"],
    ["a code of tomorrow", { code: "SomethingNew" }, QUIET, "P3 unknown stop code; 3x P2"],
    ["a code out of JavaScript", { code: "constructor" }, QUIET, "P3 unknown stop code; 3x P2"],
  ])("%s", (_what, sketch, facts, expected) => {
    expect(brief(stopVerdict(stopOf(sketch), facts))).toBe(expected);
  });

  test("is blamed on the container that brought it down, in whatever order they are listed", () => {
    const ends = [
      { name: "log", exitCode: 143 },
      { name: "app", exitCode: 3 },
      { name: "proxy", exitCode: 0 },
    ];
    expect(culpritOf(ends)?.name).toBe("app");
    expect(culpritOf(ends.toReversed())?.name).toBe("app");
    expect(
      culpritOf([
        { name: "a", exitCode: 137 },
        { name: "b", exitCode: 0 },
      ])?.name,
    ).toBe("b");
  });

  test("after five minutes without its Spot capacity is looked at again, and then no more", () => {
    expect(stopVerdict(stopOf({ code: "SpotInterruption" }), QUIET)).toMatchObject({ againAtSeconds: 300 });
    expect(stopVerdict(stopOf({ code: "SpotInterruption" }), held(300, SHORT))).not.toHaveProperty(
      "againAtSeconds",
    );
  });
});

test("no stop that a deployment, scaling or deleting makes ever alerts, whatever else is known and however it ended", () => {
  const reasons = [
    `Scaling activity initiated by (deployment ${PRIMARY})`,
    `Scaling activity initiated by deployment ${PRIMARY}`,
    "Scaling activity",
    "The service is being deleted",
    "Service is draining",
  ];
  const facts = fc.record<StopFacts>({
    heldSeconds: fc.integer({ min: -5, max: 100_000 }),
    service: fc.record({
      desiredCount: fc.nat(9),
      runningCount: fc.nat(9),
      primaryId: fc.constantFrom(PRIMARY, OLD),
      isDeploying: fc.boolean(),
    }),
    ours: fc.record({ deploymentIds: fc.constant([]), isRotating: fc.boolean(), isEmergency: fc.boolean() }),
    isMended: fc.boolean(),
  });
  const known = fc.oneof(
    facts,
    facts.map(({ service: _, ...rest }) => rest),
  );
  const codes = fc.array(fc.constantFrom(0, 1, 130, 134, 137, 139, 143), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(
      fc.constantFrom(...reasons),
      fc.constantFrom(PRIMARY, OLD),
      codes,
      known,
      (reason, startedBy, exits, about) => {
        const containers = exits.map((exitCode, nth) => ({ name: `c${nth}`, exitCode }));
        expect(stopVerdict(stopOf(scheduler(reason, { startedBy, containers })), about).kind).toBe("planned");
      },
    ),
    { numRuns: 2_000 },
  );
});

describe("a service that says", () => {
  test.each<[string, StopFacts, string]>([
    ["SERVICE_TASK_START_IMPAIRED", QUIET, "P2 tasks do not start"],
    ["SERVICE_TASK_PLACEMENT_FAILURE", QUIET, "P2 tasks find no place"],
    ["SERVICE_TASK_CONFIGURATION_FAILURE", QUIET, "P2 tasks find no place"],
    ["SERVICE_DEPLOYMENT_FAILED", QUIET, "P2 deployment failed"],
    ["SERVICE_DEPLOYMENT_FAILED", ROTATING, "P2 deployment failed"],
    ["SERVICE_DEPLOYMENT_FAILED", LEAK, "P1 deployment failed"],
    ["SERVICE_DISCOVERY_INSTANCE_UNHEALTHY", QUIET, "wait 90"],
    ["SERVICE_DISCOVERY_INSTANCE_UNHEALTHY", held(90), "P3 targets unhealthy"],
    ["VPC_LATTICE_TARGET_UNHEALTHY", held(90), "P3 targets unhealthy"],
    ["VPC_LATTICE_TARGET_UNHEALTHY", { ...held(90), isMended: true }, "planned"],
    ["VPC_LATTICE_TARGET_HEALTHY", QUIET, "recovery"],
    ["SERVICE_STEADY_STATE", QUIET, "recovery"],
    ["SERVICE_DEPLOYMENT_COMPLETED", QUIET, "recovery"],
    ["SERVICE_DEPLOYMENT_IN_PROGRESS", QUIET, "planned"],
    ["TASKS_STOPPED", QUIET, "planned"],
    ["SOMETHING_NEW", QUIET, "planned"],
    ["SOMETHING_FAILED", QUIET, "P3 service trouble"],
  ])("%s", (eventName, facts, expected) => {
    expect(brief(stopVerdict(signalOf(eventName), facts))).toBe(expected);
  });

  test("of somebody else's deployment that it failed is no sign of a leak", () => {
    const event = signalOf("SERVICE_DEPLOYMENT_FAILED", { deploymentId: OLD });
    expect(brief(stopVerdict(event, LEAK))).toBe("P2 deployment failed");
  });
});
