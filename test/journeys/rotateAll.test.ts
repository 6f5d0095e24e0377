/** The whole of it: the built handlers in processes of their own, real SDK clients, real servers, real tasks. */
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Report } from "../../lib/rotation/report.ts";
import { tryOldAndNew } from "../demo/proof.ts";
import { BUNDLE, GUARD_DATABASE, GUARD_REDIS, SERVICES, startWorld, type World } from "../demo/world.ts";
import { CommandLines } from "./commandLines.ts";

let world: World;
const output: string[] = [];
const commandLines = new CommandLines();
beforeAll(async () => {
  world = await startWorld({
    env: { REKEY_ROLLOUT_SECONDS: "20", REKEY_LEASE_SECONDS: "6" },
    cloud: { allowShadowedKeys: true },
  });
  world.cloud.lambda.emitter.on("line", (_name, line) => output.push(line));
}, 90_000);
afterAll(async () => {
  commandLines.stop();
  await world?.stop();
});

async function rotate(payload: unknown): Promise<Report> {
  const { payload: report, failure } = await world.cloud.lambda.invoke("rotateAll", payload);
  if (failure) throw Object.assign(new Error(failure.errorMessage), { name: failure.errorType });
  output.push(JSON.stringify(report));
  return report as Report;
}
const outcomes = (report: Report) =>
  Object.fromEntries(report.secrets.map(({ name, outcome }) => [name, outcome]));
const current = (name: string): Record<string, unknown> =>
  JSON.parse(world.cloud.secrets.read(world.cloud.secrets.find(name), undefined, undefined).text);

/** Everything that a rotation could change: labels, roles, ACLs, deployments, records. */
async function state() {
  const labels = [...world.cloud.secrets.secrets.values()].map(({ name, versions }) => [
    name,
    [...versions.values()].map(({ versionId, labels }) => [versionId, [...labels].sort()]),
  ]);
  const { password } = passwordOfRedis();
  const roles = await world.postgres.query(
    "select rolname, rolcanlogin, rolpassword from pg_authid order by 1",
  );
  const acls = await Promise.all(
    [world.primary, world.replica].map((node) => node.command({ password }, "ACL", "LIST")),
  );
  const deployments = world.cloud.ecs.tasks().map(({ taskArn, lastStatus }) => [taskArn, lastStatus]);
  return createHash("sha256").update(JSON.stringify({ labels, roles, acls, deployments })).digest("hex");
}

/** What was ever secret here, as far as it is long enough to be told from other text. */
function values(): string[] {
  const ever = [...world.cloud.secrets.secrets.values()].flatMap(({ versions }) =>
    [...versions.values()].flatMap(({ text }) =>
      Object.values(JSON.parse(text.startsWith("{") ? text : JSON.stringify({ text }))),
    ),
  );
  return [
    ...world.seeds.canaries,
    ...ever.filter((value): value is string => typeof value === "string" && value.length >= 40),
  ];
}

const passwordOfRedis = () => ({ password: String(current(BUNDLE)["REDIS_PASSWORD"]) });

describe("rotateAll", () => {
  test("a dry run shows consumers and waves, and changes nothing", async () => {
    const before = await state();
    const plan = await rotate({ dryRun: true });
    expect(plan.status).toBe("plan");
    expect(outcomes(plan)).toEqual({
      [BUNDLE]: "planned",
      [GUARD_DATABASE]: "planned",
      [GUARD_REDIS]: "planned",
    });
    expect(plan.secrets.find(({ name }) => name === BUNDLE)).toMatchObject({
      waves: ["rotate"],
      consumers: SERVICES.map((name) => `codeguardians-gateway-cluster/${name}`),
    });
    expect(plan.services.map(({ service }) => service)).toHaveLength(3);
    expect(await state()).toBe(before);
  });

  test.each([
    ["sls invoke local", ["invoke", "local", "-f", "rotateAll", "-d", '{"dryRun":true}']],
    ["sls invoke", ["invoke", "-f", "rotateAll", "-d", '{"dryRun":true}']],
  ])(
    "%s prints the report",
    async (_command, words) => {
      const { stdout } = await promisify(execFile)("sls", words, { env: { ...process.env, ...world.env } });
      const report: Report = JSON.parse(stdout.slice(stdout.indexOf("{\n")));
      expect(report.status).toBe("plan");
      expect(outcomes(report)).toEqual({
        [BUNDLE]: "planned",
        [GUARD_DATABASE]: "planned",
        [GUARD_REDIS]: "planned",
      });
    },
    60_000,
  );

  test.each([
    ["no object", "all of them", "the payload must be a JSON object"],
    [
      "an unknown field",
      { onyl: ["a"] },
      "onyl is not a field; known are only, except, dryRun, force, emergency, reason",
    ],
    ["a string for a list", { only: "a" }, "only must be a list of names, ARNs or globs"],
    ["an empty list", { only: [] }, "only must not be empty; leave it out to mean every managed secret"],
    [
      "two wrong fields, each named",
      { dryRun: "yes", except: [7] },
      "except[0] must be a string; dryRun must be true or false",
    ],
    [
      "a name that matches nothing",
      { only: ["shop/nothing"] },
      'only[0]: "shop/nothing" matches no managed secret',
    ],
    ["an except that matches nothing", { except: ["prd/*"] }, 'except[0]: "prd/*" matches no managed secret'],
  ])("%s is refused with one clear error and nothing changes", async (_what, payload, message) => {
    const before = await state();
    const failure = await rotate(payload).catch((error: Error) => error);
    expect(failure).toMatchObject({ name: "RekeyError", message: `PAYLOAD_INVALID: ${message}` });
    expect(await state()).toBe(before);
  });

  test("broken secrets each get their own error, and nothing of them changes", async () => {
    const { secrets } = world.cloud;
    const make = (name: string, text: string | undefined, tags: Record<string, string>) =>
      secrets.create(`broken/${name}`, text, { tags });
    make("deleted", "{}", { "rekey:strategy": "jwt" }).deletedAt = new Date(Date.now() + 86_400_000);
    make("native", '{"current":"x"}', { "rekey:strategy": "jwt" }).rotationEnabled = true;
    make("owned", '{"current":"x"}', { "rekey:strategy": "jwt" }).owningService = "rds";
    make("unknown", "{}", { "rekey:strategy": "oracle" });
    make("mistyped", "x", { "rekey:strategy": "jwt", "rekey:grcae": "5" });
    make("malformed", '{"username":"a"}', {
      "rekey:strategy": "postgres",
      "rekey:admin": "codeguardians-gateway/database-admin",
    });
    make("adminless", '{"host":"127.0.0.1","username":"a","password":"b"}', { "rekey:strategy": "postgres" });
    make("elsewhere", '{"host":"127.0.0.1","port":1,"username":"a_a","password":"b"}', {
      "rekey:strategy": "redis-user",
      "rekey:admin": "codeguardians-gateway/redis-admin",
    });
    make("empty", undefined, { "rekey:strategy": "jwt" });
    const foreign = make("foreign", '{"current":"0123456789abcdef0123456789abcdef"}', {
      "rekey:strategy": "jwt",
    });
    secrets.put(foreign, '{"current":"y"}', crypto.randomUUID(), ["AWSPENDING"]);
    secrets.create("broken/unmanaged", "{}");
    const before = await state();
    const report = await rotate({ only: ["broken/*", "broken/unmanaged"] });
    const after = await state();
    for (const secret of [...secrets.secrets.values()])
      if (secret.name.startsWith("broken/")) secrets.secrets.delete(secret.arn);
    const codes = Object.fromEntries(
      report.secrets.map(({ name, errors }) => [name.slice(7), errors?.map(({ code }) => code)]),
    );
    expect(codes).toEqual({
      deleted: ["SECRET_DELETED"],
      native: ["NATIVELY_ROTATED"],
      owned: ["SERVICE_OWNED"],
      unknown: ["UNKNOWN_STRATEGY"],
      mistyped: ["TAG_INVALID"],
      malformed: expect.arrayContaining(["SECRET_MALFORMED"]),
      adminless: expect.arrayContaining(["ADMIN_MISSING"]),
      elsewhere: ["TARGET_UNREACHABLE"],
      empty: ["SECRET_UNREADABLE"],
      foreign: ["FOREIGN_PENDING"],
      unmanaged: ["NOT_MANAGED"],
    });
    expect(report.status).toBe("refused");
    expect(after).toBe(before);
  }, 60_000);

  test("five calls at once rotate once, and the others are told which run it is", async () => {
    const reports = await Promise.all([{}, {}, {}, {}, {}].map(rotate));
    const working = reports.filter(({ status }) => status === "done");
    expect(working).toHaveLength(1);
    expect(new Set(reports.map(({ runId }) => runId)).size).toBe(1);
    expect(reports.filter(({ status }) => status === "running")).toHaveLength(4);
    const [done] = working;
    expect(done && outcomes(done)).toEqual({
      [BUNDLE]: "rotated",
      [GUARD_DATABASE]: "rotated",
      [GUARD_REDIS]: "rotated",
    });
    const deployed = done?.services.map(({ service, status, tasksReplaced }) => [
      service.split("/")[1],
      status,
      tasksReplaced,
    ]);
    // They go out together, and which is asked for first is nobody's concern.
    expect(deployed?.toSorted()).toEqual([
      ["gateway", "succeeded", 2],
      ["tokenguard", "succeeded", 2],
      ["trustguard", "succeeded", 2],
    ]);
    expect(done?.secrets.every(({ oldRefused }) => oldRefused)).toBe(true);
    const proof = await tryOldAndNew(world);
    for (const [name, tries] of Object.entries(proof)) {
      for (const [what, trial] of Object.entries(tries)) {
        expect(trial, `${name}: ${what}`).toEqual({ oldRefused: true, newAccepted: true });
      }
    }
  }, 90_000);

  test("in the bundle every other field keeps its value, and the URL follows its password", async () => {
    const bundle = current(BUNDLE);
    expect(bundle).toMatchObject({
      DEBUG: "false",
      LOG_LEVEL: "INFO",
      STRIPE_ACCOUNT: 0,
      DATABASE_USER: "app_b",
    });
    expect(bundle["DATABASE_URL"]).toBe(
      `postgresql+asyncpg://app_b:${bundle["DATABASE_PASSWORD"]}@127.0.0.1:${world.postgres.port}/postgres`,
    );
    for (const { versions } of world.cloud.secrets.secrets.values()) {
      expect([...versions.values()].filter(({ labels }) => labels.has("AWSPENDING"))).toEqual([]);
    }
  });

  test("only one secret is rotated when only one is named, and only its consumers are deployed", async () => {
    const report = await rotate({ only: ["*tokenguard-database"], reason: "a colleague left" });
    expect(outcomes(report)).toEqual({ [GUARD_DATABASE]: "rotated" });
    expect(report.services.map(({ service }) => service)).toEqual([
      "codeguardians-gateway-cluster/tokenguard",
    ]);
    expect(current(GUARD_DATABASE)["username"]).toBe("tokenguard_a");
    expect(report.reason).toBe("a colleague left");
  }, 60_000);

  test("a plain string is adopted: published, rotated, and its key is gone from the document in the end", async () => {
    const key = "a-plain-signing-key-of-more-than-32-bytes";
    const { secrets } = world.cloud;
    const { arn } = secrets.create("legacy/jwt", key, {
      tags: { "rekey:strategy": "jwt", "rekey:grace": "1", "rekey:skew": "0" },
    });
    const report = await rotate({ only: ["legacy/jwt"] });
    expect(report.secrets).toMatchObject([
      { outcome: "rotated", waves: ["publish", "rotate", "retire"], oldRefused: true },
    ]);
    expect(report.secrets[0]?.notes?.join()).toContain("its plain string becomes a JSON document");
    expect(JSON.stringify(current("legacy/jwt"))).not.toContain(key);
    expect(current("legacy/jwt")["previous"]).toBe(current("legacy/jwt")["current"]);
    secrets.secrets.delete(arn);
  }, 60_000);

  test("the schedule leaves alone what is not due", async () => {
    const report = await rotate({
      "detail-type": "Scheduled Event",
      source: "aws.scheduler",
      id: crypto.randomUUID(),
    });
    expect(new Set(report.secrets.map(({ outcome }) => outcome))).toEqual(new Set(["notDue"]));
    expect(report.services).toEqual([]);
  }, 60_000);

  test("the same event delivered twice is one run", async () => {
    const event = { "detail-type": "Scheduled Event", id: crypto.randomUUID() };
    const [first, second] = [await rotate(event), await rotate(event)];
    expect(second.runId).toBe(first.runId);
    expect(first.runId).toBe(event.id);
  }, 60_000);

  test("with Slack down the rotation goes on, and the message is sent later", async () => {
    const posted = world.cloud.slack.messages.length;
    world.cloud.slack.mood = "down";
    const report = await rotate({ only: [GUARD_REDIS] });
    expect(outcomes(report)).toEqual({ [GUARD_REDIS]: "rotated" });
    expect(world.cloud.slack.messages).toHaveLength(posted);
    world.cloud.slack.mood = "up";
    await world.cloud.lambda.invoke("advance", {});
    const [board, details] = world.cloud.slack.messages.slice(posted);
    expect(board?.revisions.at(-1)?.text).toBe(
      "Secrets rotated 1 of 1 secrets rotated, 1 deployments of 1 services",
    );
    expect(details?.thread).toBe(board?.ts);
    await world.cloud.lambda.invoke("advance", {});
    expect(world.cloud.slack.messages).toHaveLength(posted + 2);
  }, 60_000);

  test("a run whose process is killed is finished by advance", async () => {
    const killed = world.cloud.lambda.start("rotateAll", { only: [GUARD_DATABASE] });
    await new Promise<void>((resolve) => {
      world.cloud.lambda.emitter.on("line", (_name, line) => {
        if (line.includes('"deployment.requested"')) resolve();
      });
    });
    killed.kill();
    await killed.result;
    let reports: Report[] = [];
    await expect
      .poll(
        async () => {
          reports = ((await world.cloud.lambda.invoke("advance", {})).payload ?? []) as Report[];
          return reports.map(({ status }) => status);
        },
        // The dead worker's lease has to run out first.
        { timeout: 150_000, interval: 5_000 },
      )
      .toEqual(["done"]);
    expect(reports[0] && outcomes(reports[0])).toEqual({ [GUARD_DATABASE]: "rotated" });
    expect(reports[0]?.services).toHaveLength(1);
  }, 170_000);

  test("a deployment that fails takes the secret back, and the others carry on", async () => {
    const before = current(GUARD_DATABASE);
    const bundleBefore = current(BUNDLE);
    world.cloud.ecs.failNext("tokenguard", "crash");
    const report = await rotate({ only: [GUARD_DATABASE] });
    expect(report.secrets[0]).toMatchObject({
      outcome: "rolledBack",
      errors: [{ code: "DEPLOYMENT_FAILED" }],
    });
    expect(current(GUARD_DATABASE)).toEqual(before);
    expect(current(BUNDLE)).toEqual(bundleBefore);
    expect(world.cloud.ecs.targets("tokenguard")).toHaveLength(2);
    const [idle] = await world.postgres.query(
      "select rolcanlogin from pg_roles where rolname = 'tokenguard_a'",
    );
    expect([before["username"], idle?.["rolcanlogin"]]).toEqual(["tokenguard_b", false]);
  }, 90_000);

  test("no value of any secret, old or new, ever stood in a command line", () => {
    expect(commandLines.looks).toBeGreaterThan(500);
    expect(commandLines.lines).toContainEqual(expect.stringContaining("lambdaRunner.mjs"));
    expect(commandLines.lines).toContainEqual(expect.stringContaining("redis-server"));
    expect(commandLines.lines).toContainEqual(expect.stringMatching(/^postgres: /));
    expect(commandLines.showing(values())).toEqual([]);
  });

  test("a value that does stand in one is seen", async () => {
    const planted = "planted-value-that-is-no-secret";
    const words = ["-e", "setTimeout(() => {}, 10_000)", planted];
    const child = spawn(process.execPath, words, { stdio: "ignore" });
    try {
      await expect.poll(() => commandLines.showing([planted])).toEqual([planted]);
    } finally {
      const gone = once(child, "exit");
      child.kill();
      await gone;
    }
  });

  test("no value of any secret, old or new, has left in any output", async () => {
    const canaries = values();
    const { password } = passwordOfRedis();
    const nodes = [world.primary, world.replica];
    const places = {
      log: output.join("\n"),
      slack: JSON.stringify(world.cloud.slack.messages),
      trail: JSON.stringify(world.cloud.trail.records),
      postgres: await world.postgres.logText(),
      slowLog: JSON.stringify(
        await Promise.all(nodes.map((node) => node.command({ password }, "SLOWLOG", "GET", "-1"))),
      ),
      redisLog: (await Promise.all(nodes.map((node) => node.logText()))).join("\n"),
    };
    expect(canaries.length).toBeGreaterThan(30);
    for (const [place, text] of Object.entries(places)) {
      expect(text.length, place).toBeGreaterThan(100);
      expect(
        canaries.filter((canary) => text.includes(canary)),
        place,
      ).toEqual([]);
    }
  });
});
