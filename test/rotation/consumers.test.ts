import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findConsumers, findTraps, parseValueFrom, SecretIndex } from "../../lib/rotation/consumers.ts";
import type { SecretReference } from "../../lib/rotation/fleet.ts";
import { ARN, fleetWith, service, task, valueFrom } from "./facts.ts";

const secret = { arn: ARN, name: "shop/database", declaredConsumers: [] };
const partial = ARN.replace("-AbCdEf", "");
const consumersIn = (references: readonly SecretReference[]) => {
  const found = findConsumers([secret], fleetWith(references)).get(ARN);
  return found?.services.map((one) => one.service.name);
};
const environment = (value: string, variable = "AWS_SECRETS_NAME") =>
  valueFrom(value, { via: "environment", variable });

describe("a service consumes a secret", () => {
  test.each([
    ["by full ARN", valueFrom(ARN)],
    ["by ARN without the suffix", valueFrom(partial)],
    ["by JSON key", valueFrom(`${ARN}:password::`)],
    ["by JSON key without the suffix", valueFrom(`${partial}:password::`)],
    ["by version stage", valueFrom(`${ARN}::AWSCURRENT:`)],
    ["by version id", valueFrom(`${ARN}:password::11111111-2222-3333-4444-555555555555`)],
    ["through Parameter Store", valueFrom("/aws/reference/secretsmanager/shop/database")],
    [
      "through Parameter Store by ARN",
      valueFrom("arn:aws:ssm:us-east-1:123456789012:parameter/aws/reference/secretsmanager/shop/database"),
    ],
    ["by its name in the environment", environment("shop/database")],
    ["by its ARN in the environment", environment(ARN)],
    ["by its partial ARN in the environment", environment(partial)],
  ])("%s", (_form, reference) => {
    expect(consumersIn([reference])).toEqual(["shop/gateway"]);
  });

  test.each([
    ["a longer name", valueFrom(ARN.replace("database", "database-replica"))],
    ["another secret whose name begins alike", environment("shop/database2")],
    ["a secret of another account", valueFrom(ARN.replace("123456789012", "999999999999"))],
  ])("but not by %s", (_form, reference) => {
    expect(consumersIn([reference])).toEqual([]);
  });

  test("when only a running task still has the old revision", () => {
    const old = "arn:aws:ecs:us-east-1:123456789012:task-definition/gateway:0";
    const fleet = fleetWith([], {
      tasks: [task({ taskDefinition: old })],
      taskDefinitions: new Map([[old, { arn: old, references: [valueFrom(ARN)] }]]),
    });
    expect(findConsumers([secret], fleet).get(ARN)?.services[0]?.service.name).toBe("shop/gateway");
  });

  test("when a task's override tells it the name", () => {
    const fleet = fleetWith([], { tasks: [task({ overrides: [environment("shop/database")] })] });
    expect(findConsumers([secret], fleet).get(ARN)?.services[0]?.service.name).toBe("shop/gateway");
  });

  test("when the tag rekey:consumers says so, and a name that is not there is reported", () => {
    const declared = { ...secret, declaredConsumers: ["gateway", "shop/ghost"] };
    const found = findConsumers([declared], fleetWith([])).get(ARN);
    expect(found?.services.map((one) => one.service.name)).toEqual(["shop/gateway"]);
    expect(found?.missing).toEqual(["shop/ghost"]);
  });

  test("a task outside any service is a consumer of its own", () => {
    const { service: _, ...lone } = task();
    const fleet = fleetWith([valueFrom(ARN)], { services: [], tasks: [lone] });
    expect(findConsumers([secret], fleet).get(ARN)?.tasks).toHaveLength(1);
  });

  test("as soon as it is active, also while none of its tasks runs", () => {
    const idle = (active: boolean) =>
      fleetWith([valueFrom(ARN)], { services: [service("gateway", { active })], tasks: [] });
    const names = (active: boolean) =>
      findConsumers([secret], idle(active))
        .get(ARN)
        ?.services.map((one) => one.service.name);
    expect(names(true)).toEqual(["shop/gateway"]);
    expect(names(false)).toEqual([]);
  });

  test("with each reference once, however many of its definitions and tasks hold it", () => {
    const one = valueFrom(ARN);
    const different = [
      valueFrom(ARN, { container: "sidecar" }),
      valueFrom(ARN, { variable: "PASSWORD" }),
      valueFrom(partial),
      valueFrom(ARN, { via: "environment" }),
    ];
    const fleet = fleetWith([one, valueFrom("shop/other")], {
      tasks: [task(), task({ overrides: [...different, one] })],
    });
    expect(findConsumers([secret], fleet).get(ARN)?.services[0]?.references).toEqual([one, ...different]);
  });

  test("and a task of a service that nobody sees is a consumer of its own, told with what it reads", () => {
    const lone = task({ service: "shop/unseen" });
    const found = findConsumers([secret], fleetWith([valueFrom(ARN)], { services: [], tasks: [lone] }));
    expect(found.get(ARN)).toEqual({
      services: [],
      tasks: [{ task: lone, references: [valueFrom(ARN)] }],
      missing: [],
    });
  });

  test("a task that uses nothing of ours is none, in a service or outside", () => {
    const { service: _, ...lone } = task({ taskDefinition: "arn:unknown:1" });
    const member = task({ taskDefinition: "arn:unknown:1", overrides: [environment("shop/other")] });
    expect(findConsumers([secret], fleetWith([], { tasks: [lone, member] })).get(ARN)).toEqual({
      services: [],
      tasks: [],
      missing: [],
    });
  });

  test("whatever spaces stand around its name", () => {
    expect(consumersIn([environment(" shop/database\n")])).toEqual(["shop/gateway"]);
  });

  test("by the whole name of the service in rekey:consumers, once, and in the order of their names", () => {
    const services = [service("worker"), service("gateway")];
    const declared = { ...secret, declaredConsumers: ["shop/worker", "gateway", "worker"] };
    const found = findConsumers([declared], fleetWith([], { services, tasks: [] })).get(ARN);
    expect(found?.services).toEqual([
      { service: service("gateway"), references: [] },
      { service: service("worker"), references: [] },
    ]);
    expect(found?.missing).toEqual([]);
    const half = { ...secret, declaredConsumers: ["teway"] };
    expect(findConsumers([half], fleetWith([])).get(ARN)?.missing).toEqual(["teway"]);
  });

  test("of several secrets: each has its own consumers", () => {
    const cache = { arn: ARN.replace("database", "cache"), name: "shop/cache", declaredConsumers: [] };
    const found = findConsumers([secret, cache], fleetWith([valueFrom(ARN)], { tasks: [] }));
    expect([...found].map(([arn, { services }]) => [arn, services.length])).toEqual([
      [ARN, 1],
      [cache.arn, 0],
    ]);
  });
});

describe("a valueFrom is taken apart", () => {
  const nothing = { jsonKey: "", stage: "", versionId: "" };
  test.each([
    ["a full ARN", ARN, { secret: ARN, ...nothing }],
    ["an ARN with a JSON key", `${ARN}:password::`, { secret: ARN, ...nothing, jsonKey: "password" }],
    ["an ARN with a stage", `${ARN}::AWSPREVIOUS:`, { secret: ARN, ...nothing, stage: "AWSPREVIOUS" }],
    ["an ARN with a version", `${partial}:::v-1`, { secret: partial, ...nothing, versionId: "v-1" }],
    ["a bare name", "shop/database", { secret: "shop/database", ...nothing }],
    [
      "a reference of Parameter Store",
      "/aws/reference/secretsmanager/shop/database",
      { secret: "shop/database", ...nothing },
    ],
    [
      "a plain value with as many colons",
      "a:b:c:d:e:secret:f:g:h:i",
      { secret: "a:b:c:d:e:secret:f:g:h:i", ...nothing },
    ],
    [
      "an ARN of something else",
      "arn:aws:ssm:us-east-1:1:parameter:a:b:c:d",
      { secret: "arn:aws:ssm:us-east-1:1:parameter:a:b:c:d", ...nothing },
    ],
    [
      "a value that only contains such a reference",
      "see/aws/reference/secretsmanager/x",
      { secret: "see/aws/reference/secretsmanager/x", ...nothing },
    ],
  ])("%s", (_form, value, parts) => {
    expect(parseValueFrom(value)).toEqual(parts);
  });

  const word = fc.stringMatching(/^[A-Za-z0-9_.-]{1,12}$/);
  const part = fc.option(word, { nil: "" });
  const secrets = fc.uniqueArray(fc.record({ name: word, suffix: fc.stringMatching(/^[A-Za-z0-9]{6}$/) }), {
    minLength: 1,
    maxLength: 5,
    selector: ({ name }) => name,
  });

  test("for any key, stage and version: they come back, and the index finds the secret", () => {
    fc.assert(
      fc.property(secrets, part, part, part, (known, jsonKey, stage, versionId) => {
        const ids = known.map(({ name, suffix }) => ({
          name,
          arn: `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-${suffix}`,
        }));
        const index = new SecretIndex(ids);
        const told = ids.map(({ arn }) => {
          const value = `${arn}:${jsonKey}:${stage}:${versionId}`;
          return [parseValueFrom(value), index.find(valueFrom(value)), index.find(valueFrom(arn))];
        });
        expect(told).toEqual(ids.map(({ arn }) => [{ secret: arn, jsonKey, stage, versionId }, arn, arn]));
      }),
    );
  });

  test("an ARN means the secret that has it before one that it could be a part of", () => {
    const longer = { arn: `${ARN}-GhIjKl`, name: "shop/database-AbCdEf" };
    for (const ids of [
      [secret, longer],
      [longer, secret],
    ]) {
      const index = new SecretIndex(ids);
      expect(index.find(valueFrom(ARN))).toBe(ARN);
      expect(index.find(valueFrom(longer.arn))).toBe(longer.arn);
      expect(index.find(valueFrom(longer.name))).toBe(longer.arn);
    }
  });

  test("only the suffix that Secrets Manager appended may be left out", () => {
    const twice = { arn: ARN.replace("database", "data-AAAAAA-base"), name: "shop/data-AAAAAA-base" };
    const index = new SecretIndex([twice]);
    expect(index.find(valueFrom(twice.arn.replace("-AbCdEf", "")))).toBe(twice.arn);
    expect(index.find(valueFrom(twice.arn.replace("-AAAAAA", "")))).toBeUndefined();
  });
});

describe("traps", () => {
  const trapsIn = (references: readonly SecretReference[], rotatingFields: readonly string[] = []) => {
    const fleet = fleetWith(references, { services: [service()] });
    const found = findConsumers([secret], fleet).get(ARN);
    return found
      ? findTraps(found, fleet, rotatingFields).map(({ code, message }) => `${code} ${message}`)
      : [];
  };

  test("a pinned stage names service, container and variable", () => {
    expect(trapsIn([valueFrom(`${ARN}::AWSPREVIOUS:`)])).toEqual([
      "PINNED_VERSION service shop/gateway, container app, variable DATABASE_PASSWORD is pinned to stage AWSPREVIOUS; take the pin off its valueFrom, or a rotation never reaches it",
    ]);
  });

  test("a pinned version id is refused, AWSCURRENT is not a pin", () => {
    expect(trapsIn([valueFrom(`${ARN}:::v-1`)])[0]).toContain("pinned to version v-1");
    expect(trapsIn([valueFrom(`${ARN}::AWSCURRENT:`)])).toEqual([]);
  });

  test("the same variable as plain environment hides the secret", () => {
    const plain = environment("hunter2", "DATABASE_PASSWORD");
    expect(trapsIn([valueFrom(ARN), plain])[0]).toMatch(
      /^SHADOWED_KEY service shop\/gateway, container app, variable DATABASE_PASSWORD/,
    );
  });

  test("a bundle's rotating field as plain environment hides what the container fetches; a plain setting does not", () => {
    const fetched = environment("shop/database");
    const rotating = environment("hunter2", "REDIS_PASSWORD");
    expect(trapsIn([fetched, rotating], ["REDIS_PASSWORD"])[0]).toContain("variable REDIS_PASSWORD");
    expect(trapsIn([fetched, environment("true", "DEBUG")], ["REDIS_PASSWORD"])).toEqual([]);
  });

  test("a task outside any service is named by its id", () => {
    const { service: _, ...lone } = task();
    const references = [valueFrom(`${ARN}:::v-1`), environment("hunter2", "DATABASE_PASSWORD")];
    const fleet = fleetWith(references, { services: [], tasks: [lone] });
    const found = findConsumers([secret], fleet).get(ARN);
    const messages = found && findTraps(found, fleet, []).map(({ code, message }) => `${code} ${message}`);
    expect(messages).toEqual([
      expect.stringMatching(
        /^PINNED_VERSION task t1, container app, variable DATABASE_PASSWORD.*version v-1/,
      ),
      expect.stringMatching(/^SHADOWED_KEY task t1, container app, variable DATABASE_PASSWORD/),
    ]);
    // Of a plain value nothing is kept: it may be a secret.
    expect(found && findTraps(found, fleet, [])).toMatchObject([
      { holder: { task: lone }, value: `${ARN}:::v-1` },
      { holder: { task: lone }, value: "" },
    ]);
  });

  test.each<[string, SecretReference[]]>([
    ["another variable", [valueFrom(ARN), environment("x", "OTHER")]],
    [
      "the same variable of another container",
      [valueFrom(ARN), { ...environment("x", "DATABASE_PASSWORD"), container: "sidecar" }],
    ],
    [
      "a rotating field of a container that fetches nothing",
      [environment("shop/database"), { ...environment("x", "REDIS_PASSWORD"), container: "sidecar" }],
    ],
    [
      "a rotating field of a container that gets one value and fetches nothing",
      [valueFrom(`${ARN}:A::`, { variable: "A" }), environment("x", "REDIS_PASSWORD")],
    ],
  ])("%s hides nothing", (_what, references) => {
    expect(trapsIn(references, ["REDIS_PASSWORD"])).toEqual([]);
  });

  test("what is hidden is told: the value of valueFrom, or the bundle's field", () => {
    expect(trapsIn([valueFrom(ARN), environment("x", "DATABASE_PASSWORD")])[0]).toMatch(
      /hides the secret that valueFrom gives.*remove the plain value/,
    );
    const both = [
      environment("shop/database"),
      valueFrom(`${ARN}:A::`, { variable: "A" }),
      environment("x", "REDIS_PASSWORD"),
    ];
    expect(trapsIn(both, ["REDIS_PASSWORD"])).toEqual([
      expect.stringMatching(/hides the field REDIS_PASSWORD of the bundle.*remove the plain value/),
    ]);
  });

  test("a name in the environment that looks pinned is for the container to read, and no pin", () => {
    expect(trapsIn([environment(`${ARN}::AWSPREVIOUS:`)])).toEqual([]);
  });

  test("the trap is also found when the definition that sets it is gone from what ECS tells", () => {
    const fleet = fleetWith([valueFrom(`${ARN}:::v-1`)]);
    const found = findConsumers([secret], fleet).get(ARN);
    const traps = found && findTraps(found, { ...fleet, taskDefinitions: new Map() }, []);
    expect(traps?.map(({ code }) => code)).toEqual(["PINNED_VERSION"]);
  });

  test("the value of a shadowing variable is never repeated", () => {
    expect(trapsIn([valueFrom(ARN), environment("hunter2", "DATABASE_PASSWORD")]).join()).not.toContain(
      "hunter2",
    );
  });
});
