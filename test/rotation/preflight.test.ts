import { describe, expect, test } from "vitest";
import type { Consumers } from "../../lib/rotation/consumers.ts";
import type { ServiceFacts } from "../../lib/rotation/fleet.ts";
import { type ManagedSecret, readTags } from "../../lib/rotation/managed.ts";
import {
  notesOn,
  objectToConsumers,
  objectToSecret,
  objectToWaves,
  waive,
} from "../../lib/rotation/preflight.ts";
import { holderOf, type SecretFacts } from "../../lib/rotation/secretStore.ts";
import type { Objection, Wave } from "../../lib/rotation/strategy.ts";
import { ARN, at, deployment, fleetWith, service, task, valueFrom } from "./facts.ts";

const NAME = "shop/database";
const known = new Set(["redis", "jwt"]);
const current = { versionId: "v1", labels: ["AWSCURRENT"] };
const facts = (changes: Partial<SecretFacts> = {}): SecretFacts => ({
  arn: ARN,
  name: NAME,
  tags: new Map(),
  rotationEnabled: false,
  versions: [current],
  ...changes,
});
const managed = (tags: Record<string, string> = { "rekey:strategy": "redis" }) =>
  readTags(ARN, NAME, new Map(Object.entries(tags)));
const consumers = (changes: Partial<Consumers> = {}): Consumers => ({
  services: [],
  tasks: [],
  missing: [],
  ...changes,
});

/** As rotateAll asks about a secret, whose own rotation, if it is on, is somebody else's. */
const object = (seen: SecretFacts, secret: ManagedSecret, openRun: string | undefined) => {
  const pending = holderOf(seen, "AWSPENDING")?.versionId;
  return objectToSecret(seen, secret, known, openRun, {
    isOurs: false,
    ...(pending === undefined ? {} : { pending }),
  });
};

describe("a secret that is fit to rotate has no objections", () => {
  test.each<[string, SecretFacts, string | undefined]>([
    ["with one value", facts(), undefined],
    [
      "with AWSPENDING left on the value in use",
      facts({ versions: [{ versionId: "v1", labels: ["AWSCURRENT", "AWSPENDING"] }] }),
      undefined,
    ],
  ])("%s", (_how, seen, openRun) => {
    expect(object(seen, managed(), openRun)).toEqual([]);
  });
});

describe("a secret is refused", () => {
  const open = "run-7";
  test.each<
    [string, Partial<SecretFacts>, Record<string, string> | undefined, string | undefined, string, RegExp]
  >([
    [
      "when it is to be deleted",
      { deletedAt: at(0) },
      undefined,
      undefined,
      "SECRET_DELETED",
      /deletion; restore it/,
    ],
    [
      "when a deleted one has no value either, for that reason alone",
      { deletedAt: at(0), versions: [] },
      undefined,
      undefined,
      "SECRET_DELETED",
      /deletion/,
    ],
    [
      "when a service of AWS owns it",
      { owningService: "rds" },
      undefined,
      undefined,
      "SERVICE_OWNED",
      /owned by rds.*tags off/,
    ],
    [
      "when Secrets Manager rotates it",
      { rotationEnabled: true },
      undefined,
      undefined,
      "NATIVELY_ROTATED",
      /rotation turned on.*cancel that one/,
    ],
    [
      "when it has no value",
      { versions: [] },
      undefined,
      undefined,
      "SECRET_UNREADABLE",
      /AWSCURRENT; put a value/,
    ],
    [
      "when somebody else left an AWSPENDING",
      { versions: [current, { versionId: "v2", labels: ["AWSPENDING"] }] },
      undefined,
      undefined,
      "FOREIGN_PENDING",
      /version v2.*remove that label/,
    ],
    [
      "when its strategy is not known",
      {},
      { "rekey:strategy": "mysql" },
      undefined,
      "UNKNOWN_STRATEGY",
      /tag rekey:strategy names the strategy "mysql"; known are jwt, redis$/,
    ],
    [
      "when a field's strategy is not known",
      {},
      { "rekey:field:A": "redis", "rekey:field:B": "mysql" },
      undefined,
      "UNKNOWN_STRATEGY",
      /tag rekey:field:B names the strategy "mysql"/,
    ],
    [
      "when a tag is not understood",
      {},
      { "rekey:strategy": "jwt", "rekey:x": "1" },
      undefined,
      "TAG_INVALID",
      /rekey:x/,
    ],
    ["while its last rotation is open", {}, undefined, open, "ROTATION_OPEN", /run run-7/],
    [
      "while its last rotation is open, whose AWSPENDING is no stranger's",
      { versions: [current, { versionId: "v2", labels: ["AWSPENDING"] }] },
      undefined,
      open,
      "ROTATION_OPEN",
      /run run-7/,
    ],
  ])("%s", (_when, changes, tags, openRun, code, says) => {
    const objections = object(facts(changes), managed(tags), openRun);
    expect(objections.map((one) => one.code)).toEqual([code]);
    expect(objections[0]?.message).toMatch(says);
    expect(objections[0]?.message).toMatch(/^shop\/database: /);
  });

  test("for a foreign AWSPENDING also when no value is in use", () => {
    const seen = facts({ versions: [{ versionId: "v2", labels: ["AWSPENDING"] }] });
    expect(object(seen, managed(), undefined).map(({ code }) => code)).toEqual([
      "SECRET_UNREADABLE",
      "FOREIGN_PENDING",
    ]);
  });

  test("for every reason at once", () => {
    const seen = facts({ deletedAt: at(0), owningService: "rds", rotationEnabled: true, versions: [] });
    expect(object(seen, managed({ "rekey:strategy": "mysql" }), "run-7").map(({ code }) => code)).toEqual([
      "SECRET_DELETED",
      "SERVICE_OWNED",
      "NATIVELY_ROTATED",
      "UNKNOWN_STRATEGY",
      "ROTATION_OPEN",
    ]);
  });
});

describe("a service must stand steadily on a deployment that succeeded", () => {
  const objectionsTo = (changes: Partial<ServiceFacts>) =>
    objectToConsumers(
      managed(),
      consumers({ services: [{ service: service("gateway", changes), references: [] }] }),
      fleetWith([]),
    );

  test.each<[string, Partial<ServiceFacts>]>([
    ["one that does", {}],
    ["one that is scaled to nothing", { desiredCount: 0, runningCount: 0 }],
    ["one that ECS tells no deployments of", { deployments: [] }],
    [
      "one that failed long ago and is well again",
      { deployments: [deployment(), deployment({ deploymentId: "ecs-svc/0", status: "failed" })] },
    ],
  ])("%s is fit", (_which, changes) => {
    expect(objectionsTo(changes)).toEqual([]);
  });

  test.each<[string, Partial<ServiceFacts>, string, RegExp]>([
    [
      "deployed by CodeDeploy",
      { controller: "CODE_DEPLOY", runningCount: 0 },
      "UNSUPPORTED_TARGET",
      /^service shop\/gateway is deployed by CODE_DEPLOY;/,
    ],
    [
      "whose last deployment failed",
      { deployments: [deployment({ status: "failed", reason: "tasks crash" })], runningCount: 0 },
      "LAST_DEPLOYMENT_FAILED",
      /service shop\/gateway failed \(tasks crash\); deploy it/,
    ],
    [
      "whose last deployment failed for no reason that is told",
      { deployments: [deployment({ status: "failed" })] },
      "LAST_DEPLOYMENT_FAILED",
      /service shop\/gateway failed; deploy it/,
    ],
    [
      "that is being deployed",
      { deployments: [deployment({ status: "running" })] },
      "SERVICE_NOT_STEADY",
      /^service shop\/gateway is not steady: 2 of 2 tasks run and a deployment is in progress; wait/,
    ],
    [
      "that lacks a task",
      { runningCount: 1 },
      "SERVICE_NOT_STEADY",
      /^service shop\/gateway is not steady: 1 of 2 tasks run; wait/,
    ],
    [
      "that lacks a task and has no deployment",
      { runningCount: 1, deployments: [] },
      "SERVICE_NOT_STEADY",
      /1 of 2 tasks run; wait/,
    ],
    ["that has a task too many", { runningCount: 3 }, "SERVICE_NOT_STEADY", /3 of 2 tasks run;/],
    ["that starts a task", { pendingCount: 1 }, "SERVICE_NOT_STEADY", /2 of 2 tasks run;/],
  ])("one %s is refused", (_which, changes, code, says) => {
    const objections = objectionsTo(changes);
    expect(objections.map((one) => one.code)).toEqual([code]);
    expect(objections[0]?.message).toMatch(says);
  });
});

describe("consumers are refused", () => {
  test("when rekey:consumers names one that does not run", () => {
    expect(objectToConsumers(managed(), consumers({ missing: ["shop/ghost"] }), fleetWith([]))).toEqual([
      {
        code: "TAG_INVALID",
        message: expect.stringMatching(/^shop\/database: tag rekey:consumers names shop\/ghost,/),
      },
    ]);
  });

  test("when they would never see a rotating field, and for that field alone", () => {
    const references = [
      valueFrom(NAME, { via: "environment", variable: "AWS_SECRETS_NAME" }),
      valueFrom("hunter2", { via: "environment", variable: "REDIS_PASSWORD" }),
      valueFrom("true", { via: "environment", variable: "DEBUG" }),
    ];
    const services = [{ service: service(), references: references.slice(0, 1) }];
    const bundle = managed({ "rekey:field:REDIS_PASSWORD": "redis" });
    expect(
      objectToConsumers(bundle, consumers({ services }), fleetWith(references)).map(({ code }) => code),
    ).toEqual(["SHADOWED_KEY"]);
    expect(objectToConsumers(managed(), consumers({ services }), fleetWith(references))).toEqual([]);
  });
});

describe("Secrets Manager's own rotation", () => {
  test.each<[string, Wave[]]>([
    ["a value that changes at once", ["rotate"]],
    ["a key whose successor every task knows", ["rotate", "retire"]],
    ["nothing at all", []],
  ])("may carry %s", (_what, waves) => {
    expect(objectToWaves(NAME, waves)).toEqual([]);
  });

  test.each<[string, Wave[]]>([
    ["alone", ["publish"]],
    ["first", ["publish", "rotate"]],
    ["before the old one is retired", ["publish", "rotate", "retire"]],
  ])("cannot carry a key that must be published %s, and says which command can", (_when, waves) => {
    expect(objectToWaves(NAME, waves)).toEqual([
      {
        code: "PUBLISH_FIRST",
        message: `shop/database: some running task does not know its next key yet, and Secrets Manager's own rotation has no step that publishes one; rotate it once with npx sls invoke -f rotateAll -d '{"only":["shop/database"]}'`,
      },
    ]);
  });
});

describe("in an emergency", () => {
  const because = (code: Objection["code"], message = "the gateway limps"): Objection => ({ code, message });

  test.each<[string, Objection["code"]]>([
    ["an earlier rotation that is not finished", "ROTATION_OPEN"],
    ["a service that is not steady", "SERVICE_NOT_STEADY"],
    ["a deployment that failed", "LAST_DEPLOYMENT_FAILED"],
    ["a task definition that pins a version", "PINNED_VERSION"],
    ["a field that a variable hides", "SHADOWED_KEY"],
    ["a task that still holds an older value", "STRAGGLERS"],
    ["a target that refuses the value in use", "TARGET_REFUSES_CURRENT"],
  ])("%s keeps no leaked value alive, wherever it was seen, and is told", (_what, code) => {
    const gone = { blocking: [], waived: ["gone ahead although: the gateway limps"] };
    expect(waive([because(code)], [])).toEqual(gone);
    expect(waive([], [because(code)])).toEqual(gone);
  });

  test.each<[string, Objection["code"]]>([
    ["a secret that is to be deleted", "SECRET_DELETED"],
    ["a tag that is not understood", "TAG_INVALID"],
    ["a target that Rekey cannot rotate", "UNSUPPORTED_TARGET"],
  ])("%s is refused all the same, wherever that was seen", (_what, code) => {
    const refused = { blocking: [because(code)], waived: [] };
    expect(waive([because(code)], [])).toEqual(refused);
    expect(waive([], [because(code)])).toEqual(refused);
  });

  test("a stranger's password at the target is one more to kill, a stranger's AWSPENDING is in the way", () => {
    const label = because("FOREIGN_PENDING", "AWSPENDING sits on version v2");
    const password = because("FOREIGN_PENDING", "the target knows a third password");
    expect(waive([label], [password])).toEqual({
      blocking: [label],
      waived: ["gone ahead although: the target knows a third password"],
    });
  });

  test("what still counts and what does not are both told, of the secret first and then of its target", () => {
    const owned = because("SERVICE_OWNED", "rds owns it");
    const cluster = because("UNSUPPORTED_TARGET", "it is a cluster");
    const objections = [because("STRAGGLERS", "t1 is old"), owned, because("PINNED_VERSION", "v1 is pinned")];
    const atTarget = [cluster, because("TARGET_REFUSES_CURRENT", "it refuses v1")];
    expect(waive(objections, atTarget)).toEqual({
      blocking: [owned, cluster],
      waived: [
        "gone ahead although: t1 is old",
        "gone ahead although: v1 is pinned",
        "gone ahead although: it refuses v1",
      ],
    });
  });

  test("a secret without objections has none", () => {
    expect(waive([], [])).toEqual({ blocking: [], waived: [] });
  });
});

describe("worth saying", () => {
  const used = consumers({ services: [{ service: service(), references: [] }] });

  test("nothing, about a document that services use", () => {
    expect(notesOn(managed(), used, false)).toEqual([]);
  });

  test("nothing but the task, where a service and a task use it", () => {
    const both = { ...used, tasks: [{ task: task(), references: [] }] };
    expect(notesOn(managed(), both, false)).toEqual([expect.stringMatching(/^task t1/)]);
  });

  test.each<[string, () => readonly string[], RegExp]>([
    [
      "that nobody is seen to use it",
      () => notesOn(managed(), consumers(), false),
      /nothing will be redeployed/,
    ],
    [
      "that its readers must read fields",
      () => notesOn(managed(), used, true),
      /JSON document; every consumer must/,
    ],
    [
      "which task lives on with the old value",
      () => notesOn(managed(), consumers({ tasks: [{ task: task(), references: [] }] }), false),
      /^task t1 runs outside any service: the old value lives until that task ends$/,
    ],
    [
      "that a login, by name, may change itself",
      () => notesOn(managed({ "rekey:strategy": "redis", "rekey:admin": NAME }), used, false),
      /^shop\/database is its own admin$/,
    ],
    [
      "that a login, by ARN, may change itself",
      () => notesOn(managed({ "rekey:field:A": "redis", "rekey:admin:A": ARN }), used, false),
      /^shop\/database#A is its own admin$/,
    ],
  ])("%s", (_what, notes, says) => {
    expect(notes()).toEqual([expect.stringMatching(says)]);
  });

  test("nothing about an admin of its own", () => {
    expect(notesOn(managed({ "rekey:strategy": "redis", "rekey:admin": "shop/admin" }), used, false)).toEqual(
      [],
    );
  });
});
