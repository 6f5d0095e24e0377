import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DeploymentFacts, ServiceFacts, TaskFacts } from "../../lib/rotation/fleet.ts";
import type { DeploymentRecord } from "../../lib/rotation/intent.ts";
import {
  findOurs,
  judgeRollout,
  judgeService,
  planDeployments,
  type ServiceVerdict,
} from "../../lib/rotation/rollout.ts";
import { at, deployment, iso, ours, service, task } from "./facts.ts";

const PROMOTED = at(0);
const QUESTION = {
  back: false,
  forwardOnly: false,
  holding: { before: PROMOTED },
  rolloutSeconds: 300,
  settleSeconds: 2,
} as const;
const newer = (changes: Partial<DeploymentFacts> = {}) =>
  deployment({ deploymentId: "ecs-svc/2", createdAt: at(1), status: "running", ...changes });
const old = task();
/** From a platform that does not say which deployment started it. */
const unnamed = (changes: Partial<TaskFacts> = {}): TaskFacts => {
  const { startedBy: _, ...rest } = task(changes);
  return rest;
};
const namesNoService = (changes: Partial<TaskFacts>): TaskFacts => {
  const { service: _, ...rest } = unnamed(changes);
  return rest;
};
const fresh = task({ createdAt: at(2), startedBy: "ecs-svc/2" });

interface Row {
  readonly tasks: readonly TaskFacts[];
  /** As the service counts them. */
  readonly counted?: number;
  readonly deployments?: readonly DeploymentFacts[];
  readonly records?: readonly DeploymentRecord[];
  readonly settleSeconds?: number;
  readonly now?: Date;
  readonly state: ServiceVerdict["state"];
}

const rows: Record<string, Row> = {
  "a task started before the promotion is redeployed": { tasks: [old], state: "missing" },
  "a service without tasks has nothing to replace": { tasks: [], counted: 0, state: "through" },
  "a service that counts more tasks than are listed is not through": {
    tasks: [task({ createdAt: at(5) })],
    counted: 2,
    state: "running",
  },
  "a listed task that names no service may be one of those counted": {
    tasks: [namesNoService({ createdAt: at(5) })],
    state: "through",
  },
  "a task created after the promotion is fresh": { tasks: [task({ createdAt: at(4) })], state: "through" },
  "a task that a clock ahead of ours dates just after the promotion is not trusted": {
    tasks: [task({ createdAt: at(2) })],
    state: "missing",
  },
  "a task is fresh if ECS itself made it after our deployment, however late its clock is": {
    tasks: [unnamed({ createdAt: at(-1.5) })],
    deployments: [newer({ createdAt: at(-2), status: "succeeded" })],
    records: [ours()],
    state: "through",
  },
  "in whole seconds a task of our deployment's second is fresh, because the label had moved a second before":
    {
      tasks: [unnamed({ createdAt: at(0) })],
      deployments: [newer({ createdAt: at(0), status: "succeeded" })],
      records: [ours({ requestedAt: iso(1) })],
      state: "through",
    },
  "a task of our deployment's second is not trusted if the label had only just moved": {
    tasks: [unnamed({ createdAt: at(0) })],
    deployments: [newer({ createdAt: at(0), status: "succeeded" })],
    records: [ours({ requestedAt: iso(0.9) })],
    settleSeconds: 0,
    state: "running",
  },
  "a deployment that says nothing of its age makes no task fresh": {
    tasks: [unnamed()],
    deployments: [newer({ createdAt: new Date(0), status: "succeeded" })],
    records: [ours()],
    state: "running",
  },
  "ECS's own way back is not taken for our deployment that it has forgotten": {
    tasks: [old],
    deployments: [deployment({ deploymentId: "ecs-svc/3", createdAt: at(2), status: "succeeded" })],
    records: [ours()],
    now: at(20),
    state: "missing",
  },
  "a deployment that we asked for is waited for": {
    tasks: [old, fresh],
    deployments: [newer(), deployment()],
    records: [ours()],
    state: "running",
  },
  "our deployment succeeded and the old tasks are gone": {
    tasks: [fresh],
    deployments: [newer({ status: "succeeded" }), deployment()],
    records: [ours()],
    state: "through",
  },
  "an old task that still drains is waited for": {
    tasks: [old, fresh],
    deployments: [newer({ status: "succeeded" }), deployment()],
    records: [ours()],
    state: "running",
  },
  "a task of our deployment is fresh even if the platform rounds its time down": {
    tasks: [task({ createdAt: at(-1), startedBy: "ecs-svc/2" })],
    deployments: [newer({ status: "succeeded" })],
    records: [ours()],
    state: "through",
  },
  "a failed deployment is a failure although the service is stable again": {
    tasks: [task({ createdAt: at(20), startedBy: "ecs-svc/3" })],
    deployments: [deployment({ deploymentId: "ecs-svc/3", createdAt: at(15) }), newer({ status: "failed" })],
    records: [ours()],
    state: "failed",
  },
  "a deployment that ECS forgot counts by our own note of its failure": {
    tasks: [],
    counted: 0,
    deployments: [deployment()],
    records: [ours({ status: "failed" })],
    state: "failed",
  },
  "a deployment that does not end is stopped by our own timeout": {
    tasks: [old],
    deployments: [newer(), deployment()],
    records: [ours()],
    now: at(400),
    state: "failed",
  },
  "a deployment asked for just before a crash is found by its time": {
    tasks: [old],
    deployments: [newer(), deployment()],
    records: [{ ...ours({ status: "requested" }), deploymentId: undefined } as unknown as DeploymentRecord],
    state: "running",
  },
  "a request whose deployment does not show yet is not repeated at once": {
    tasks: [old],
    records: [ours({ requestedAt: iso(9) })],
    now: at(10),
    state: "running",
  },
  "a request that never reached ECS is repeated": {
    tasks: [old],
    records: [ours()],
    now: at(20),
    state: "missing",
  },
  "the deployment for a secret that was promoted earlier is not this one's": {
    tasks: [task({ createdAt: at(-8), startedBy: "ecs-svc/2" })],
    deployments: [newer({ createdAt: at(-10), status: "succeeded" })],
    records: [ours({ requestedAt: iso(-10), status: "succeeded" })],
    state: "missing",
  },
  "another pipeline's deployment after the promotion counts": {
    tasks: [task({ createdAt: at(31), startedBy: "ecs-svc/9" })],
    deployments: [deployment({ deploymentId: "ecs-svc/9", createdAt: at(30) })],
    state: "through",
  },
  "another pipeline's deployment in progress is waited for": {
    tasks: [old],
    deployments: [deployment({ deploymentId: "ecs-svc/9", createdAt: at(30), status: "running" })],
    now: at(40),
    state: "running",
  },
  "another pipeline's deployment from about the promotion is not trusted": {
    tasks: [old],
    deployments: [deployment({ deploymentId: "ecs-svc/9", createdAt: at(3), status: "running" })],
    state: "missing",
  },
};

describe("a service's part in a rollout", () => {
  test.each(Object.entries(rows))("%s", (_promise, row) => {
    const counts = { runningCount: row.counted ?? row.tasks.length };
    const verdict = judgeService(
      service("gateway", { deployments: row.deployments ?? [deployment()], ...counts }),
      {
        tasks: row.tasks,
        records: row.records ?? [],
        back: false,
        forwardOnly: false,
        holding: { before: PROMOTED },
        rolloutSeconds: 300,
        settleSeconds: row.settleSeconds ?? 2,
        now: row.now ?? at(10),
      },
    );
    expect(verdict.state).toBe(row.state);
  });

  test.each([
    ["with no way back", { back: false, forwardOnly: true }],
    ["on the way back", { back: true, forwardOnly: false }],
  ])(
    "%s a deployment that failed is mended by a later one of somebody else, and by nothing else",
    (_when, way) => {
      const failed = newer({ status: "failed" });
      const later = deployment({ deploymentId: "ecs-svc/9", createdAt: at(40) });
      const mended = task({ createdAt: at(41), startedBy: "ecs-svc/9" });
      const judge = (deployments: readonly DeploymentFacts[], changes: Partial<DeploymentRecord> = {}) =>
        judgeService(service("gateway", { deployments }), {
          tasks: deployments.includes(later) ? [mended, mended] : [old, old],
          records: [{ ...ours({ status: "failed", ...changes }), back: way.back }],
          ...way,
          holding: { before: PROMOTED },
          rolloutSeconds: 300,
          settleSeconds: 2,
          now: at(60),
        }).state;
      expect(judge([failed, deployment()])).toBe("failed");
      expect(judge([later, failed, deployment()])).toBe("through");
      // Refused by ECS: what stood there before mends nothing, or it would be asked for in every round.
      const { deploymentId: _, ...denied } = ours({ status: "failed" });
      const refused = { ...denied, deploymentId: undefined } as unknown as DeploymentRecord;
      expect(judge([deployment()], refused)).toBe("failed");
      expect(judge([later, deployment()], refused)).toBe("through");
    },
  );

  test("on the way back only tasks from between promotion and demotion are redeployed", () => {
    const judge = (tasks: readonly TaskFacts[]) =>
      judgeService(service("gateway", { runningCount: tasks.length }), {
        tasks,
        records: [],
        back: true,
        forwardOnly: false,
        holding: { from: at(0), before: at(30) },
        rolloutSeconds: 300,
        settleSeconds: 2,
        now: at(40),
      }).state;
    expect(judge([old])).toBe("through");
    expect(judge([task({ createdAt: at(10), startedAt: at(15) })])).toBe("missing");
    // Created before the promotion, but its secrets were read after it.
    expect(judge([task({ createdAt: at(-20), startedAt: at(10) })])).toBe("missing");
    expect(judge([task({ createdAt: at(35) })])).toBe("through");
  });
});

describe("the rollout plan", () => {
  test("a service that consumes five rotating secrets is deployed once", () => {
    expect(
      planDeployments([["shop/a"], ["shop/a"], ["shop/a", "shop/b"], ["shop/a"], ["shop/a"]], []),
    ).toEqual(["shop/a", "shop/b"]);
  });

  test("a service waits for every secret that it consumes to be promoted", () => {
    expect(planDeployments([["shop/a", "shop/b"]], [["shop/b"]])).toEqual(["shop/a"]);
  });

  test("every service that is wanted and held back by nobody is in it once, in the order of their names", () => {
    expect(planDeployments([["d", "b"], ["a"], ["c", "b"]], [])).toEqual(["a", "b", "c", "d"]);
    const names: readonly string[] = ["a", "b", "c", "d"];
    const lists = fc.array(fc.array(fc.constantFrom(...names)));
    fc.assert(
      fc.property(lists, lists, (wanted, heldBack) => {
        const expected = names.filter(
          (one) => wanted.some((list) => list.includes(one)) && !heldBack.some((list) => list.includes(one)),
        );
        expect(planDeployments(wanted, heldBack)).toEqual(expected);
      }),
    );
  });
});

interface Told {
  readonly deployments: readonly DeploymentFacts[];
  readonly records?: readonly DeploymentRecord[];
  readonly tasks?: readonly TaskFacts[];
  readonly now?: Date;
  readonly verdict: ServiceVerdict;
}
const foreign = (changes: Partial<DeploymentFacts> = {}) =>
  deployment({ deploymentId: "ecs-svc/9", createdAt: at(30), ...changes });
const { deploymentId: _unnoted, ...requested } = ours({ status: "requested" });
const judge = (row: Omit<Told, "verdict">, changes: Partial<ServiceFacts> = {}) => {
  const tasks = row.tasks ?? [old, task({ taskArn: "t2" })];
  return judgeService(
    service("gateway", { deployments: row.deployments, runningCount: tasks.length, ...changes }),
    { ...QUESTION, tasks, records: row.records ?? [], now: row.now ?? at(10) },
  );
};

const told: Record<string, Told> = {
  "the reason that ECS gives, before our own note": {
    deployments: [newer({ status: "failed", reason: "tasks crash" })],
    records: [ours({ reason: "noted" })],
    verdict: { state: "failed", because: "tasks crash" },
  },
  "our own note when ECS forgot": {
    deployments: [deployment()],
    records: [ours({ status: "failed", reason: "noted" })],
    verdict: { state: "failed", because: "noted" },
  },
  "that our deployment failed, when nobody knows why": {
    deployments: [newer({ status: "failed" })],
    records: [ours()],
    verdict: { state: "failed", because: "its deployment failed" },
  },
  "the limit that a deployment exceeded": {
    deployments: [newer()],
    records: [ours()],
    now: at(301.001),
    verdict: { state: "failed", because: "its deployment did not end within 300 s" },
  },
  "how far a deployment is, if ECS says so": {
    deployments: [newer({ reason: "1 of 2 tasks" })],
    records: [ours()],
    now: at(301),
    verdict: { state: "running", because: "1 of 2 tasks" },
  },
  "that a deployment runs, if ECS does not say how far it is": {
    deployments: [newer()],
    records: [ours()],
    verdict: { state: "running", because: "deployment in progress" },
  },
  "that another pipeline's deployment takes too long, from its own beginning": {
    deployments: [foreign({ status: "running" })],
    now: at(331),
    verdict: { state: "failed", because: "its deployment did not end within 300 s" },
  },
  "why another pipeline's deployment failed": {
    deployments: [foreign({ status: "failed", reason: "no image" })],
    now: at(40),
    verdict: { state: "failed", because: "no image" },
  },
  "that it was another pipeline's deployment that failed": {
    deployments: [foreign({ status: "failed" })],
    now: at(40),
    verdict: { state: "failed", because: "the deployment that another pipeline started failed" },
  },
  "how many old tasks are still stopping": {
    deployments: [newer({ status: "succeeded" })],
    records: [ours()],
    verdict: { state: "running", because: "2 old task(s) still stopping" },
  },
  "that a deployment was asked for and does not show yet": {
    deployments: [deployment()],
    records: [{ ...requested, requestedAt: iso(5.001) }],
    verdict: { state: "running", because: "deployment requested" },
  },
};

describe("people are told", () => {
  test.each(Object.entries(told))("%s", (_what, row) => {
    expect(judge(row)).toEqual(row.verdict);
  });
});

describe("a service is to be redeployed", () => {
  test.each<[string, Omit<Told, "verdict">]>([
    [
      "when a request has shown no deployment for five seconds",
      { deployments: [deployment()], records: [{ ...requested, requestedAt: iso(5) }] },
    ],
    [
      "when ours was superseded, although it was asked for just now",
      { deployments: [newer({ status: "superseded" })], records: [ours({ requestedAt: iso(9) })] },
    ],
    [
      "when the deployment that failed was another pipeline's, before the promotion",
      { deployments: [deployment({ status: "failed" })] },
    ],
    ["when ECS tells no deployments at all", { deployments: [] }],
    [
      "when what was deployed was another service, or this one before the label moved",
      {
        deployments: [deployment()],
        records: [
          ours({ service: "shop/worker", status: "failed" }),
          ours({ wave: "publish", requestedAt: iso(-60), status: "failed" }),
          ours({ back: true, requestedAt: iso(-60), status: "failed" }),
        ],
      },
    ],
  ])("%s", (_when, row) => {
    expect(judge(row)).toEqual({ state: "missing" });
  });

  test("and another service's old tasks are not its own", () => {
    const others = [task({ service: "shop/worker" })];
    expect(judge({ deployments: [deployment()], tasks: others }, { runningCount: 0 }).state).toBe("through");
  });

  test("a task that nobody's deployment started is judged by its age alone", () => {
    const { startedBy: _, ...young } = task({ createdAt: at(20) });
    const { startedBy: __, ...aged } = task();
    const deployments = [newer({ status: "succeeded" })];
    expect(judge({ deployments, records: [ours()], tasks: [young] }).state).toBe("through");
    expect(judge({ deployments, records: [ours()], tasks: [aged] }).state).toBe("running");
  });

  test("the last of our requests counts", () => {
    const records = [ours({ status: "failed" }), ours({ deploymentId: "ecs-svc/3", requestedAt: iso(8) })];
    const deployments = [newer({ deploymentId: "ecs-svc/3", createdAt: at(8) }), newer({ status: "failed" })];
    expect(judge({ deployments, records }).state).toBe("running");
  });
});

describe("our deployment is found", () => {
  const found = (
    deployments: readonly DeploymentFacts[],
    record: DeploymentRecord,
    others: readonly DeploymentRecord[] = [],
    settleSeconds = 2,
  ) =>
    findOurs(service("gateway", { deployments }), record, [record, ...others], settleSeconds)?.deploymentId;
  const later = newer({ deploymentId: "ecs-svc/3", createdAt: at(5) });

  test("by its id, whatever came after it", () => {
    expect(found([later, newer(), deployment()], ours({ requestedAt: iso(4) }))).toBe("ecs-svc/2");
  });

  test("by its time when the id was not noted: the first one since we asked", () => {
    expect(found([later, newer(), deployment()], requested)).toBe("ecs-svc/2");
  });

  test("also when ECS dates it up to two seconds before we asked", () => {
    expect(found([newer({ createdAt: at(-1) })], requested)).toBe("ecs-svc/2");
    expect(found([newer({ createdAt: at(-1.001) })], requested)).toBeUndefined();
  });

  test("but not from before the label moved", () => {
    expect(found([newer({ createdAt: at(0.5) })], requested, [], 0.5)).toBe("ecs-svc/2");
    expect(found([newer({ createdAt: at(0.4) })], requested, [], 0.5)).toBeUndefined();
  });

  test("and never one that another of our records names", () => {
    expect(found([newer({ createdAt: at(2) })], requested, [ours({ wave: "publish" })])).toBeUndefined();
  });
});

describe("a rollout is what the worst of its services is", () => {
  const fit = (name: string) =>
    service(name, { deployments: [newer({ status: "succeeded" })], runningCount: 1 });
  const states = {
    failed: (name: string) => service(name, { deployments: [newer({ status: "failed", reason: "crash" })] }),
    missing: (name: string) => service(name, { deployments: [deployment()] }),
    running: (name: string) => service(name, { deployments: [newer({ reason: "1 of 2" })] }),
    through: fit,
  };
  const rollout = (services: readonly ServiceFacts[], lone: readonly TaskFacts[] = []) =>
    judgeRollout({
      ...QUESTION,
      consumers: {
        services: services.map((one) => ({ service: one, references: [] })),
        tasks: lone.map((one) => ({ task: one, references: [] })),
        missing: [],
      },
      tasks: services.map(({ name, deployments: [newest] }) =>
        newest?.status === "succeeded" && newest.deploymentId === "ecs-svc/2"
          ? task({ service: name, createdAt: at(20), startedBy: "ecs-svc/2" })
          : task({ service: name }),
      ),
      records: services
        .filter(({ deployments: [newest] }) => newest?.deploymentId === "ecs-svc/2")
        .map(({ name }) => ours({ service: name })),
      now: at(10),
    });

  test("one that failed is told with its reason before anything else", () => {
    expect(
      rollout([states.through("a"), states.running("b"), states.missing("c"), states.failed("d")]),
    ).toEqual({ state: "failed", because: "crash", missing: [], failed: "shop/d" });
  });

  test("those that are to be redeployed are all told, before one that is being redeployed", () => {
    expect(
      rollout([states.running("a"), states.missing("b"), states.through("c"), states.missing("d")]),
    ).toEqual({
      state: "missing",
      because: expect.stringContaining("shop/b, shop/d"),
      missing: ["shop/b", "shop/d"],
    });
  });

  test("one that is being redeployed is waited for, by name", () => {
    expect(rollout([states.through("a"), states.running("b")])).toEqual({
      state: "running",
      because: "shop/b: 1 of 2",
      missing: [],
    });
  });

  test("a task outside any service that holds the old value is waited for, by its id", () => {
    const { service: _, ...lone } = task({ taskArn: "arn:aws:ecs:us-east-1:1:task/shop/lone7" });
    expect(rollout([states.through("a")], [lone])).toEqual({
      state: "running",
      because: expect.stringMatching(/^task lone7 .*must end or be stopped/),
      missing: [],
    });
    expect(rollout([states.running("a")], [lone]).because).toBe("shop/a: 1 of 2");
  });

  test("one that is started since holds the new value", () => {
    const { service: _, ...lone } = task({ createdAt: at(20) });
    expect(rollout([states.through("a")], [lone]).state).toBe("through");
  });

  test("when all are through, nothing can hold the old value", () => {
    const through = {
      state: "through",
      because: expect.stringContaining("no running task can hold the old value"),
      missing: [],
    };
    expect(rollout([states.through("a"), states.through("b")])).toEqual(through);
    expect(rollout([])).toEqual(through);
  });
});
