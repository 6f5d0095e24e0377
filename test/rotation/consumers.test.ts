import { describe, expect, test } from "vitest";
import { findConsumers, findTraps, parseValueFrom } from "../../lib/rotation/consumers.ts";
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
});

test("the parts of a valueFrom are told apart", () => {
  expect(parseValueFrom(`${ARN}:password:AWSPREVIOUS:`)).toEqual({
    secret: ARN,
    jsonKey: "password",
    stage: "AWSPREVIOUS",
    versionId: "",
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

  test("the value of a shadowing variable is never repeated", () => {
    expect(trapsIn([valueFrom(ARN), environment("hunter2", "DATABASE_PASSWORD")]).join()).not.toContain(
      "hunter2",
    );
  });
});
