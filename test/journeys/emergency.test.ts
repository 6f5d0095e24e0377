/** A leaked value, on the built handlers with real servers and tasks: it dies first, and the services come back after. */
import { ECSClient, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Report } from "../../lib/rotation/report.ts";
import { tryOldAndNew } from "../demo/proof.ts";
import { BUNDLE, CLUSTER, GUARD_DATABASE, GUARD_REDIS, startWorld, type World } from "../demo/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ env: { REKEY_ROLLOUT_SECONDS: "60", REKEY_LEASE_SECONDS: "4" } });
}, 90_000);
afterAll(() => world?.stop());

async function rotate(payload: object): Promise<Report> {
  const { payload: report, failure } = await world.cloud.lambda.invoke("rotateAll", payload);
  if (failure) throw new Error(failure.errorMessage);
  return report as Report;
}
const leak = (...only: string[]) => rotate({ emergency: true, only, reason: "found in a public repository" });
const current = (name: string) => {
  const { text, versionId } = world.cloud.secrets.read(world.cloud.secrets.find(name), undefined, undefined);
  return { versionId, fields: JSON.parse(text) as Record<string, string> };
};
/** As EventBridge does every minute. */
const finished = () =>
  expect
    .poll(
      async () => {
        const { payload } = await world.cloud.lambda.invoke("advance", {});
        return ((payload ?? []) as Report[]).map(({ status }) => status);
      },
      { timeout: 90_000, interval: 1_000 },
    )
    .toEqual(["done"]);
const lineOf = (text: string) =>
  new Promise<number>((resolve) => {
    world.cloud.lambda.emitter.on("line", (_name, line) => {
      if (line.includes(text)) resolve(Date.now());
    });
  });

describe("an emergency", () => {
  test.each([
    [{ emergency: true }, ["only is required", "reason is required"]],
    [{ emergency: true, only: [BUNDLE] }, ["reason is required"]],
    [{ emergency: true, reason: "leaked" }, ["only is required"]],
  ])("%j is refused, naming what is missing", async (payload, problems) => {
    const failure = await rotate(payload).catch((error: Error) => error.message);
    for (const problem of problems) expect(failure).toContain(problem);
  });

  test("planned, it says that the old values die before the services are redeployed, and changes nothing", async () => {
    const before = current(BUNDLE).versionId;
    const plan = await rotate({ emergency: true, only: [BUNDLE], reason: "drill", dryRun: true });
    expect(plan.summary).toContain("old values die before services are redeployed");
    expect(current(BUNDLE).versionId).toBe(before);
  });

  test("kills the leaked values before any deployment ends, and says whom it cut off", async () => {
    // The pools of gateway and guards connect when they are first asked.
    await tryOldAndNew(world);
    const before = current(BUNDLE);
    const deployed = lineOf('"deployment.done"');
    const calledAt = Date.now();
    const report = await leak(BUNDLE, GUARD_DATABASE);
    const deploymentAfter = (await deployed) - calledAt;
    expect(report.secrets.map(({ name, outcome }) => [name, outcome])).toEqual([
      [BUNDLE, "rotated"],
      [GUARD_DATABASE, "rotated"],
    ]);
    const died = Object.fromEntries(
      report.secrets.flatMap(({ emergency }) => Object.entries(emergency?.diedAfterSeconds ?? {})),
    );
    expect(Object.keys(died).sort()).toEqual([
      `${BUNDLE}#DATABASE_PASSWORD`,
      `${BUNDLE}#JWT_SECRET_KEY`,
      `${BUNDLE}#REDIS_PASSWORD`,
      GUARD_DATABASE,
    ]);
    for (const label of [`${BUNDLE}#DATABASE_PASSWORD`, `${BUNDLE}#REDIS_PASSWORD`, GUARD_DATABASE]) {
      expect((died[label] ?? 0) * 1000, label).toBeLessThan(deploymentAfter);
    }
    const cut = report.secrets.flatMap(({ emergency }) => emergency?.cut ?? []);
    expect(new Set(cut.map(({ login }) => login))).toEqual(new Set(["app_a", "tokenguard_a", "default"]));
    expect(report.secrets[0]?.because).toMatch(
      /was dead .* after the call; \d+ sessions on it were ended: app_a from/,
    );
    expect(report.services.map(({ status }) => status)).toEqual(["succeeded", "succeeded", "succeeded"]);
    // Whoever read the document knew the next key as well.
    const after = current(BUNDLE).fields;
    expect([
      after["JWT_SECRET_KEY"],
      after["JWT_SECRET_KEY_NEXT"],
      after["JWT_SECRET_KEY_PREVIOUS"],
    ]).not.toContain(before.fields["JWT_SECRET_KEY_NEXT"]);
    expect(after["JWT_SECRET_KEY_PREVIOUS"]).toBe(after["JWT_SECRET_KEY"]);
    const proof = await tryOldAndNew(world);
    for (const name of [BUNDLE, GUARD_DATABASE])
      for (const [what, trial] of Object.entries(proof[name] ?? {}))
        expect(trial, `${name}: ${what}`).toEqual({ oldRefused: true, newAccepted: true });
  }, 60_000);

  test("does not bring a leaked value back when a deployment fails: it waits for whoever deploys again", async () => {
    const before = current(GUARD_DATABASE);
    world.cloud.ecs.failNext("tokenguard", "crash");
    const report = await leak(GUARD_DATABASE);
    expect(report.secrets[0]).toMatchObject({ name: GUARD_DATABASE, outcome: "open" });
    expect(current(GUARD_DATABASE).versionId).not.toBe(before.versionId);
    await expect(
      world.postgres.query("select 1", {
        username: before.fields["username"] ?? "",
        password: before.fields["password"] ?? "",
      }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/28P01|28000/) });
    expect(report.open[0]).toContain(`the on-call must deploy ${CLUSTER}/tokenguard again`);
    const ecs = new ECSClient(world.client);
    await ecs.send(
      new UpdateServiceCommand({ cluster: CLUSTER, service: "tokenguard", forceNewDeployment: true }),
    );
    ecs.destroy();
    await finished();
    expect(current(GUARD_DATABASE).versionId).toBe(report.secrets[0]?.newVersionId);
    expect(world.cloud.ecs.targets("tokenguard")).toHaveLength(2);
  }, 90_000);

  test("ends an earlier rotation that is still in its grace period, and goes on from there", async () => {
    const secret = world.cloud.secrets.find(GUARD_REDIS);
    secret.tags.set("rekey:grace", "3600");
    const routine = await rotate({ only: [GUARD_REDIS] });
    expect(routine.status).toBe("open");
    const waiting = current(GUARD_REDIS);
    const refused = await rotate({ only: [GUARD_REDIS] });
    expect(refused.secrets[0]?.errors?.[0]?.code).toBe("ROTATION_OPEN");
    const report = await leak(GUARD_REDIS);
    secret.tags.delete("rekey:grace");
    expect(report.secrets[0]).toMatchObject({ outcome: "rotated", oldVersionId: waiting.versionId });
    const { fields } = current(GUARD_REDIS);
    const accepted = async ({ username = "", password = "" }: Record<string, string>) =>
      world.primary.command({ username, password }, "PING").then(
        () => true,
        () => false,
      );
    expect(await accepted(fields)).toBe(true);
    expect(await accepted(waiting.fields)).toBe(false);
    expect(await accepted({ ...world.seeds.guardRedis })).toBe(false);
  }, 90_000);
});

describe("a worker that freezes", () => {
  test("and thaws after others have rotated twice does no harm and says so", async () => {
    const frozen = world.cloud.lambda.start("rotateAll", { only: [GUARD_DATABASE] });
    await lineOf('"phase":"promote"');
    process.kill(frozen.pid ?? 0, "SIGSTOP");
    await finished();
    const second = await rotate({ only: [GUARD_DATABASE] });
    expect(second.secrets[0]?.outcome).toBe("rotated");
    const before = [
      current(GUARD_DATABASE).versionId,
      await world.postgres.query("select rolname, rolcanlogin, rolpassword from pg_authid order by 1"),
    ];
    const deployments = world.cloud.ecs.tasks().length;
    process.kill(frozen.pid ?? 0, "SIGCONT");
    const { payload, failure } = await frozen.result;
    expect(failure).toBeUndefined();
    expect((payload as Report).status).toBe("done");
    expect([
      current(GUARD_DATABASE).versionId,
      await world.postgres.query("select rolname, rolcanlogin, rolpassword from pg_authid order by 1"),
    ]).toEqual(before);
    expect(world.cloud.ecs.tasks().length).toBe(deployments);
  }, 120_000);
});
