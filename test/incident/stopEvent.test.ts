/** Events of ECS are read as they are documented, and whatever else comes in is refused by name and never throws. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { readStopEvent } from "../../lib/incident/stopEvent.ts";
import { CLUSTER, PRIMARY, serviceEvent, taskArn, taskEvent } from "./stops.ts";

test("a stopped task keeps what tells it from others, and how it ended", () => {
  const event = taskEvent({
    containers: [{ exitCode: 1 }, { name: "log", exitCode: 143, reason: "x" }],
    version: 7,
  });
  expect(readStopEvent(event)).toEqual({
    kind: "task",
    id: taskArn(1),
    version: 7,
    cluster: CLUSTER,
    name: "shop/gateway",
    region: "us-east-1",
    service: "gateway",
    taskDefinition: "arn:aws:ecs:us-east-1:123456789012:task-definition/gateway:4",
    startedBy: PRIMARY,
    stopCode: "EssentialContainerExited",
    reason: "Essential container in task exited",
    containers: [
      { name: "app", exitCode: 1 },
      { name: "log", exitCode: 143, reason: "x" },
    ],
    startedAtMs: Date.parse("2026-11-25T02:50:10Z"),
    stoppingAtMs: Date.parse("2026-11-25T02:59:58Z"),
    atMs: Date.parse("2026-11-25T03:00:00Z"),
    zone: "us-east-1a",
  });
});

test("a deployment's event names its service by the resource alone", () => {
  expect(readStopEvent(serviceEvent("SERVICE_DEPLOYMENT_FAILED", { reason: "tasks failed" }))).toMatchObject({
    kind: "service",
    cluster: CLUSTER,
    name: "shop/gateway",
    eventName: "SERVICE_DEPLOYMENT_FAILED",
    deploymentId: PRIMARY,
    reason: "tasks failed",
  });
});

test("a secret in a stopped reason is gone before anybody judges it", () => {
  const event = taskEvent({
    reason: 'exec "serve --password=hunter2" failed',
    containers: [{ reason: "token: abcdef" }],
  });
  const read = JSON.stringify(readStopEvent(event));
  expect(read).not.toContain("hunter2");
  expect(read).not.toContain("abcdef");
});

test.each([
  [{ ...taskEvent(), source: "mine" }, { refused: "not ECS" }],
  [
    { ...taskEvent(), "detail-type": "ECS Container Instance State Change" },
    { refused: "another kind of event" },
  ],
  [taskEvent({ lastStatus: "DEPROVISIONING" }), { refused: "no stop" }],
  [taskEvent({ lastStatus: "RUNNING" }), { refused: "no stop" }],
  [
    { ...taskEvent(), detail: { ...taskEvent().detail, taskArn: "arn:aws:s3:::x" } },
    { refused: "malformed", field: "detail.taskArn" },
  ],
  [
    { ...taskEvent(), detail: { ...taskEvent().detail, version: "5" } },
    { refused: "malformed", field: "detail.version" },
  ],
  [
    { ...serviceEvent("SERVICE_STEADY_STATE"), resources: [] },
    { refused: "malformed", field: "resources" },
  ],
  [null, { refused: "not ECS" }],
])("%#: what is no stop is refused, and says why", (event, refusal) => {
  expect(readStopEvent(event)).toEqual(refusal);
});

test("nothing throws, whatever stands in whichever field", () => {
  const fields = [
    "taskArn",
    "clusterArn",
    "containers",
    "group",
    "stoppedReason",
    "version",
    "stoppedAt",
    "startedBy",
    "eventName",
    "stopCode",
  ];
  const events = fc.oneof(
    fc.anything(),
    fc
      .tuple(
        fc.constantFrom(taskEvent(), serviceEvent("SERVICE_STEADY_STATE")),
        fc.constantFrom(...fields),
        fc.jsonValue(),
      )
      .map(([event, field, value]) => ({ ...event, detail: { ...event.detail, [field]: value } })),
    fc
      .tuple(fc.constantFrom("detail", "resources", "time", "id"), fc.jsonValue())
      .map(([field, value]) => ({ ...serviceEvent("TASKS_STOPPED"), [field]: value })),
  );
  fc.assert(
    fc.property(events, (event) => {
      const read = readStopEvent(event);
      expect("refused" in read || read.name.includes("/")).toBe(true);
      expect(JSON.stringify(read).length).toBeLessThan(200_000);
    }),
    { numRuns: 1_000 },
  );
});
