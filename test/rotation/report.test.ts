import { describe, expect, test } from "vitest";
import {
  type DeploymentRecord,
  type Rotation,
  type Run,
  requestSchema,
  type WaveRecord,
} from "../../lib/rotation/intent.ts";
import { makeReport, phaseSeconds } from "../../lib/rotation/report.ts";
import { ARN, iso, rotation, wave } from "./facts.ts";

const deployed = (service: string, changes: Partial<DeploymentRecord> = {}): DeploymentRecord => ({
  service,
  wave: "rotate",
  back: false,
  requestedAt: iso(10),
  deploymentId: "ecs-svc/2",
  status: "succeeded",
  finishedAt: iso(40.5),
  tasksReplaced: 2,
  ...changes,
});
const run = (changes: Partial<Run> = {}): Run => ({
  runId: "run",
  createdAt: iso(0),
  request: requestSchema.parse({}),
  status: "done",
  refused: [],
  notDue: [],
  deployments: [],
  rev: 1,
  ...changes,
});
const ended = (name: string, outcome: Rotation["outcome"]) =>
  rotation({}, { secretName: name, ...(outcome ? { outcome } : {}) });

describe("the seconds of a phase", () => {
  test("run from the end of the phase before it, and the first from the call", () => {
    const whole = wave({
      startedAt: iso(1.5),
      stagedAt: iso(2),
      setAt: iso(4),
      testedAt: iso(4.25),
      promotedAt: iso(5),
      rolledOutAt: iso(65),
      confirmedAt: iso(66),
      revokedAt: iso(67.5),
      finishedAt: iso(68),
    });
    expect(phaseSeconds(iso(0), [whole])).toEqual({
      preflight: 1.5,
      stage: 0.5,
      set: 2,
      test: 0.25,
      promote: 0.75,
      rollOut: 60,
      confirm: 1,
      revoke: 1.5,
      finish: 0.5,
    });
  });

  test("are left out for what a wave does not have", () => {
    expect(phaseSeconds(iso(0), [wave({ startedAt: iso(1), testedAt: iso(3) })])).toEqual({
      preflight: 1,
      test: 2,
    });
    expect(phaseSeconds(iso(0), [])).toEqual({});
  });

  test("are summed over the waves, and only the first wave has a preflight", () => {
    const publish = wave({ wave: "publish", startedAt: iso(1), stagedAt: iso(3), finishedAt: iso(10) });
    const rotate = wave({ startedAt: iso(12), stagedAt: iso(15), finishedAt: iso(16) });
    expect(phaseSeconds(iso(0), [publish, rotate])).toEqual({ preflight: 1, stage: 7, finish: 8 });
  });

  test("are told to a hundredth, without the rest of a sum", () => {
    const waves = [
      wave({ wave: "publish", startedAt: iso(0), stagedAt: iso(0.1) }),
      wave({ startedAt: iso(0.1), stagedAt: iso(0.3) }),
    ];
    expect(phaseSeconds(iso(0), waves)).toEqual({ preflight: 0, stage: 0.3 });
    expect(phaseSeconds(iso(0), [wave({ startedAt: iso(0.016) })])).toEqual({ preflight: 0.02 });
  });
});

describe("the report of a run", () => {
  test("says in one sentence for which service a secret went back, or who moved its label", () => {
    const back = (retreat: NonNullable<WaveRecord["retreat"]>) =>
      makeReport(run(), [rotation({ retreat }, { outcome: "rolledBack", because: retreat.because })])
        .secrets[0]?.because;
    const at = iso(5);
    const because = "Service deployment rolled back because tasks crash.";
    expect(back({ code: "DEPLOYMENT_FAILED", because, at, service: "production/gateway" })).toBe(
      "the deployment of production/gateway failed (Service deployment rolled back because tasks crash), so AWSCURRENT and its services are back on the old value and the new one was withdrawn",
    );
    expect(back({ code: "LABEL_MOVED", because: "somebody moved it", at })).toBe("somebody moved it");
  });

  test("tells of a rotation what was rotated, from which version to which, and that the old one is dead", () => {
    const done = rotation(
      { revokedAt: iso(50), finishedAt: iso(51) },
      {
        outcome: "rotated",
        because: "all is well",
        waves: ["publish", "rotate"],
        notes: ["shop/database is its own admin"],
        credentials: [
          { label: "shop/database#A", waves: ["rotate"] },
          { label: "shop/database#B", waves: ["rotate"] },
        ],
        history: [
          wave({ wave: "publish", fromVersionId: "v1", toVersionId: "v2", startedAt: iso(1) }),
          wave({ fromVersionId: "v2", toVersionId: "v3", startedAt: iso(1), revokedAt: iso(3) }),
        ],
      },
    );
    expect(makeReport(run(), [done]).secrets).toEqual([
      {
        name: "shop/database",
        arn: ARN,
        credentials: ["shop/database#A", "shop/database#B"],
        outcome: "rotated",
        because: "all is well",
        waves: ["publish", "rotate"],
        oldVersionId: "v1",
        newVersionId: "v3",
        phases: { preflight: 1, revoke: 2 },
        briefCut: false,
        oldRefused: true,
        consumers: ["shop/gateway"],
        notes: ["shop/database is its own admin"],
      },
    ]);
  });

  test("claims no dead value, no versions and no reasons that there are not", () => {
    const [begun] = makeReport(run({ status: "rotating" }), [rotation({}, { history: [] })]).secrets;
    expect(begun).toEqual({
      name: "shop/database",
      arn: ARN,
      credentials: ["shop/database"],
      outcome: "open",
      waves: ["rotate"],
      phases: {},
      briefCut: false,
      oldRefused: false,
      consumers: ["shop/gateway"],
    });
  });

  test("keeps the error of a rotation that was given up", () => {
    const error = { code: "PENDING_REFUSED", message: "the target refuses the new value" };
    const [dropped] = makeReport(run(), [rotation({}, { outcome: "dropped", error })]).secrets;
    expect(dropped).toMatchObject({ errors: [error], oldRefused: false, newVersionId: "new" });
  });

  test("names every secret once, in the order of their names, refused and not due ones too", () => {
    const { secrets } = makeReport(
      run({
        refused: [
          {
            secretName: "b",
            secretArn: "arn:b",
            objections: [
              { code: "ROTATION_OPEN", message: "b: first" },
              { code: "SERVICE_OWNED", message: "b: second" },
            ],
          },
          { secretName: "d", secretArn: "arn:d", objections: [] },
        ],
        notDue: ["a"],
      }),
      [ended("c", "rotated")],
    );
    expect(secrets.map(({ name, outcome }) => [name, outcome])).toEqual([
      ["a", "notDue"],
      ["b", "refused"],
      ["c", "rotated"],
      ["d", "refused"],
    ]);
    expect(secrets[0]).toEqual({ name: "a", outcome: "notDue" });
    expect(secrets[1]).toEqual({
      name: "b",
      arn: "arn:b",
      outcome: "refused",
      because: "b: first",
      errors: [
        { code: "ROTATION_OPEN", message: "b: first" },
        { code: "SERVICE_OWNED", message: "b: second" },
      ],
    });
    expect(secrets[3]).toMatchObject({ because: "", errors: [] });
  });

  test("tells of each deployment how long it took and what it replaced, and of a failed one why", () => {
    const { finishedAt: _at, deploymentId: _id, ...asked } = deployed("shop/late", { status: "requested" });
    const deployments = [
      deployed("shop/gateway", { reason: "not worth telling" }),
      deployed("shop/worker", { wave: "retire", status: "failed", reason: "tasks crash" }),
      deployed("shop/mute", { status: "failed" }),
      { ...asked, tasksReplaced: 0 },
    ];
    expect(makeReport(run({ deployments }), []).services).toEqual([
      {
        service: "shop/gateway",
        wave: "rotate",
        deploymentId: "ecs-svc/2",
        status: "succeeded",
        tasksReplaced: 2,
        seconds: 30.5,
      },
      {
        service: "shop/worker",
        wave: "retire",
        deploymentId: "ecs-svc/2",
        status: "failed",
        tasksReplaced: 2,
        seconds: 30.5,
        reason: "tasks crash",
      },
      {
        service: "shop/mute",
        wave: "rotate",
        deploymentId: "ecs-svc/2",
        status: "failed",
        tasksReplaced: 2,
        seconds: 30.5,
      },
      { service: "shop/late", wave: "rotate", status: "requested", tasksReplaced: 0 },
    ]);
  });

  test("counts outcomes, services once, deployments and tasks", () => {
    const report = makeReport(
      run({
        finishedAt: iso(90.25),
        refused: [{ secretName: "r", secretArn: "arn:r", objections: [] }],
        notDue: ["n1", "n2"],
        deployments: [
          deployed("shop/gateway"),
          deployed("shop/gateway", { wave: "retire", tasksReplaced: 3 }),
          deployed("shop/worker"),
        ],
      }),
      [
        ended("a", "rotated"),
        ended("b", "rotated"),
        ended("c", "dropped"),
        ended("d", "rolledBack"),
        ended("e", undefined),
      ],
    );
    expect(report.totals).toEqual({
      secrets: 8,
      rotated: 2,
      open: 1,
      refused: 1,
      dropped: 1,
      rolledBack: 1,
      notDue: 2,
      services: 2,
      deployments: 3,
      tasksReplaced: 7,
      seconds: 90.25,
    });
    expect(report.summary).toBe(
      "2 of 8 secrets rotated, 1 open, 1 refused, 1 dropped, 1 rolled back, 3 deployments of 2 services",
    );
  });

  test("does not say in its summary what did not happen", () => {
    expect(makeReport(run(), [ended("a", "rotated")]).summary).toBe(
      "1 of 1 secrets rotated, 0 deployments of 0 services",
    );
  });

  test("lists what is open, with what it waits for", () => {
    const { status, open } = makeReport(run({ status: "waiting" }), [
      rotation({}, { secretName: "a", because: "shop_a is logged in" }),
      rotation({}, { secretName: "b" }),
      ended("c", "rotated"),
    ]);
    expect(status).toBe("open");
    expect(open).toEqual(["a: shop_a is logged in", "b: under way"]);
  });

  test.each<[string, Run["status"], Rotation[], boolean, string]>([
    ["done", "done", [ended("a", "rotated")], false, "done"],
    ["refused", "refused", [], false, "refused"],
    ["open although the run was cut short", "rotating", [ended("a", undefined)], false, "open"],
    ["open before it is refused", "refused", [ended("a", undefined)], false, "open"],
    ["running for whoever calls a second time", "rotating", [ended("a", undefined)], true, "running"],
  ])("is %s", (_how, status, rotations, alreadyRunning, expected) => {
    expect(makeReport(run({ status }), rotations, alreadyRunning).status).toBe(expected);
  });

  test("tells a second caller that a run is under way", () => {
    expect(makeReport(run(), [], true).summary).toMatch(/already under way.*0 of 0 secrets rotated/);
    expect(makeReport(run(), []).summary).not.toContain("under way");
  });

  test("carries the caller's reason, and the end once there is one", () => {
    const request = requestSchema.parse({ reason: "a colleague left" });
    expect(makeReport(run({ request, finishedAt: iso(9) }), [])).toMatchObject({
      runId: "run",
      dryRun: false,
      reason: "a colleague left",
      startedAt: iso(0),
      finishedAt: iso(9),
      totals: { seconds: 9 },
    });
    const bare = makeReport(run(), []);
    expect(bare).not.toHaveProperty("reason");
    expect(bare).not.toHaveProperty("finishedAt");
    expect(bare.totals["seconds"]).toBe(0);
  });
});
