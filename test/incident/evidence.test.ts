/** What an evidence pack says, and what it never shows. */
import { describe, expect, test } from "vitest";
import { definitionDiff } from "../../lib/incident/definitionDiff.ts";
import { hostsOf } from "../../lib/incident/dependencies.ts";
import {
  configurationAnswer,
  exitAnswer,
  healthAnswer,
  lasting,
  logsAnswer,
  resourcesAnswer,
} from "../../lib/incident/evidence.ts";
import type { ContainerShape, DefinitionFacts } from "../../lib/incident/taskFacts.ts";
import { stopOf } from "./stops.ts";

const shape = (fields: Partial<ContainerShape> = {}): ContainerShape => ({
  name: "app",
  image: "shop/gateway:1",
  isEssential: true,
  command: ["serve"],
  environment: new Map(),
  secrets: new Map(),
  dependsOn: [],
  ...fields,
});
const definition = (revision: number, ...containers: ContainerShape[]): DefinitionFacts => ({
  arn: `arn:aws:ecs:us-east-1:123456789012:task-definition/gateway:${revision}`,
  cpu: "256",
  memory: "512",
  containers,
});

describe("the difference of two revisions", () => {
  test("shows what changed, secrets by name and source, and no value that may be one", () => {
    const before = definition(
      3,
      shape({
        memory: 256,
        environment: new Map([
          ["LOG_LEVEL", "info"],
          ["API_TOKEN", "hunter2"],
          ["URL", "https://a"],
          ["OLD", "1"],
        ]),
        secrets: new Map([["DB", "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/db-AbCdEf"]]),
      }),
      shape({ name: "log" }),
    );
    const after = definition(
      4,
      shape({
        image: "shop/gateway:2",
        memory: 128,
        command: ["serve", "--password=hunter3"],
        environment: new Map([
          ["LOG_LEVEL", "debug"],
          ["API_TOKEN", "hunter4"],
          ["URL", "https://user:hunter5@a"],
        ]),
        secrets: new Map(),
      }),
      shape({ name: "proxy", image: "envoy:3" }),
    );
    const lines = definitionDiff(before, after);
    expect(lines).toEqual([
      "app image: shop/gateway:1 -> shop/gateway:2",
      "app command: serve -> serve --password=[removed]",
      "app memory: 256 -> 128",
      "- app secret DB",
      "app variable API_TOKEN: (not shown) -> (not shown)",
      "app variable LOG_LEVEL: info -> debug",
      "- app variable OLD",
      "app variable URL: https://a -> https://[removed]@a",
      "+ container proxy (envoy:3)",
      "- container log",
    ]);
    expect(lines.join()).not.toMatch(/hunter/);
  });

  test("is said to be none where there is none, and to be unknown where nothing ran well before", () => {
    expect(configurationAnswer(definition(3, shape()), definition(4, shape())).lines).toEqual([
      "revision gateway:4, compared with gateway:3, which ran well: no difference",
    ]);
    expect(configurationAnswer(undefined, definition(4, shape())).lines).toEqual([
      "revision gateway:4; there is no other that is known to have run well",
    ]);
  });

  test("of a hundred variables is cut, and says so", () => {
    const many = new Map(Array.from({ length: 100 }, (_, nth) => [`V${nth}`, "1"]));
    const lines = definitionDiff(definition(1, shape()), definition(2, shape({ environment: many })));
    expect(lines).toHaveLength(31);
    expect(lines.at(-1)).toBe("and 70 more changes");
  });
});

describe("the hosts that a container's variables name", () => {
  test("come from URLs without their passwords, and from HOST beside PORT", () => {
    const environment = new Map([
      ["DATABASE_URL", "postgresql+asyncpg://app:p@ss/w0rd@db.internal:6432/shop"],
      ["CACHE", "rediss://cache.internal"],
      ["MYSQL_HOST", "mysql.internal"],
      ["QUEUE_HOST", "queue.internal"],
      ["QUEUE_PORT", "5672"],
      ["GREETING_HOST", "hello world"],
      ["NOWHERE_HOST", "no-port.internal"],
    ]);
    expect(hostsOf({ environment }).map(({ host, port }) => `${host}:${port}`)).toEqual([
      "db.internal:6432",
      "cache.internal:6379",
      "mysql.internal:3306",
      "queue.internal:5672",
    ]);
  });

  test("leave out the task's own addresses, ports that are none, and what is named twice", () => {
    const environment = new Map([
      ["A", "http://169.254.169.254/latest/meta-data"],
      ["B", "http://localhost:8080"],
      ["C", "http://127.0.0.1"],
      ["D", "http://[::1]:80"],
      ["E", "http://a.internal:99999"],
      ["F", "http://a.internal"],
      ["G", "http://a.internal/again"],
      ["H", "://"],
      ["I", "http://"],
    ]);
    expect(hostsOf({ environment })).toEqual([{ variable: "F", host: "a.internal", port: 80 }]);
  });
});

test("the exit names the culprit first, how long it ran, and how long its end took", () => {
  const stop = stopOf({
    containers: [
      { name: "log", exitCode: 143 },
      { name: "app", exitCode: 137, reason: "OutOfMemoryError" },
    ],
  });
  expect(exitAnswer(stop).lines).toEqual([
    "EssentialContainerExited: Essential container in task exited",
    "app: exit code 137, OutOfMemoryError",
    "log: exit code 143",
    "it ran 10 min, and took 2 s to end",
  ]);
});

test("health says what reported, and what no longer can", () => {
  const service = { desiredCount: 3, runningCount: 2, pendingCount: 1, isDeploying: false, targetGroups: [] };
  const containers = new Map([
    ["app", "UNHEALTHY"],
    ["log", "UNKNOWN"],
  ]);
  expect(
    healthAnswer({ whole: "UNHEALTHY", containers }, service, ["target group web: not measured"]).lines,
  ).toEqual([
    "app: unhealthy",
    "the service runs 2 of 3 tasks, 1 are starting",
    "target group web: not measured",
  ]);
  expect(healthAnswer(undefined, undefined, []).lines).toEqual(["ECS no longer knows the task"]);
});

test("CPU and memory stand against their limits, and nothing measured is no zero", () => {
  const limits = definition(1, shape({ memory: 128, cpu: 64 }));
  expect(resourcesAnswer({ cpu: [], memory: [99.6, 12.4] }, limits, "app").lines).toEqual([
    "limits: task CPU 256 units, task memory 512 MiB, app CPU 64 units, app memory 128 MiB",
    "memory: at most 100 % of it in the last hour, 12 % at last",
    "CPU: not measured in the last hour",
  ]);
});

test("of the log the last fifty lines are kept, scrubbed, and no more than a record holds", () => {
  const lines = Array.from({ length: 80 }, (_, nth) => `line ${nth} token=abc${nth}`);
  const kept = logsAnswer(lines, []).lines;
  expect(kept).toHaveLength(50);
  expect(kept.at(-1)).toBe("line 79 token=[removed]");
  expect(logsAnswer(Array(50).fill("word ".repeat(100)), []).lines.join("\n").length).toBeLessThan(12_001);
  expect(logsAnswer([], [])).toMatchObject({ missing: "the container wrote nothing" });
});

test("times are told in the unit that a person would use", () => {
  expect([0, 119_000, 120_000, 7_200_000, 172_800_000, -5].map(lasting)).toEqual([
    "0 s",
    "119 s",
    "2 min",
    "2 h",
    "2 d",
    "0 s",
  ]);
});
