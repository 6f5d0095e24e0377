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
    expect(
      back({
        code: "DEPLOYMENT_FAILED",
        because: "app:1.2 exits with 1.",
        at,
        service: "production/gateway",
      }),
    ).toMatch(/ failed \(app:1\.2 exits with 1\), so AWSCURRENT /);
    expect(back({ code: "LABEL_MOVED", because: "somebody moved it", at })).toBe("somebody moved it");
  });

  test("repeats what is known of a secret that went back before a wave of it was recorded", () => {
    const back = rotation({}, { outcome: "rolledBack", because: "it was called off", history: [] });
    expect(makeReport(run(), [back]).secrets[0]?.because).toBe("it was called off");
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

describe("the report of an emergency", () => {
  type Session = WaveRecord["cut"][string][number];
  const killed = (changes: Partial<WaveRecord>, more: Partial<Rotation> = {}) =>
    makeReport(run(), [rotation(changes, { emergency: true, outcome: "rotated", ...more })]).secrets[0];

  test("says so before anything else in its summary", () => {
    const request = requestSchema.parse({ emergency: true });
    expect(makeReport(run({ request }), [ended("a", "rotated")]).summary).toBe(
      "emergency: 1 of 1 secrets rotated, 0 deployments of 0 services",
    );
  });

  test("tells when each leaked value died, and which session of which program that cut off", () => {
    const psql = { login: "shop_a", from: "10.0.0.7:41112", program: "psql" };
    const unnamed = { login: "shop_a", from: "10.0.0.8:41113" };
    const cli = { login: "default", from: "10.0.0.9:6001", program: "redis-cli" };
    const history = [
      wave({
        wave: "publish",
        revoked: { "shop/database#A": iso(4.25) },
        cut: { "shop/database#A": [psql, unnamed] },
      }),
      wave({ revoked: { "shop/database#B": iso(2.5) }, cut: { "shop/database#B": [cli] } }),
    ];
    const report = killed({}, { history });
    // Strictly: a program that is not known is left out, not told as nothing.
    expect(report?.emergency).toStrictEqual({
      diedAfterSeconds: { "shop/database#A": 4.25, "shop/database#B": 2.5 },
      cut: [
        { credential: "shop/database#A", login: "shop_a", from: "10.0.0.7:41112", program: "psql" },
        { credential: "shop/database#A", login: "shop_a", from: "10.0.0.8:41113" },
        { credential: "shop/database#B", login: "default", from: "10.0.0.9:6001", program: "redis-cli" },
      ],
    });
    expect(report?.because).toBe(
      "the leaked value was dead 4.25 s after the call; 3 sessions on it were ended: shop_a from 10.0.0.7, shop_a from 10.0.0.8, default from 10.0.0.9",
    );
  });

  test.each<[string, Session[], string]>([
    ["that nobody was cut off", [], "no session was on it"],
    [
      "a user once, however many sessions it had",
      [
        { login: "shop_a", from: "10.0.0.7:41112" },
        { login: "shop_a", from: "10.0.0.7:5" },
      ],
      "2 sessions on it were ended: shop_a from 10.0.0.7",
    ],
    [
      "an IPv6 address whole, without its port",
      [{ login: "shop_a", from: "[2001:db8::7]:41112" }],
      "1 sessions on it were ended: shop_a from [2001:db8::7]",
    ],
    [
      "a place that has no port as it is",
      [{ login: "shop_a", from: "local socket" }],
      "1 sessions on it were ended: shop_a from local socket",
    ],
  ])("tells %s", (_what, sessions, says) => {
    const revoked = { "shop/database": iso(3) };
    expect(killed({ revoked, cut: { "shop/database": sessions } })?.because).toBe(
      `the leaked value was dead 3 s after the call; ${says}`,
    );
  });

  test("claims no dead value of a rotation that is not through, but tells what died so far", () => {
    const revoked = { "shop/database": iso(3) };
    const { outcome: _none, ...open } = rotation(
      { revoked },
      { emergency: true, because: "shop_a is logged in" },
    );
    expect(makeReport(run(), [open]).secrets[0]).toMatchObject({
      outcome: "open",
      because: "shop_a is logged in",
      emergency: { diedAfterSeconds: { "shop/database": 3 }, cut: [] },
    });
  });

  test("says of a secret that was given up or went back why, and not that anything died", () => {
    const revoked = { "shop/database": iso(3) };
    expect(killed({ revoked }, { outcome: "dropped", because: "the target is down" })?.because).toBe(
      "the target is down",
    );
    expect(killed({ revoked }, { outcome: "rolledBack", because: "tasks crash" })?.because).toBe(
      "tasks crash",
    );
  });
});

test("a routine rotation that is open repeats its own reason, even where a deployment failed", () => {
  const retreat = { code: "DEPLOYMENT_FAILED", because: "tasks crash", at: iso(5), service: "shop/gateway" };
  const open = rotation({ retreat }, { because: "shop/gateway is going back" });
  expect(makeReport(run(), [open]).secrets[0]?.because).toBe("shop/gateway is going back");
});
