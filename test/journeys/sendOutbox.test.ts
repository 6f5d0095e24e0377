/** The outbox with all its parts: DynamoDB's emulator, Slack's own client against the stand-in, SNS's client against a door. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dynamoOutbox } from "../../lib/adapters/dynamoOutbox.ts";
import { slackChannel } from "../../lib/adapters/slackChannel.ts";
import { snsPager } from "../../lib/adapters/snsPager.ts";
import type { OutboxStore } from "../../lib/incident/channel.ts";
import type { Priority } from "../../lib/incident/outbox.ts";
import { PACE } from "../../lib/incident/outboxSteps.ts";
import type { SendPorts } from "../../lib/journeys/driveThread.ts";
import { say } from "../../lib/journeys/say.ts";
import { sendOutbox } from "../../lib/journeys/sendOutbox.ts";
import { messageOf, section } from "../../lib/message.ts";
import { SecretText } from "../../lib/secret.ts";
import { slackChaos } from "../chaos/slackChaos.ts";
import { createTable } from "../demo/world.ts";
import { memoryOutbox } from "../standin/memoryOutbox.ts";
import { type SlackAlone, startSlackAlone } from "../standin/slackAlone.ts";

const TABLE = "rekey-outbox";
const TOPIC = "arn:aws:sns:us-east-1:123456789012:rekey-dev-alarms";
/** A hundredth of the real times. */
const QUICK = {
  leaseMs: 600,
  settleMs: 300,
  fallbackMs: 600,
  editEveryMs: 0,
  lookEveryMs: 50,
  retryMs: 20,
  mostRetryMs: 100,
};

let alone: SlackAlone;
let sns: Server;
/** What SNS was asked to publish. */
const published: URLSearchParams[] = [];
const told: string[] = [];

beforeAll(async () => {
  alone = await startSlackAlone();
  await createTable(alone.client, TABLE);
  sns = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    published.push(new URLSearchParams(Buffer.concat(chunks).toString()));
    response.setHeader("content-type", "text/xml");
    response.end(
      '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PublishResponse>',
    );
  });
  sns.listen(0, "127.0.0.1");
  await once(sns, "listening");
  const address = sns.address();
  const port = typeof address === "object" && address ? address.port : 0;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SNS: `http://127.0.0.1:${port}`,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "rekey",
    AWS_SECRET_ACCESS_KEY: "local",
  });
});

afterAll(async () => {
  await alone?.stop();
  sns?.closeAllConnections();
  sns?.close();
});

beforeEach(() => {
  alone.slack.mood = "up";
  alone.slack.fault = () => undefined;
  alone.slack.messages.length = 0;
  published.length = 0;
  told.length = 0;
});

function portsFor(): SendPorts {
  return {
    outbox: dynamoOutbox(TABLE, new DynamoDBClient(alone.client)),
    channel: slackChannel({
      channel: alone.slack.channel,
      apiUrl: alone.apiUrl,
      timeoutMs: 150,
      token: async () => new SecretText(alone.slack.token),
    }),
    pager: snsPager(TOPIC),
    tell: (event) => told.push(JSON.stringify(event)),
    now: () => new Date(),
    sleep: (ms) => sleep(ms),
    newId: randomUUID,
    pace: QUICK,
    concurrency: 4,
    silence: { until: new Date(0) },
  };
}

const within = (ms: number) => new Date(Date.now() + ms);
const speak = (ports: SendPorts, threadId: string, key: string, text: string, priority: Priority = "P3") =>
  say(ports, { threadId, key, message: messageOf(text, [section(text)]), priority });
const texts = () =>
  alone.slack.messages.map(
    ({ thread, revisions }) => `${thread ? "reply" : "headline"}: ${revisions.at(-1)?.text}`,
  );

test("what was said stands in the channel: the headline, and the rest in its thread; then nothing is left to do", async () => {
  const ports = portsFor();
  const threadId = randomUUID();
  for (const word of ["one", "two", "three"]) await speak(ports, threadId, word, word);
  await speak(ports, threadId, "one", "one, edited");
  expect(await sendOutbox(ports, within(10_000))).toEqual({ waiting: 0 });
  expect(texts()).toEqual(["headline: one, edited", "reply: two", "reply: three"]);
  expect(alone.slack.messages[0]?.revisions).toHaveLength(1);
  expect(await ports.outbox.announced()).toEqual([]);
  await speak(ports, threadId, "one", "one, closed");
  await sendOutbox(ports, within(10_000));
  expect(alone.slack.messages[0]?.revisions.map(({ text }) => text)).toEqual(["one, edited", "one, closed"]);
});

test("two senders at once say everything once", async () => {
  const [a, b] = [portsFor(), portsFor()];
  const threads = Array.from({ length: 6 }, () => randomUUID());
  for (const threadId of threads)
    for (const word of ["x", "y"]) await speak(a, threadId, word, `${threadId} ${word}`);
  await Promise.all([sendOutbox(a, within(10_000)), sendOutbox(b, within(10_000))]);
  expect(texts()).toHaveLength(12);
  expect(new Set(texts()).size).toBe(12);
});

describe("a post whose answer nobody heard", () => {
  test.each(["silent", "brokenAfter", "resetAfter"] as const)(
    "%s: is found, and not posted again",
    async (is) => {
      const ports = portsFor();
      let calls = 0;
      alone.slack.fault = (method) =>
        method === "chat.postMessage" && ++calls === 1 ? { is, delayMs: 250 } : undefined;
      // Found on a later page, too.
      alone.slack.pageSize = 1;
      await speak(ports, randomUUID(), "k", "only once");
      await sendOutbox(ports, within(10_000));
      alone.slack.pageSize = 100;
      expect(texts()).toEqual(["headline: only once"]);
      expect(told.join("\n")).toContain('"outcome":"found"');
    },
  );

  test("and that was never made is made again", async () => {
    const ports = portsFor();
    let calls = 0;
    alone.slack.fault = () => (++calls === 1 ? { is: "reset" } : undefined);
    await speak(ports, randomUUID(), "k", "at last");
    await sendOutbox(ports, within(10_000));
    expect(texts()).toEqual(["headline: at last"]);
    expect(told.join("\n")).toContain('"outcome":"absent"');
  });
});

test("a message that somebody deleted is posted again when there is something new to say", async () => {
  const ports = portsFor();
  const threadId = randomUUID();
  await speak(ports, threadId, "k", "first");
  await sendOutbox(ports, within(10_000));
  alone.slack.delete(alone.slack.messages[0]?.ts ?? "");
  await speak(ports, threadId, "k", "second");
  await sendOutbox(ports, within(10_000));
  expect(texts()).toEqual(["headline: first", "headline: second"]);
});

test("without Slack a P1 goes out by SNS, marked as fallback, a P3 waits, and both are caught up with", async () => {
  const ports = portsFor();
  alone.slack.mood = "down";
  const [grave, light] = [randomUUID(), randomUUID()];
  await speak(ports, grave, "k", "the key leaked", "P1");
  await speak(ports, light, "k", "a reminder", "P3");
  expect((await sendOutbox(ports, within(1_500))).waiting).toBe(2);
  expect(published.map((form) => form.get("TopicArn"))).toEqual([TOPIC]);
  expect(published[0]?.get("Subject")).toBe("Rekey P1 (fallback, Slack is down)");
  expect(published[0]?.get("Message")).toContain("the key leaked");
  alone.slack.mood = "up";
  await sendOutbox(ports, within(10_000));
  expect(texts().toSorted()).toEqual(["headline: a reminder", "headline: the key leaked"]);
  const noted = alone.slack.messages.filter(({ revisions }) =>
    JSON.stringify(revisions).includes("went out by SNS"),
  );
  expect(noted.map(({ revisions }) => revisions.at(-1)?.text)).toEqual(["the key leaked"]);
  expect(published).toHaveLength(1);
}, 30_000);

describe.each([
  ["the table", () => dynamoOutbox(TABLE, new DynamoDBClient(alone.client))],
  ["the memory that chaos uses", memoryOutbox],
] as const)("an outbox in %s", (_what, open: () => OutboxStore) => {
  test("is saved by whoever read it last, and by nobody else", async () => {
    const store = open();
    const threadId = randomUUID();
    const empty = { threadId, priority: "P3" as const, posts: [], marks: [], rev: 0 };
    expect(await store.read(threadId)).toBeUndefined();
    const saved = await store.save(empty);
    expect(saved?.rev).toBe(1);
    expect(await store.save(empty)).toBeUndefined();
    expect(await store.read(threadId)).toEqual(saved);
  });

  test("is on the list for each announcement, until that one is closed", async () => {
    const store = open();
    const threadId = randomUUID();
    const announcement = (mark: string) => ({ threadId, mark, priority: "P1" as const, at: new Date(1_000) });
    await store.announce(announcement("a"));
    await store.announce(announcement("b"));
    await store.close(announcement("a"));
    const listed = (await store.announced()).filter((one) => one.threadId === threadId);
    expect(listed).toEqual([announcement("b")]);
    await store.close(announcement("b"));
  });
});

test("hundreds of sends, each hurt, with senders and speakers dying: nothing is lost, doubled or out of its place", async () => {
  const result = await slackChaos(120, 20_261_125, () => {});
  expect(result).toMatchObject({ sends: 120, lost: 0, duplicates: 0, misplaced: 0 });
  expect(result.faults).toBeGreaterThanOrEqual(120);
}, 180_000);

test("the times that are real are in the order that reconciling needs", () => {
  expect(PACE.settleMs).toBeGreaterThan(2 * 2_500);
  expect(PACE.leaseMs).toBeGreaterThan(2 * PACE.settleMs);
});
