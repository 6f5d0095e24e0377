/** What the channel hears of real tasks that stop: of planned stops nothing, of the others once, with evidence. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteServiceCommand, StopTaskCommand, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { at, QUIET, serviceEvent, taskEvent } from "../incident/stops.ts";
import type { EcsEvent } from "../standin/ecs/ecs.ts";
import { isStop, program, STAYS, type StopWorld, stopWorld } from "./stopWorld.ts";

vi.setConfig({ testTimeout: 60_000 });

let world: StopWorld;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-stops-"));
  world = await stopWorld();
});
afterEach(async () => {
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Ends with this code in the first task, and stays in every later one. */
const onceWith = (code: number, afterMs = 200) =>
  `const fs = require('fs'); try { fs.writeFileSync(${JSON.stringify(join(folder, "marker"))}, '', { flag: 'wx' });
   setTimeout(() => process.exit(${code}), ${afterMs}) } catch { ${STAYS} }`;

const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

const stopsIn = (events: readonly EcsEvent[]) => events.filter(isStop);
const until = (isSo: () => boolean) => vi.waitUntil(isSo, { timeout: 20_000, interval: 20 });
const allOf = (ts: string) => world.cloud.slack.messages.filter((one) => one.ts === ts || one.thread === ts);

test("a rolling deployment, scaling in and deleting the service stop dozens of tasks, and nobody hears of it", async () => {
  const definition = await world.define("gateway", program(["up"], STAYS));
  await world.serve("gateway", definition, 6);
  await world.settle("gateway");
  const service = { cluster: "shop", service: "gateway" };
  for (let deployment = 1; deployment <= 3; deployment += 1) {
    await world.ecs.send(new UpdateServiceCommand({ ...service, forceNewDeployment: true }));
    await until(() => stopsIn(world.events).length === deployment * 6);
    const completed = () =>
      world.events.filter(({ detail }) => detail["eventName"] === "SERVICE_DEPLOYMENT_COMPLETED").length;
    await until(() => completed() === deployment + 1);
  }
  await world.ecs.send(new UpdateServiceCommand({ ...service, desiredCount: 2 }));
  await until(() => stopsIn(world.events).length === 22);
  await world.ecs.send(new DeleteServiceCommand({ ...service, force: true }));
  await until(() => stopsIn(world.events).length === 24);

  const outcomes = [];
  for (const event of shuffled([...world.events, ...world.events])) outcomes.push(await world.invoke(event));
  expect(outcomes.filter(({ came }) => came === "alert")).toEqual([]);
  expect(outcomes.filter(({ came }) => came === "planned").length).toBeGreaterThanOrEqual(48);
  expect(world.headlines()).toEqual([]);
});

test("a task that crashes is told of once, with its evidence, and the recovery is added to the same message", async () => {
  const canary = "hunter2-is-my-canary";
  const earlier = await world.define("orders", program(["up"], STAYS));
  await world.serve("orders", earlier, 1);
  await world.settle("orders");
  const lines = [
    ...Array.from({ length: 60 }, (_, at) => `line ${at} <!channel>`),
    `connecting with password=${canary}`,
  ];
  const broken = await world.define("orders", {
    ...program(lines, onceWith(3)),
    image: "shop/orders:2",
    environment: [
      { name: "LOG_LEVEL", value: "debug" },
      { name: "DATABASE_HOST", value: "localhost.invalid" },
      { name: "DATABASE_PORT", value: "5432" },
      { name: "SESSION_TOKEN", value: canary },
    ],
  });
  const dimensions = { ClusterName: "shop", ServiceName: "orders" };
  world.cloud.metrics.file("AWS/ECS", "MemoryUtilization", dimensions, [40, 97, 62]);
  await world.ecs.send(
    new UpdateServiceCommand({ cluster: "shop", service: "orders", taskDefinition: broken }),
  );
  const crash = () =>
    stopsIn(world.events).find(({ detail }) => detail["stopCode"] === "EssentialContainerExited");
  await until(() => crash() !== undefined);

  const begun = performance.now();
  const outcome = await world.invoke(crash());
  expect(performance.now() - begun).toBeLessThan(15_000);
  expect(outcome).toMatchObject({ came: "alert", name: "shop/orders", cause: "application error", count: 1 });
  expect(await world.invoke(crash())).toMatchObject({ came: "alert", count: 1 });

  const [headline, ...more] = world.headlines();
  expect(more).toEqual([]);
  expect(headline).toMatch(/^P[23] shop\/orders: application error\. Container app ended with exit code 3/);
  const [message] = world.cloud.slack.messages;
  const [first, last] = [JSON.stringify(message?.revisions[0]), JSON.stringify(message?.revisions.at(-1))];
  expect(first).toContain(
    "Evidence (logs, exit, health, CPU and memory, dependencies, configuration) follows",
  );
  expect(last).toContain("line 59 &lt;!channel&gt;");
  expect(last).toContain("app: exit code 3");
  expect(last).toContain("memory: at most 97 % of it in the last hour, 62 % at last");
  expect(last).toContain("limits: task CPU 256 units, task memory 512 MiB");
  expect(last).toContain("DATABASE_HOST: localhost.invalid:5432 has no address");
  expect(last).toContain("revision orders:2, compared with orders:1, which ran well:");
  expect(last).toContain("app image: shop/orders:1 -&gt; shop/orders:2");
  expect(last).not.toContain("not available");

  const whole = JSON.stringify(allOf(message?.ts ?? ""));
  expect(whole).toContain("line 12 &lt;!channel&gt;");
  expect(whole).toContain("+ app variable SESSION_TOKEN: (not shown)");
  expect(whole + world.log.join("")).not.toContain(canary);
  expect(whole).not.toContain("<!channel>");

  const steady = () => world.events.findLast(({ "detail-type": kind }) => kind === "ECS Service Action");
  await until(
    () =>
      Date.parse(String(steady()?.detail["createdAt"])) > Date.parse(String(crash()?.detail["stoppedAt"])),
  );
  expect(await world.invoke(steady())).toMatchObject({ came: "recovery" });
  expect(world.headlines()).toEqual([expect.stringContaining("(the service is well again)")]);
  expect(JSON.stringify(message?.revisions.at(-1))).toContain("Well again at");
});

test("a crash loop is one message that counts, whatever the order and however often each event comes", async () => {
  await world.serve(
    "loop",
    await world.define("loop", program(["starting"], "setTimeout(() => process.exit(1), 20)")),
    1,
  );
  await until(() => stopsIn(world.events).length >= 4);
  const stops = stopsIn(world.events).slice(0, 4);
  await Promise.all(shuffled([...stops, ...stops, ...stops]).map((event) => world.invoke(event)));
  expect(world.headlines()).toEqual([expect.stringMatching(/^P2 shop\/loop: application error, 4 times\./)]);
});

test("what is wrong with a service is told in its own words: no secret, stopped by hand, Spot, ill", async () => {
  const definition = await world.define("mixed", program(["up"], STAYS));
  await world.serve("mixed", definition, 3);
  await world.settle("mixed");
  const [first, second] = world.cloud.ecs.tasks("mixed");
  await world.ecs.send(
    new StopTaskCommand({ cluster: "shop", task: first?.taskArn, reason: "looking around" }),
  );
  world.cloud.ecs.takeSpotBack(second?.taskArn ?? "");
  await until(() => stopsIn(world.events).length === 2);
  const checked = await world.define("ill", {
    ...program([], STAYS),
    portMappings: [{ containerPort: 80 }],
    healthCheck: { command: ["CMD", "http", "/health"] },
  });
  await world.serve("ill", checked, 1);
  const missing = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/none-AbCdEf";
  const unreadable = await world.define("unreadable", {
    ...program([], STAYS),
    secrets: [{ name: "KEY", valueFrom: missing }],
  });
  await world.serve("unreadable", unreadable, 1);
  await until(() => new Set(stopsIn(world.events).map(({ detail }) => detail["group"])).size === 3);

  const isTold = ({ detail }: EcsEvent) =>
    detail["lastStatus"] === "STOPPED" || detail["stopCode"] === "TerminationNotice";
  const seen = new Set<unknown>();
  for (const event of world.events.filter(isTold)) {
    const { group, stopCode } = event.detail;
    if (!seen.has(`${group} ${stopCode}`)) await world.invoke(event);
    seen.add(`${group} ${stopCode}`);
  }
  expect(
    world
      .headlines()
      .map((text) => text.split(".")[0])
      .toSorted(),
  ).toEqual([
    expect.stringMatching(/^P2 shop\/unreadable: secrets not readable/),
    expect.stringMatching(/^P3 shop\/ill: failed health checks/),
    expect.stringMatching(/^P4 shop\/mixed: spot interruption/),
    expect.stringMatching(/^P4 shop\/mixed: stopped by hand/),
  ]);
});

test("a service that a leak's replacement cannot be deployed to is the gravest there is; one that crashes on it is grave", async () => {
  const deploymentId = QUIET.service?.primaryId ?? "";
  await world.rotations.open({
    runId: "run-1",
    createdAt: new Date().toISOString(),
    request: { dryRun: false, force: false, emergency: true, scheduled: false },
    status: "rotating",
    refused: [],
    notDue: [],
    deployments: [
      {
        service: "shop/gateway",
        wave: "rotate",
        back: false,
        requestedAt: new Date().toISOString(),
        deploymentId,
        status: "running",
        tasksReplaced: 0,
      },
    ],
    rev: 0,
  });
  expect(await world.invoke(serviceEvent("SERVICE_DEPLOYMENT_FAILED"))).toMatchObject({ severity: "P1" });
  expect(await world.invoke(taskEvent())).toMatchObject({ severity: "P2", cause: "exit during a rotation" });
});

test("twenty tasks that crash in the same second are one message, though twenty invocations want to post it", async () => {
  const events = Array.from({ length: 20 }, (_, at) => taskEvent({ task: at + 1, seconds: at % 3 }));
  await Promise.all(events.map((event) => world.invoke(event)));
  expect(world.headlines()).toEqual([expect.stringContaining("application error, 20 times")]);
  const posts = world.cloud.slack.messages.filter(({ thread }) => thread === undefined);
  expect(posts).toHaveLength(1);
});

test("while Slack is down the evidence is gathered all the same, and the retry posts once, with all of it", async () => {
  world.cloud.slack.mood = "down";
  await expect(world.invoke(taskEvent())).rejects.toMatchObject({ code: "SLACK_FAILED" });
  world.cloud.slack.mood = "up";
  expect(await world.invoke(taskEvent())).toMatchObject({ came: "alert", count: 1 });
  expect(world.headlines()).toHaveLength(1);
  expect(JSON.stringify(world.cloud.slack.messages[0]?.revisions[0])).toContain("app: exit code 1");
});

test("what somebody who died was showing is shown by the next, but not before his time is over", async () => {
  const key = "application error#app";
  await world.invoke(taskEvent());
  const hold = (untilMs: number) =>
    world.episodes.change("shop/gateway", key, (record) =>
      record === undefined ? undefined : { ...record, showing: { by: "somebody", untilMs } },
    );
  await hold(Date.now() + 60_000);
  await world.invoke(taskEvent({ task: 2, seconds: 1 }));
  expect(world.headlines()).toEqual([expect.not.stringContaining("times")]);
  await hold(Date.now() - 1);
  await world.invoke(taskEvent({ task: 2, seconds: 1 }));
  expect(world.headlines()).toEqual([expect.stringContaining("2 times")]);
});

test("stops of three causes make each of their messages grave, and a recovery that was heard of first is not forgotten", async () => {
  const codes = [1, 139, 137];
  for (const [nth, exitCode] of codes.entries())
    await world.invoke(taskEvent({ task: nth + 1, seconds: nth * 60, containers: [{ exitCode }] }));
  expect(world.headlines().map((text) => text.slice(0, 2))).toEqual(["P2", "P2", "P2"]);
  const steady = serviceEvent("SERVICE_STEADY_STATE");
  const detail = { ...steady.detail, createdAt: at(7_200) };
  await world.invoke({ ...steady, detail });
  await world.invoke(taskEvent({ task: 9, seconds: 7_100 }));
  expect(world.headlines()[3]).toMatch(/^P3 .*\(the service is well again\)/);
});

test("what cannot be had is said to be missing, and why, and the rest is there", async () => {
  world.cloud.ecs.deny("DescribeTaskDefinition", "DescribeTasks");
  await world.invoke(taskEvent());
  const last = JSON.stringify(world.cloud.slack.messages[0]?.revisions.at(-1));
  expect(last).toContain("*Logs*: _not available: could not describe task definition");
  expect(last).toContain("*Health*: _not available: could not describe task");
  expect(last).toContain("app: exit code 1");
});

test("an older version of a task's event is history, and other clusters' and made-up events are refused", async () => {
  await world.invoke(taskEvent({ version: 6 }));
  expect(await world.invoke(taskEvent({ version: 5, containers: [{ exitCode: 9 }] }))).toMatchObject({
    came: "history",
  });
  expect(world.headlines()).toHaveLength(1);
  const elsewhere = taskEvent({ task: 2 });
  const detail = { ...elsewhere.detail, clusterArn: "arn:aws:ecs:us-east-1:123456789012:cluster/other" };
  expect(await world.invoke({ ...elsewhere, detail })).toMatchObject({
    came: "refused",
    says: "another cluster",
  });
  for (const event of [undefined, 7, "x", {}, { source: "aws.ecs" }, { ...elsewhere, detail: [] }])
    expect(await world.invoke(event)).toMatchObject({ came: "refused" });
});
