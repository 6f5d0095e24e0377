import { describe, expect, test } from "vitest";
import { RekeyError } from "../../lib/errors.ts";
import { isOver, OUTCOMES, type Run, readRecord, requestSchema } from "../../lib/rotation/intent.ts";
import { iso, rotation } from "./facts.ts";

const whole = rotation(
  {
    stagedAt: iso(1),
    setAttempts: 2,
    setAt: iso(2),
    testedAt: iso(3),
    promotedAt: iso(4),
    rolledOutAt: iso(5),
    confirmedAt: iso(6),
    cut: { "shop/database": [{ login: "shop_a", from: "10.0.0.9", program: "psql" }] },
    switchedOff: ["shop/database"],
    revoked: { "shop/database": iso(7) },
    revokedAt: iso(7),
    finishedAt: iso(8),
    retreat: {
      code: "DEPLOYMENT_FAILED",
      because: "tasks crash",
      at: iso(9),
      service: "shop/gateway",
      demotedAt: iso(10),
      withdrawnAt: iso(11),
    },
  },
  {
    native: { askedAt: iso(1), until: iso(900) },
    because: "somebody is logged in",
    parkedSince: iso(12),
    emergency: true,
    failures: 3,
    outcome: "rolledBack",
    error: { code: "DEPLOYMENT_FAILED", message: "tasks crash" },
    notes: ["shop/database is its own admin"],
  },
);
const run: Run = {
  runId: "run",
  createdAt: iso(0),
  request: {
    only: ["shop/*"],
    except: ["shop/x"],
    dryRun: false,
    force: true,
    emergency: true,
    reason: "a colleague left",
    scheduled: true,
  },
  status: "rotating",
  refused: [
    { secretName: "a", secretArn: "arn:a", objections: [{ code: "ROTATION_OPEN", message: "a: run 7" }] },
  ],
  notDue: ["b"],
  deployments: [
    {
      service: "shop/gateway",
      wave: "rotate",
      back: true,
      requestedAt: iso(1),
      deploymentId: "ecs-svc/2",
      status: "failed",
      reason: "tasks crash",
      finishedAt: iso(2),
      tasksReplaced: 2,
    },
  ],
  finishedAt: iso(3),
  board: { messageId: "m", shown: "digest", told: ["a"], notBefore: iso(4) },
  rev: 2,
};
const history = {
  current: { versionId: "new", since: iso(4) },
  credentials: {
    a: {
      rotatedAt: iso(0),
      nextKid: "k",
      nextPublishedAt: iso(1),
      revoked: { versionId: "old", at: iso(7) },
    },
    b: {},
  },
};

const complaint = (kind: "run" | "rotation" | "history", value: unknown) => {
  try {
    readRecord(kind, value);
  } catch (error) {
    return error instanceof RekeyError ? `${error.code} ${error.message}` : String(error);
  }
  return "read";
};

describe("a record reads back as it was written", () => {
  test.each([
    ["rotation", whole],
    ["run", run],
    ["history", history],
  ] as const)("a whole %s, every field of it", (kind, value) => {
    expect(readRecord(kind, JSON.parse(JSON.stringify(value)))).toEqual(value);
  });

  test.each(OUTCOMES)("a rotation that ended as %s", (outcome) => {
    expect(readRecord("rotation", { ...whole, outcome }).outcome).toBe(outcome);
  });

  test.each(["preflight", "rotating", "waiting", "done", "refused"] as const)(
    "a run that is %s",
    (status) => {
      expect(readRecord("run", { ...run, status }).status).toBe(status);
    },
  );

  test.each(["requested", "running", "succeeded", "failed", "superseded"] as const)(
    "a deployment that is %s",
    (status) => {
      const deployments = [{ ...run.deployments[0], status }];
      expect(readRecord("run", { ...run, deployments }).deployments[0]?.status).toBe(status);
    },
  );

  test("a rotation from before a field existed gets that field's beginning", () => {
    const {
      setAttempts: _attempts,
      revoked: _revoked,
      cut: _cut,
      switchedOff: _off,
      ...wave
    } = whole.history[0] ?? {};
    const { failures: _failures, emergency: _emergency, ...older } = whole;
    expect(readRecord("rotation", { ...older, history: [wave] })).toMatchObject({
      failures: 0,
      emergency: false,
      history: [{ setAttempts: 0, cut: {}, switchedOff: [], revoked: {} }],
    });
  });

  test("a deployment from before a field existed went forward and replaced nothing", () => {
    const { back: _back, tasksReplaced: _tasks, ...older } = run.deployments[0] ?? {};
    expect(readRecord("run", { ...run, deployments: [older], board: {} })).toMatchObject({
      deployments: [{ back: false, tasksReplaced: 0 }],
      board: { told: [] },
    });
  });
});

describe("a record that is not whole is never acted upon", () => {
  test("and the places are named", () => {
    const { secretArn: _, ...torn } = whole;
    expect(complaint("rotation", { ...torn, rev: "one" })).toBe(
      "RECORD_INVALID stored rotation record is not readable at: secretArn, rev",
    );
    expect(
      complaint("run", { ...run, refused: [{ secretName: "a", secretArn: "b", objections: [{}] }] }),
    ).toMatch(/^RECORD_INVALID stored run record is not readable at: refused\.0\.objections\.0\.code, /);
    expect(complaint("history", { credentials: { a: { rotatedAt: "yesterday" } } })).toBe(
      "RECORD_INVALID stored history record is not readable at: credentials.a.rotatedAt",
    );
  });

  test.each<[string, Partial<Record<keyof typeof whole, unknown>>]>([
    ["a wave that does not exist", { waves: ["forget"] }],
    ["an outcome that does not exist", { outcome: "fine" }],
    ["a retreat without its reason", { history: [{ ...whole.history[0], retreat: {} }] }],
    ["a credential without a label", { credentials: [{ waves: [] }] }],
    ["an error without a code", { error: {} }],
    ["a begin by Secrets Manager without its end", { native: { askedAt: iso(1) } }],
  ])("%s", (_what, changes) => {
    expect(complaint("rotation", { ...whole, ...changes })).toMatch(/^RECORD_INVALID stored rotation/);
  });

  test.each<[string, Partial<Record<keyof Run, unknown>>]>([
    ["a state that does not exist", { status: "paused" }],
    ["a deployment in no state", { deployments: [{ ...run.deployments[0], status: "lost" }] }],
    ["a deployment of no service", { deployments: [{}] }],
    ["a refusal of no secret", { refused: [{}] }],
  ])("%s", (_what, changes) => {
    expect(complaint("run", { ...run, ...changes })).toMatch(/^RECORD_INVALID stored run/);
  });
});

test("a request that asks for nothing special rotates everything, for real, by hand", () => {
  expect(requestSchema.parse({})).toEqual({
    dryRun: false,
    force: false,
    emergency: false,
    scheduled: false,
  });
});

test.each<[Run["status"], boolean]>([
  ["preflight", false],
  ["rotating", false],
  ["waiting", false],
  ["done", true],
  ["refused", true],
])("whether a run that is %s is over: %s", (status, over) => {
  expect(isOver({ status })).toBe(over);
});
