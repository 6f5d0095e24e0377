/** The limits of a rollout's verdict: at exactly that second, of exactly that service, by exactly that deployment. */
import { describe, expect, test } from "vitest";
import type { DeploymentFacts } from "../../lib/rotation/fleet.ts";
import { findOurs, judgeService } from "../../lib/rotation/rollout.ts";
import { at, deployment, iso, ours, service, task } from "./facts.ts";

type Question = Parameters<typeof judgeService>[1];

const { deploymentId: _, ...unnamedRecord } = ours();
const { startedBy: __, ...unnamed } = task();
const { service: ___, ...ofNobody } = unnamed;
const { startedAt: ____, ...unstarted } = task();
const made = (seconds: number, changes = {}) =>
  deployment({ deploymentId: "ecs-svc/2", createdAt: at(seconds), status: "succeeded", ...changes });
const later = (changes = {}) =>
  deployment({ deploymentId: "ecs-svc/3", createdAt: at(10), status: "succeeded", ...changes });

interface Row extends Partial<Question> {
  readonly counted?: number;
  readonly deployments?: readonly DeploymentFacts[];
  readonly verdict: ReturnType<typeof judgeService>;
}

const rows: Record<string, Row> = {
  "a deployment that we asked for in the very moment from which nobody is given the old value is ours": {
    records: [ours({ requestedAt: iso(0) })],
    deployments: [made(1, { status: "running" })],
    verdict: { state: "running", because: "deployment in progress" },
  },
  "where there is no way back and no deployment is left, ours has failed": {
    forwardOnly: true,
    records: [ours({ status: "failed" })],
    deployments: [],
    verdict: { state: "failed", because: "its deployment failed" },
  },
  "our own deployment does not mend itself": {
    forwardOnly: true,
    records: [ours({ status: "failed", reason: "took too long" })],
    deployments: [made(1)],
    verdict: { state: "failed", because: "took too long" },
  },
  "a deployment of the very moment in which we asked mends ours": {
    forwardOnly: true,
    tasks: [task({ createdAt: at(12), startedBy: "ecs-svc/3" })],
    records: [ours({ status: "failed", requestedAt: iso(10) })],
    deployments: [later(), made(10, { status: "failed" })],
    verdict: { state: "through" },
  },
  "a later deployment that failed as well mends nothing, and ours is what is told": {
    forwardOnly: true,
    records: [ours({ status: "failed", reason: "ours crashed" })],
    deployments: [later({ status: "failed", reason: "theirs crashed" }), made(1, { status: "failed" })],
    verdict: { state: "failed", because: "ours crashed" },
  },
  "another pipeline's deployment counts from exactly five seconds on": {
    deployments: [later({ createdAt: at(5), status: "running" })],
    verdict: { state: "running", because: "deployment in progress" },
  },
  "another service's tasks are not counted as its own": {
    counted: 2,
    tasks: [task({ createdAt: at(5) }), task({ createdAt: at(5), service: "shop/guard" })],
    verdict: { state: "running", because: "ECS counts 2 tasks and lists 1" },
  },
  "a task of no service is its own only by its task definition": {
    counted: 1,
    tasks: [{ ...ofNobody, createdAt: at(5), taskDefinition: "another:1" }],
    verdict: { state: "running", because: "ECS counts 1 tasks and lists 0" },
  },
  "a deployment told by its time alone makes no task fresh": {
    tasks: [{ ...unnamed, createdAt: at(2) }],
    records: [unnamedRecord],
    deployments: [made(1)],
    verdict: { state: "running", because: "1 old task(s) still stopping" },
  },
  "a task of our deployment's moment is fresh when the label moved long enough before": {
    tasks: [{ ...unnamed, createdAt: at(1) }],
    records: [ours({ requestedAt: iso(0) })],
    deployments: [made(1)],
    verdict: { state: "through" },
  },
  "long enough is exactly one second": {
    tasks: [{ ...unnamed, createdAt: at(1) }],
    records: [ours({ requestedAt: iso(1) })],
    deployments: [made(1)],
    settleSeconds: 0,
    verdict: { state: "through" },
  },
  "on the way back a task that has not started yet may hold the new value": {
    back: true,
    holding: { from: at(-60), before: at(0) },
    tasks: [unstarted],
    verdict: { state: "missing" },
  },
  "on the way back a task that started five seconds before the promotion may hold the new value": {
    back: true,
    holding: { from: at(-60), before: at(0) },
    tasks: [task({ startedAt: at(-65) })],
    verdict: { state: "missing" },
  },
  "on the way back a task that started with the promotion may hold the new value": {
    back: true,
    holding: { from: at(-60), before: at(0) },
    tasks: [task({ startedAt: at(-60) })],
    verdict: { state: "missing" },
  },
  "on the way back a task that started earlier than that holds the old value": {
    back: true,
    holding: { from: at(-60), before: at(0) },
    tasks: [task({ startedAt: at(-65.001) })],
    verdict: { state: "through" },
  },
  "a task created three seconds after the move is fresh": {
    tasks: [task({ createdAt: at(3) })],
    verdict: { state: "through" },
  },
  "a task created a moment earlier is not": {
    tasks: [task({ createdAt: at(2.999) })],
    verdict: { state: "missing" },
  },
};

describe("a service's verdict", () => {
  test.each(Object.entries(rows))("%s", (_promise, { verdict, deployments, counted, ...row }) => {
    const tasks = row.tasks ?? [task()];
    const facts = service("gateway", {
      deployments: deployments ?? [deployment()],
      runningCount: counted ?? tasks.length,
    });
    const question = {
      wave: "rotate",
      back: false,
      forwardOnly: false,
      holding: { before: at(0) },
      rolloutSeconds: 300,
      settleSeconds: 2,
      records: [],
      now: at(20),
      ...row,
      tasks,
    } as const;
    expect(judgeService(facts, question)).toEqual(verdict);
  });
});

test("a deployment that ECS can vouch for is ours by its time, whatever id was noted", () => {
  const vouched = later({ serviceDeploymentArn: "arn:aws:ecs:us-east-1:123456789012:service-deployment/3" });
  expect(findOurs(service("gateway", { deployments: [vouched] }), ours(), [ours()], 2)).toBe(vouched);
});
