/**
 * The whole way of a read: made with the real client, recorded by the local cloud's CloudTrail, found by the scan and told in
 * the channel, over HTTP. The scan looks from twelve minutes ahead, so that what just happened is neither too young for it nor
 * still waited for.
 */
import { randomUUID } from "node:crypto";
import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { callLedger, invocationsIn } from "../../lib/adapters/callLedger.ts";
import { cloudTrailLog } from "../../lib/adapters/cloudTrail.ts";
import { dynamoCursors } from "../../lib/adapters/dynamoCursor.ts";
import { dynamoRotationLog } from "../../lib/adapters/dynamoDb.ts";
import { dynamoWatchStore } from "../../lib/adapters/dynamoWatch.ts";
import { ecsFleet } from "../../lib/adapters/ecs.ts";
import { secretsManagerStore } from "../../lib/adapters/secretsManager.ts";
import { slackAnnouncer } from "../../lib/adapters/slack.ts";
import { parseConfig } from "../../lib/config.ts";
import { newCursor, newSeed } from "../../lib/detection/cursor.ts";
import { RULES } from "../../lib/detection/rules.ts";
import { watchEvent } from "../../lib/journeys/watchEvent.ts";
import { type WatchScanPorts, watchScan } from "../../lib/journeys/watchScan.ts";
import { SecretText } from "../../lib/secret.ts";
import { createTable, startWorld, type World } from "../demo/world.ts";
import { readAt } from "../detection/scanWorld.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const ACCOUNT = "123456789012";
const PLACE = `${ACCOUNT}/us-east-1`;
const REKEY = `arn:aws:iam::${ACCOUNT}:role/rekey`;
const AHEAD_MS = 12 * 60_000;
const NEXT_SCAN_MS = 5 * 60_000;
const LISTED = "high: Somebody listed the secrets and then read several of them.";
const UNMARKED = "critical: A secret was read with Rekey's own role, and Rekey did not do it.";

let aheadMs = AHEAD_MS;
const ahead = () => new Date(Date.now() + aheadMs);
const closing: (() => void)[] = [];

/** As `onScanAccess` builds them, but for the clock and the pace. */
function portsFor(cloud: Cloud, table: string): WatchScanPorts {
  const trail = new CloudTrailClient({ maxAttempts: 1 });
  const dynamo = new DynamoDBClient({});
  closing.push(
    () => trail.destroy(),
    () => dynamo.destroy(),
  );
  const { clusters, ...settings } = parseConfig({ REKEY_TABLE: table });
  const store = secretsManagerStore(callLedger(table, dynamo));
  const tell = () => {};
  return {
    accessLog: cloudTrailLog(trail, (call) => call()),
    cursors: dynamoCursors(table, dynamo),
    watch: {
      store: dynamoWatchStore(table, dynamo),
      rules: RULES,
      announcer: slackAnnouncer({
        channel: cloud.slack.channel,
        ...(cloud.env["SLACK_API_URL"] ? { apiUrl: cloud.env["SLACK_API_URL"] } : {}),
        token: async () => new SecretText(cloud.slack.token),
      }),
      tell,
      now: ahead,
    },
    account: { store, fleet: ecsFleet(clusters), log: dynamoRotationLog(table, dynamo), tell, settings },
    ourSelves: async () => ({
      roles: [REKEY],
      accounts: [],
      namesBegin: "rekey-dev-",
      invocations: await invocationsIn(table, dynamo),
    }),
    tell,
    now: ahead,
    sleep: async () => {},
  };
}

/** From now on, what nobody did before is told of: the ninety days before are said to have been read. */
const seedNow = ({ cursors }: WatchScanPorts) =>
  cursors.save({ ...newSeed(newCursor(PLACE, Date.now())), completeAtMs: Date.now() });
/** The clock moves before each: sooner, it would not be time for another look. */
async function scan(ports: WatchScanPorts) {
  aheadMs += NEXT_SCAN_MS;
  const report = await watchScan(ports, { deadline: new Date(Date.now() + 3_600_000) });
  expect(report.records).toBeGreaterThan(0);
  return report;
}
const stubbed = (env: Readonly<Record<string, string>>) => {
  for (const [name, value] of Object.entries(env)) if (name !== "PATH") vi.stubEnv(name, value);
};
/** By the role that the access key names. */
async function as<T>(cloud: Cloud, accessKeyId: string, does: (client: SecretsManagerClient) => Promise<T>) {
  const credentials = { accessKeyId, secretAccessKey: "local" };
  const client = new SecretsManagerClient({ endpoint: cloud.endpoint, region: "us-east-1", credentials });
  try {
    return await does(client);
  } finally {
    client.destroy();
  }
}

afterAll(() => {
  for (const close of closing) close();
  vi.unstubAllEnvs();
});

describe("somebody who lists the secrets and takes four of them", () => {
  const NAMES = ["shop/database", "shop/cache", "mail/key", "billing/token"];
  let cloud: Cloud;
  let ports: WatchScanPorts;

  beforeEach(async () => {
    aheadMs = AHEAD_MS;
    cloud = await startCloud({ processes: false });
    stubbed(cloud.env);
    const table = `scan-${randomUUID()}`;
    const credentials = { accessKeyId: "rekey", secretAccessKey: "local" };
    await createTable({ endpoint: cloud.endpoint, region: "us-east-1", credentials }, table);
    for (const name of NAMES) cloud.secrets.create(name, "a value that nobody is to see");
    ports = portsFor(cloud, table);
    await seedNow(ports);
    await as(cloud, "intruder.i-0abc", async (client) => {
      await client.send(new ListSecretsCommand({}));
      for (const SecretId of NAMES) await client.send(new GetSecretValueCommand({ SecretId }));
    });
    return () => cloud.stop();
  });
  const posted = () => cloud.slack.messages.filter(({ thread }) => thread === undefined);
  const shown = () => posted().map(({ revisions }) => revisions.at(-1)?.text);
  const blocks = () => JSON.stringify(posted()[0]?.revisions.at(-1)?.blocks);
  const events = () =>
    cloud.trail.records.filter(({ userIdentity }) => JSON.stringify(userIdentity).includes("intruder"));
  async function replayAsEvents() {
    for (const detail of events()) await watchEvent(ports.watch, { account: ACCOUNT, detail });
  }

  test("is told of once, with everything taken, and without a value", async () => {
    expect((await scan(ports)).told).toMatchObject({ posted: 1 });
    expect(shown()).toEqual([LISTED]);
    expect(blocks()).toContain(`${ACCOUNT}:role/intruder`);
    expect(blocks()).toContain("4 secret(s)");
    expect(blocks()).toContain("4 × GetSecretValue allowed");
    expect(JSON.stringify(cloud.slack.messages)).not.toContain("a value that nobody");
    expect((await scan(ports)).told).toEqual({ posted: 0, edited: 0, waiting: 0 });
    expect(shown()).toEqual([LISTED]);
  });

  test("is told of once, though the events come after the scan", async () => {
    await scan(ports);
    const before = JSON.stringify(cloud.slack.messages);
    expect(events().length).toBe(5);
    await replayAsEvents();
    expect(JSON.stringify(cloud.slack.messages)).toBe(before);
  });

  test("is told of once, though the events come before the scan", async () => {
    await replayAsEvents();
    expect(shown()).toEqual([LISTED]);
    const before = JSON.stringify(cloud.slack.messages);
    expect(blocks()).toContain("4 × GetSecretValue allowed");
    expect((await scan(ports)).told).toEqual({ posted: 0, edited: 0, waiting: 0 });
    expect(JSON.stringify(cloud.slack.messages)).toBe(before);
  });

  test("is told of by a scan that fails half-way, and not again by the next", async () => {
    // Older, and more than the first page has room for.
    for (let index = 0; index < 60; index++)
      cloud.trail.plant({
        ...readAt(`random-${index}`, Date.now() - 300_000),
        eventName: "GetRandomPassword",
        awsRegion: "us-east-1",
      });
    let calls = 0;
    const failing: WatchScanPorts["accessLog"] = {
      ...ports.accessLog,
      page: async (...asked) => {
        if (++calls > 1) throw new Error("the connection is gone");
        return ports.accessLog.page(...asked);
      },
    };
    await expect(scan({ ...ports, accessLog: failing })).rejects.toThrow("the connection is gone");
    expect(shown()).toEqual([LISTED]);
    expect(await scan(ports)).toMatchObject({ outcome: "caught up", gaps: [], told: { posted: 0 } });
    expect(shown()).toEqual([LISTED]);
  });
});

describe("beside Rekey's own rotation", () => {
  let world: World;
  let ports: WatchScanPorts;
  let before = 0;

  beforeAll(async () => {
    aheadMs = AHEAD_MS;
    world = await startWorld({ env: { REKEY_ROLLOUT_SECONDS: "20" }, cloud: { allowShadowedKeys: true } });
    stubbed(world.cloud.env);
    ports = portsFor(world.cloud, world.env["REKEY_TABLE"] ?? "");
    await seedNow(ports);
  }, 90_000);
  afterAll(() => world?.stop());
  beforeEach(() => {
    before = world.cloud.slack.messages.length;
  });
  const posted = () =>
    world.cloud.slack.messages
      .slice(before)
      .filter(({ thread }) => thread === undefined)
      .map(({ revisions }) => revisions.at(-1)?.text);

  test("rotations made by Rekey never alert", async () => {
    // The tasks' own start is what is usual.
    expect((await scan(ports)).told).toEqual({ posted: 0, edited: 0, waiting: 0 });
    const { payload } = await world.cloud.lambda.invoke("rotateAll", {});
    expect(payload).toMatchObject({ status: "done" });
    const { length: afterRotation } = world.cloud.slack.messages;
    const report = await scan(ports);
    expect(report.told).toEqual({ posted: 0, edited: 0, waiting: 0 });
    expect(world.cloud.slack.messages.length).toBe(afterRotation);
    // It did look at the rotation, and at what the new tasks read.
    expect(report.fresh).toBeGreaterThan(50);
    const actions = new Set(world.cloud.trail.records.map(({ eventName }) => eventName));
    for (const action of ["GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"])
      expect(actions).toContain(action);
  }, 120_000);

  test("a read with Rekey's role and without its mark is critical", async () => {
    await as(world.cloud, "rekey.stolen", (client) =>
      client.send(new GetSecretValueCommand({ SecretId: "rekey/slack" })),
    );
    expect((await scan(ports)).told).toMatchObject({ posted: 1 });
    expect(posted()).toEqual([UNMARKED]);
  }, 60_000);
});
