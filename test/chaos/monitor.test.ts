/** The monitor itself: silent while Rekey rotates, loud when a value dies under a task that holds it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Report } from "../../lib/rotation/report.ts";
import { builtHandlers } from "../builtHandlers.ts";
import { type Ground, watchInvariant } from "./monitor.ts";
import { SECRET, type SmallWorld, startSmallWorld } from "./smallWorld.ts";

let world: SmallWorld;
let ground: Ground;
beforeAll(async () => {
  world = await startSmallWorld("bundle");
  const { cloud, postgres, redis } = world;
  ground = { cloud, redis, ...(postgres ? { postgres } : {}) };
  for (const [name, bundle] of Object.entries(await builtHandlers())) {
    cloud.lambda.register(name, { bundle, env: world.env, timeoutSeconds: 240, memoryMb: 512 });
  }
}, 60_000);
afterAll(() => world?.stop());

const current = (): Record<string, string> =>
  JSON.parse(world.cloud.secrets.read(world.cloud.secrets.find(SECRET), undefined, undefined).text);

async function rounds(watch: { readonly tries: number }, count: number): Promise<void> {
  // In each round two values of one credential, at three servers, and two documents' tokens in every direction.
  const enough = watch.tries + count * 10;
  await expect.poll(() => watch.tries, { timeout: 30_000 }).toBeGreaterThan(enough);
}

test("a rotation of the whole bundle goes by without a refusal, and its values were tried all the time", async () => {
  const [old, watch] = [current(), watchInvariant(ground, { everyMs: 50 })];
  const { payload } = await world.cloud.lambda.invoke("rotateAll", {});
  await rounds(watch, 6);
  await watch.stop();
  expect((payload as Report).secrets).toMatchObject([{ name: SECRET, outcome: "rotated" }]);
  const { DATABASE_USER: username = "", DATABASE_PASSWORD: password = "" } = old;
  await expect(world.postgres?.query("select 1", { username, password })).rejects.toMatchObject({
    code: "28P01",
  });
  expect(watch.refusals).toEqual([]);
  expect(watch.unasked).toEqual({});
  expect(watch.tries).toBeGreaterThan(50);
}, 120_000);

test("a login that is revoked while tasks hold it is reported, once in every round, by version and never by value", async () => {
  const { DATABASE_USER = "", DATABASE_PASSWORD = "" } = current();
  const watch = watchInvariant(ground, { everyMs: 50 });
  await rounds(watch, 3);
  expect(watch.refusals).toEqual([]);
  await world.postgres?.query(`alter role ${DATABASE_USER} nologin`);
  await expect.poll(() => watch.refusals.length, { timeout: 30_000 }).toBeGreaterThan(0);
  await watch.stop();
  await world.postgres?.query(`alter role ${DATABASE_USER} login`);
  expect(watch.refusals[0]).toMatchObject({
    credential: `${SECRET}#DATABASE_PASSWORD`,
    versionId: world.cloud.secrets.holder(world.cloud.secrets.find(SECRET), "AWSCURRENT")?.versionId,
    heldBy: ["AWSCURRENT", expect.stringMatching(/^api\//), expect.stringMatching(/^worker\//)],
    target: `postgres 127.0.0.1:${world.postgres?.port}`,
    answer: "28000",
  });
  expect(JSON.stringify(watch.refusals)).not.toContain(DATABASE_PASSWORD);
}, 60_000);

test("a password that one of two Redis nodes no longer takes is reported for that node alone", async () => {
  const { REDIS_PASSWORD = "" } = current();
  const [, replica] = world.redis;
  const change = (rule: string) => replica?.command(world.redisOperator, "ACL", "SETUSER", "default", rule);
  const watch = watchInvariant(ground, { everyMs: 50 });
  await change(`<${REDIS_PASSWORD}`);
  await expect.poll(() => watch.refusals.length, { timeout: 30_000 }).toBeGreaterThan(0);
  await watch.stop();
  await change(`>${REDIS_PASSWORD}`);
  expect(new Set(watch.refusals.map(({ target, answer }) => `${target} ${answer}`))).toEqual(
    new Set([`redis 127.0.0.1:${replica?.port} WRONGPASS`]),
  );
}, 60_000);

test("a signing key that running tasks do not know is reported: here nothing was published before it signs", async () => {
  const { secrets } = world.cloud;
  const secret = secrets.find(SECRET);
  const before = secrets.holder(secret, "AWSCURRENT");
  const watch = watchInvariant(ground, { everyMs: 50 });
  const hasty = { ...current(), JWT_SECRET_KEY: "k".repeat(43), JWT_SECRET_KEY_NEXT: "n".repeat(43) };
  const { versionId } = secrets.put(secret, JSON.stringify(hasty), crypto.randomUUID());
  await expect
    .poll(() => watch.refusals, { timeout: 30_000 })
    .toContainEqual(
      expect.objectContaining({
        credential: `${SECRET}#JWT_SECRET_KEY`,
        target: `a task with version ${before?.versionId}`,
        answer: `a token signed with version ${versionId}`,
      }),
    );
  secrets.moveLabel(secret, "AWSCURRENT", versionId, before?.versionId);
  await watch.stop();
}, 60_000);

test("a server that is down has refused nothing", async () => {
  const watch = watchInvariant(ground, { everyMs: 50 });
  await rounds(watch, 1);
  await world.redis[1]?.kill();
  await expect.poll(() => Object.keys(watch.unasked), { timeout: 30_000 }).not.toEqual([]);
  await world.redis[1]?.restart();
  await watch.stop();
  expect(watch.refusals).toEqual([]);
  expect(Object.keys(watch.unasked)[0]).toMatch(
    new RegExp(`^redis 127.0.0.1:${world.redis[1]?.port}: (ECONNREFUSED|ECONNRESET|Socket)`),
  );
}, 60_000);

test("a monitor that found nothing to try does not call that a success", async () => {
  const { ecs, fetched } = world.cloud;
  const nothing = { find: world.cloud.secrets.find, secrets: new Map() } as never;
  const watch = watchInvariant({ cloud: { ecs, fetched, secrets: nothing } }, { everyMs: 50 });
  await expect(watch.stop()).rejects.toThrow("has tried no value");
});
