import { describe, expect, test } from "vitest";
import type { DeploymentFacts, TaskFacts } from "../../lib/rotation/fleet.ts";
import type { DeploymentRecord } from "../../lib/rotation/intent.ts";
import { judgeService, planDeployments, type ServiceVerdict } from "../../lib/rotation/rollout.ts";
import { at, deployment, iso, service, task } from "./facts.ts";

const PROMOTED = at(0);
const ours = (changes: Partial<DeploymentRecord> = {}): DeploymentRecord => ({
  service: "shop/gateway",
  wave: "rotate",
  back: false,
  requestedAt: iso(1),
  deploymentId: "ecs-svc/2",
  status: "running",
  tasksReplaced: 2,
  ...changes,
});
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
        wave: "rotate",
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

  test("on the way back only tasks from between promotion and demotion are redeployed", () => {
    const judge = (tasks: readonly TaskFacts[]) =>
      judgeService(service("gateway", { runningCount: tasks.length }), {
        tasks,
        records: [],
        wave: "rotate",
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
});
