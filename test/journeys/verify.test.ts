/** The built handler in its own process, in a whole backend: each kind of drift is planted for real, found, and mended by its own line. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DriftReport } from "../../lib/rotation/driftReport.ts";
import type { Report } from "../../lib/rotation/report.ts";
import { BUNDLE, GUARD_DATABASE, GUARD_REDIS, startWorld, type World } from "../demo/world.ts";
import { openShell, type Shell } from "../standin/shell.ts";

const GUARD = "codeguardians-gateway-cluster/tokenguard";

let world: World;
let shell: Shell;
const output: string[] = [];

beforeAll(async () => {
  world = await startWorld({ env: { REKEY_ROLLOUT_SECONDS: "90" } });
  shell = await openShell(world.env);
  world.cloud.lambda.emitter.on("line", (_name, line) => output.push(line));
  // The signing key's old value would live on for as long as a rollout may take; it is looked at, and rotated elsewhere.
  const bundle = secretOf(BUNDLE);
  const { tags } = bundle;
  bundle.tags = new Map([...tags].filter(([key]) => !key.endsWith(":JWT_SECRET_KEY")));
  const report = (await invoke("rotateAll", {})) as Report;
  bundle.tags = tags;
  expect(report.secrets.map(({ outcome, because }) => [outcome, because])).toEqual(
    Array(3).fill(["rotated", "the new value works and the old one is refused"]),
  );
}, 240_000);
afterAll(async () => {
  await shell?.stop();
  await world?.stop();
});

async function invoke(name: string, event: unknown): Promise<unknown> {
  const { payload, failure } = await world.cloud.lambda.invoke(name, event);
  if (failure) throw new Error(`${failure.errorType} ${failure.errorMessage}`);
  return payload;
}
async function verify(...only: readonly string[]): Promise<DriftReport> {
  const report = (await invoke("verify", only.length === 0 ? {} : { only })) as DriftReport;
  output.push(JSON.stringify(report));
  return report;
}
const found = ({ findings }: DriftReport) => findings.map(({ id, secret }) => `${id} ${secret}`).sort();
const mendOf = ({ findings }: DriftReport, id: string) =>
  findings.find((one) => one.id === id)?.mend ?? "false";
const secretOf = (name: string) => world.cloud.secrets.find(name);
const current = (name: string): Record<string, string> =>
  JSON.parse(world.cloud.secrets.read(secretOf(name), undefined, undefined).text);
const asDefault = () => ({ password: String(current(BUNDLE)["REDIS_PASSWORD"]) });

/** Everything that somebody who only looks must leave as it is, the keys in Redis and the records in the table among it. */
async function state(): Promise<string> {
  const { cloud, postgres, primary, replica } = world;
  const labels = [...cloud.secrets.secrets.values()].map(({ name, versions }) => [
    name,
    [...versions.values()].map(({ versionId, labels }) => [versionId, [...labels].sort()]),
  ]);
  const roles = await postgres.query("select rolname, rolcanlogin, rolpassword from pg_authid order by 1");
  const tables = await postgres.query("select relname from pg_class order by 1");
  const nodes = await Promise.all(
    [primary, replica].map(async (node) => [
      await node.command(asDefault(), "ACL", "LIST"),
      await node.command(asDefault(), "DBSIZE"),
      await node.configText(),
    ]),
  );
  const tasks = cloud.ecs.tasks().map(({ taskArn, lastStatus }) => [taskArn, lastStatus]);
  return createHash("sha256").update(JSON.stringify({ labels, roles, tables, nodes, tasks })).digest("hex");
}
const isWrite = /^(Put|Update|Create|Delete|Register|Run|Stop|Restore|Tag|Rotate)/;
const writes = () =>
  world.cloud.trail.records.filter(({ eventName }) => isWrite.test(String(eventName))).length;

test("on a quiet day everything holds, the channel is left in peace, and the log says so", async () => {
  // What the rotation tried its values with is gone from Redis after five seconds.
  await expect
    .poll(() => world.primary.command(asDefault(), "KEYS", "rekey:probe:*"), { timeout: 10_000 })
    .toEqual([]);
  const [before, posted, written] = [await state(), world.cloud.slack.messages.length, writes()];
  const report = await verify();
  expect(report).toMatchObject({ secrets: 3, findings: [], couldNotAsk: 0 });
  expect(report.holds).toBe(report.checks);
  expect(report.summary).toBe(`${report.checks} checks of 3 secrets, everything holds`);
  expect(output.filter((line) => line.includes('"drift.checked"'))).toHaveLength(1);
  expect(world.cloud.slack.messages).toHaveLength(posted);
  expect([await state(), writes()]).toEqual([before, written]);
}, 30_000);

test.each([
  ["an unknown field", { onyl: ["a"] }, "onyl is not a field; known are only"],
  ["a string for a list", { only: "a" }, "only must be a list of names, ARNs or globs"],
  ["a name that matches nothing", { only: ["shop/x"] }, 'only[0]: "shop/x" matches no managed secret'],
  ["a secret without tags", { only: ["rekey/slack"] }, "rekey/slack: carries no rekey:* tag"],
])("%s in the payload is one clear error", async (_what, payload, message) => {
  await expect(invoke("verify", payload)).rejects.toThrow(message);
});

test("each kind of drift is found exactly once, told in one message, and mended by its own line", async () => {
  const { cloud, postgres, primary, replica, seeds } = world;
  await replica.command(asDefault(), "ACL", "SETUSER", String(current(GUARD_REDIS)["username"]), "resetpass");
  await primary.command(asDefault(), "ACL", "SETUSER", "default", `>${seeds.redisPassword}`);
  await replica.command(asDefault(), "ACL", "SETUSER", "default", "resetpass", `>${seeds.redisPassword}`);
  const { username, password } = seeds.guardDatabase;
  await postgres.query(`alter role ${username} login password '${password}'`);
  const stray = crypto.randomUUID();
  cloud.secrets.put(secretOf(BUNDLE), JSON.stringify(current(BUNDLE)), stray, ["AWSPENDING"]);
  const byHand = crypto.randomUUID();
  cloud.secrets.put(secretOf(GUARD_REDIS), JSON.stringify(current(GUARD_REDIS)), byHand, ["AWSCURRENT"]);

  const posted = cloud.slack.messages.length;
  const report = await verify();
  expect(found(report)).toEqual(
    [
      `consumer-behind ${GUARD_REDIS}`,
      `current-refused ${GUARD_REDIS}`,
      `node-reverted ${BUNDLE}`,
      `pending-left ${BUNDLE}`,
      `revoked-accepted ${GUARD_DATABASE}`,
      `revoked-accepted ${BUNDLE}`,
    ].sort(),
  );
  const places = report.findings.flatMap(({ id, evidence }) =>
    evidence.filter(({ what }) => ["node", "version", "tasks"].includes(what)).map(({ is }) => `${id} ${is}`),
  );
  expect(places).toContain(`current-refused 127.0.0.1:${replica.port}`);
  expect(places).toContain(`node-reverted 127.0.0.1:${replica.port}`);
  expect(places).toContain(`revoked-accepted 127.0.0.1:${primary.port}`);
  expect(places).toContain(`revoked-accepted 127.0.0.1:${postgres.port}`);
  expect(places).toContain(`pending-left ${stray}`);
  expect(places).toContain(`consumer-behind ${byHand}`);
  const message = JSON.stringify(cloud.slack.messages.slice(posted).map(({ revisions }) => revisions));
  expect(cloud.slack.messages).toHaveLength(posted + 1);
  for (const { id } of report.findings) expect(message).toContain(`\`${id}\``);

  // Two of one kind: the default user's password is taken off, the login is made anew by a rotation, which wants services
  // that are steady; so the redeployment comes last.
  for (const { mend } of report.findings.filter(({ id }) => id === "revoked-accepted"))
    output.push(await shell.paste(mend));
  for (const id of ["current-refused", "node-reverted", "pending-left", "consumer-behind"])
    output.push(await shell.paste(mendOf(report, id)));
  // The redeployed tasks are still starting, and the machine may be slow to answer at all.
  await expect.poll(async () => found(await verify()), { timeout: 90_000, interval: 2_000 }).toEqual([]);
  // The mended node keeps what it was given.
  await replica.restart();
  expect(found(await verify(BUNDLE, GUARD_REDIS))).toEqual([]);
}, 300_000);

test("a target that is down could not be asked, which is not a refusal", async () => {
  const { primary } = world;
  await primary.kill();
  const report = await verify();
  await primary.restart();
  expect(found(report)).toEqual([`could-not-ask ${BUNDLE}`, `could-not-ask ${GUARD_REDIS}`].sort());
  expect(report.couldNotAsk).toBe(2);
  expect(report.holds).toBe(report.checks - 2);
  expect(report.findings.every(({ severity }) => severity === "low")).toBe(true);
  const answer = await shell.paste(mendOf(report, "could-not-ask"));
  expect(answer).toContain("everything holds");
  output.push(answer);
}, 60_000);

test("with Slack down the report is given all the same", async () => {
  const { secrets, slack } = world.cloud;
  const { arn } = secrets.create("shop/broken", "{}", { tags: { "rekey:strategy": "jwt" } });
  slack.mood = "down";
  const report = await verify("shop/broken");
  slack.mood = "up";
  secrets.secrets.delete(arn);
  expect(found(report)).toEqual(["current-malformed shop/broken"]);
  expect(output.some((line) => line.includes('"slack.failed"'))).toBe(true);
}, 30_000);

test("no value of any secret has left in any output", () => {
  const values = [...world.cloud.secrets.secrets.values()].flatMap(({ versions }) =>
    [...versions.values()].flatMap(({ text }) =>
      Object.values(JSON.parse(text.startsWith("{") ? text : JSON.stringify({ text }))),
    ),
  );
  const canaries = [
    ...world.seeds.canaries,
    ...values.filter((value): value is string => typeof value === "string" && value.length >= 40),
  ];
  const said = output.join("\n") + JSON.stringify(world.cloud.slack.messages);
  expect(said).toContain(GUARD);
  expect(canaries.filter((canary) => said.includes(canary))).toEqual([]);
});
