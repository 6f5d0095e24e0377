/** Secrets Manager's own rotation through the built handlers: real SDK client, real servers, real tasks. */
import { randomUUID } from "node:crypto";
import {
  CancelRotateSecretCommand,
  DescribeSecretCommand,
  RotateSecretCommand,
  type RotateSecretCommandInput,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Report } from "../../lib/rotation/report.ts";
import { tryOldAndNew } from "../demo/proof.ts";
import { ROTATION_FUNCTION, startWorld, type World } from "../demo/world.ts";

const BUNDLE = "codeguardians-gateway/production";
const GUARD_DATABASE = "codeguardians-gateway/tokenguard-database";
const GUARD_REDIS = "codeguardians-gateway/tokenguard-redis";
const FUNCTION_ARN = `arn:aws:lambda:us-east-1:123456789012:function:${ROTATION_FUNCTION}`;
const STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
type Step = (typeof STEPS)[number];

let world: World;
let client: SecretsManagerClient;
const output: string[] = [];
beforeAll(async () => {
  world = await startWorld({
    env: { REKEY_ROLLOUT_SECONDS: "600", REKEY_LEASE_SECONDS: "6", REKEY_POLL_MS: "100" },
    cloud: { allowShadowedKeys: true, pace: { drainMs: 200 } },
  });
  // Ten minutes for a rollout, so that a busy machine is not late; the old key then dies by a retire wave, after seconds.
  secretOf(BUNDLE).tags.delete("rekey:not-after:JWT_SECRET_KEY");
  client = new SecretsManagerClient(world.client);
  world.cloud.lambda.emitter.on("line", (_name, line) => output.push(line));
}, 90_000);
afterAll(async () => {
  client?.destroy();
  await world?.stop();
});

const secretOf = (name: string) => world.cloud.secrets.find(name);
const current = (name: string): Record<string, string> =>
  JSON.parse(world.cloud.secrets.read(secretOf(name), undefined, undefined).text);
const labels = (name: string) =>
  Object.fromEntries(
    [...secretOf(name).versions.values()]
      .filter((version) => version.labels.size > 0)
      .map((version) => [version.versionId, [...version.labels].sort()]),
  );
const pendingOf = (name: string) => world.cloud.secrets.holder(secretOf(name), "AWSPENDING")?.versionId;

/** What Secrets Manager does when a rotation begins, for tests that ask for the steps themselves. */
function promise(name: string): string {
  const token = randomUUID();
  const secret = secretOf(name);
  secret.rotationEnabled = true;
  secret.rotation = { lambdaArn: FUNCTION_ARN };
  world.cloud.secrets.promise(secret, token);
  return token;
}

const eventOf = (step: string, name: string, token: string) => ({
  Step: step,
  SecretId: secretOf(name).arn,
  ClientRequestToken: token,
});

/** @returns `done`, or the code with which the step failed */
async function ask(step: Step, name: string, token: string): Promise<string> {
  const { failure } = await world.cloud.lambda.invoke("rotateSecret", eventOf(step, name, token));
  return failure ? (failure.errorMessage.split(":")[0] ?? "") : "done";
}

async function advance(): Promise<Report[]> {
  const { payload, failure } = await world.cloud.lambda.invoke("advance", {});
  expect(failure).toBeUndefined();
  return payload as Report[];
}

const rotate = (name: string, more: Partial<RotateSecretCommandInput> = {}) =>
  client.send(new RotateSecretCommand({ SecretId: name, RotationLambdaARN: FUNCTION_ARN, ...more }));
const rotateAll = async (payload: unknown) =>
  (await world.cloud.lambda.invoke("rotateAll", payload)).payload as Report;

/** The service events about this secret, in order. */
const told = (name: string) =>
  world.cloud.trail.records
    .filter(
      (record) =>
        record["eventType"] === "AwsServiceEvent" &&
        JSON.stringify(record).includes(JSON.stringify(secretOf(name).arn)),
    )
    .map(({ eventName }) => eventName);
const untilTold = (name: string, last: string) =>
  expect.poll(() => told(name).at(-1), { timeout: 150_000, interval: 100 }).toBe(last);

/** Who may log in where, and with what: everything outside Secrets Manager that a step could change. */
async function logins() {
  const roles = await world.postgres.query(
    "select rolname, rolcanlogin, rolpassword from pg_authid where rolname !~ '^pg_' order by 1",
  );
  const acl = await world.primary.command(
    { password: current(BUNDLE)["REDIS_PASSWORD"] ?? "" },
    "ACL",
    "LIST",
  );
  return { roles, acl };
}

describe("the four steps, asked for by hand", () => {
  test("nothing is done for a secret without rotation, or for a token that is not its pending one", async () => {
    const before = { ...(await logins()), labels: labels(GUARD_REDIS) };
    const [old = ""] = Object.keys(labels(GUARD_REDIS));
    const answers = await Promise.all(STEPS.map((step) => ask(step, GUARD_REDIS, old)));
    expect(answers).toEqual(Array(4).fill("ROTATION_NOT_ENABLED"));
    secretOf(GUARD_REDIS).rotationEnabled = true;
    expect(await ask("createSecret", GUARD_REDIS, randomUUID())).toBe("TOKEN_UNKNOWN");
    expect(await ask("finishSecret", GUARD_REDIS, old)).toBe("done");
    expect({ ...(await logins()), labels: labels(GUARD_REDIS) }).toEqual(before);
  }, 60_000);

  test("each step does its share once, whatever the order and however often it is asked for", async () => {
    const before = await logins();
    const [old = ""] = Object.keys(labels(GUARD_REDIS));
    const token = promise(GUARD_REDIS);
    const early = await Promise.all(STEPS.slice(1).map((step) => ask(step, GUARD_REDIS, token)));
    expect(early).toEqual(["STEP_OUT_OF_ORDER", "SECRET_UNREADABLE", "STEP_OUT_OF_ORDER"]);
    expect(await Promise.all([1, 2].map(() => ask("createSecret", GUARD_REDIS, token)))).toEqual([
      "done",
      "done",
    ]);
    const staged = secretOf(GUARD_REDIS).versions.get(token)?.text;
    expect(staged).toContain("tokenguard_b");
    expect(await ask("createSecret", GUARD_REDIS, token)).toBe("done");
    expect(await ask("testSecret", GUARD_REDIS, token)).toBe("PENDING_REFUSED");
    expect(await ask("finishSecret", GUARD_REDIS, token)).toBe("PENDING_REFUSED");
    await advance();
    expect(secretOf(GUARD_REDIS).versions.get(token)?.text).toBe(staged);
    expect(await logins()).toEqual(before);
    expect(labels(GUARD_REDIS)).toEqual({ [old]: ["AWSCURRENT"], [token]: ["AWSPENDING"] });

    for (const step of ["setSecret", "setSecret", "testSecret", "createSecret"] as const)
      expect(await ask(step, GUARD_REDIS, token), step).toBe("done");
    const [waiting] = await advance();
    expect(waiting?.open.join()).toContain("for Secrets Manager to ask for the next step");
    expect(labels(GUARD_REDIS)).toEqual({ [old]: ["AWSCURRENT"], [token]: ["AWSPENDING"] });

    for (const step of ["finishSecret", "finishSecret", ...STEPS] as const)
      expect(await ask(step, GUARD_REDIS, token), step).toBe("done");
    expect(labels(GUARD_REDIS)).toEqual({ [old]: ["AWSPREVIOUS"], [token]: ["AWSCURRENT"] });
    expect(await ask("finishSecret", GUARD_REDIS, old)).toBe("TOKEN_NOT_PENDING");
  }, 120_000);

  test("no other rotation begins before the old value is revoked, by neither door", async () => {
    const token = promise(GUARD_REDIS);
    expect(await ask("createSecret", GUARD_REDIS, token)).toBe("ROTATION_OPEN");
    const report = await rotateAll({ only: [GUARD_REDIS] });
    expect(report.secrets[0]?.errors).toContainEqual(expect.objectContaining({ code: "ROTATION_OPEN" }));
    const done = await advance();
    expect(done.flatMap(({ secrets }) => secrets)).toContainEqual(
      expect.objectContaining({ name: GUARD_REDIS, outcome: "rotated", oldRefused: true }),
    );
    expect(await ask("createSecret", GUARD_REDIS, token)).toBe("done");
  }, 120_000);

  test("a rotation that is cancelled half-way is cleaned up, and its token is of no more use", async () => {
    const token = pendingOf(GUARD_REDIS) ?? "";
    expect(await ask("setSecret", GUARD_REDIS, token)).toBe("done");
    await client.send(new CancelRotateSecretCommand({ SecretId: GUARD_REDIS }));
    const isOn = async () => (await logins()).acl?.toString().includes("user tokenguard_a on");
    expect(await isOn()).toBe(true);
    await expect
      .poll(async () => (await advance()).flatMap(({ secrets }) => secrets), {
        timeout: 60_000,
        interval: 2_000,
      })
      .toContainEqual(
        expect.objectContaining({
          outcome: "dropped",
          errors: [expect.objectContaining({ code: "ROTATION_ABANDONED" })],
        }),
      );
    expect(await isOn()).toBe(false);
    expect(pendingOf(GUARD_REDIS)).toBeUndefined();
    secretOf(GUARD_REDIS).rotationEnabled = true;
    expect(await ask("setSecret", GUARD_REDIS, token)).toBe("TOKEN_UNKNOWN");
  }, 90_000);
});

test("every step that is killed is done by the next try, with the same value", async () => {
  const token = promise(GUARD_DATABASE);
  // Step -> calls after each of which the process dies, as soon as it has taken effect.
  const deaths: Readonly<Record<Step, readonly string[]>> = {
    createSecret: ["ListSecrets", "PutSecretValue"],
    setSecret: ["GetSecretValue"],
    testSecret: ["GetSecretValue"],
    finishSecret: ["UpdateSecretVersionStage"],
  };
  const values = new Set<string>();
  for (const step of STEPS) {
    for (const call of deaths[step]) {
      const seen = world.cloud.trail.records.length;
      const running = world.cloud.lambda.start("rotateSecret", eventOf(step, GUARD_DATABASE, token));
      const timer = setInterval(() => {
        if (world.cloud.trail.records.slice(seen).some(({ eventName }) => eventName === call)) running.kill();
      }, 1);
      const { failure } = await running.result;
      clearInterval(timer);
      expect(failure?.errorType, `${step} dies after ${call}`).toBe("Runtime.ExitError");
      values.add(secretOf(GUARD_DATABASE).versions.get(token)?.text ?? "");
    }
    expect(await ask(step, GUARD_DATABASE, token), step).toBe("done");
  }
  values.delete("");
  expect([...values]).toEqual([secretOf(GUARD_DATABASE).versions.get(token)?.text]);
  // Killed right after the label moved, the next finishSecret goes home quietly: the engine takes AWSPENDING off.
  expect(labels(GUARD_DATABASE)[token]).toEqual(["AWSCURRENT", "AWSPENDING"]);
}, 240_000);

describe("attached with RotateSecret", () => {
  test("the bundle is rotated by Secrets Manager and finished by advance, and the old values are dead", async () => {
    const { VersionId = "" } = await rotate(BUNDLE, { RotationRules: { AutomaticallyAfterDays: 30 } });
    await untilTold(BUNDLE, "RotationSucceeded");
    expect(told(BUNDLE)).toEqual(["RotationStarted", "RotationSucceeded"]);
    expect(labels(BUNDLE)[VersionId]).toContain("AWSCURRENT");
    const described = await client.send(new DescribeSecretCommand({ SecretId: BUNDLE }));
    expect(described).toMatchObject({ RotationEnabled: true, RotationLambdaARN: FUNCTION_ARN });
    expect(described.LastRotatedDate).toBeInstanceOf(Date);

    let ended: Report["secrets"] = [];
    await expect
      .poll(
        async () => {
          ended = [...ended, ...(await advance()).flatMap(({ secrets }) => secrets)].filter(
            ({ outcome }) => outcome === "rotated",
          );
          return ended.map(({ name }) => name).sort();
        },
        { timeout: 120_000, interval: 500 },
      )
      .toEqual([BUNDLE, GUARD_DATABASE]);
    expect(ended.every(({ oldRefused }) => oldRefused)).toBe(true);
    for (const [name, trials] of Object.entries(await tryOldAndNew(world)))
      for (const [what, trial] of Object.entries(trials))
        expect(trial, `${name}: ${what}`).toEqual({ oldRefused: true, newAccepted: true });
  }, 180_000);

  test("a function that is attached without rotating is only tried out", async () => {
    expect(pendingOf(GUARD_DATABASE)).toBeUndefined();
    const before = { ...(await logins()), labels: labels(GUARD_DATABASE) };
    await rotate(GUARD_DATABASE, { RotateImmediately: false });
    await untilTold(GUARD_DATABASE, "TestRotationSucceeded");
    expect({ ...(await logins()), labels: labels(GUARD_DATABASE) }).toEqual(before);
  }, 60_000);

  test("a key that no task knows yet is published by rotateAll first, as the refusal says", async () => {
    const tags = { "rekey:strategy": "jwt", "rekey:grace": "1", "rekey:skew": "0" };
    const name = "legacy/jwt";
    world.cloud.secrets.create(name, "a-plain-signing-key-of-more-than-32-bytes", { tags });
    const { VersionId: token = "" } = await rotate(name);
    await untilTold(name, "RotationFailed");
    expect(await ask("createSecret", name, token)).toBe("PUBLISH_FIRST");
    expect(output.join("\n")).not.toContain("a-plain-signing-key");
    expect(labels(name)[token]).toEqual(["AWSPENDING"]);

    expect((await rotateAll({ only: [name] })).secrets).toMatchObject([
      { outcome: "rotated", waves: ["publish", "rotate", "retire"] },
    ]);
    const { VersionId: second = "" } = await rotate(name);
    await untilTold(name, "RotationSucceeded");
    // A third begins while the old key still verifies: it has to wait, and takes nothing away from the retire wave.
    const { VersionId: third = "" } = await rotate(name);
    await untilTold(name, "RotationFailed");
    await expect
      .poll(async () => (await advance()).flatMap(({ secrets }) => secrets), {
        timeout: 60_000,
        interval: 500,
      })
      .toContainEqual(expect.objectContaining({ name, outcome: "rotated", waves: ["rotate", "retire"] }));
    expect(labels(name)).toEqual({
      [`${second}-retire`]: ["AWSCURRENT"],
      [second]: ["AWSPREVIOUS"],
    });
    expect(await ask("createSecret", name, third)).toBe("TOKEN_UNKNOWN");
  }, 120_000);

  test("another function's rotation is left to it", async () => {
    const secret = world.cloud.secrets.create("other/jwt", "another-signing-key-of-more-than-32-bytes", {
      tags: { "rekey:strategy": "jwt" },
    });
    secret.rotationEnabled = true;
    secret.rotation = { lambdaArn: `${FUNCTION_ARN}-of-somebody` };
    const report = await rotateAll({ only: ["other/jwt"] });
    expect(report.secrets).toMatchObject([{ outcome: "refused", errors: [{ code: "NATIVELY_ROTATED" }] }]);
  }, 60_000);

  test("no value and no rotation token has left in any output", async () => {
    const values = [...world.cloud.secrets.secrets.values()].flatMap(({ versions }) =>
      [...versions.values()].flatMap(({ text }) =>
        text.startsWith("{") ? Object.values(JSON.parse(text)) : [text],
      ),
    );
    const canaries = values.filter(
      (value): value is string => typeof value === "string" && value.length >= 40,
    );
    const all = [
      output.join("\n"),
      JSON.stringify(world.cloud.slack.messages),
      JSON.stringify(world.cloud.trail.records),
    ];
    expect(canaries.length).toBeGreaterThan(20);
    expect(canaries.filter((canary) => all.some((text) => text.includes(canary)))).toEqual([]);
    expect(all.join("\n")).not.toMatch(/rotationToken/i);
  });
});
