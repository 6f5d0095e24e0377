import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dynamoWatchStore } from "../../lib/adapters/dynamoWatch.ts";
import { slackAnnouncer } from "../../lib/adapters/slack.ts";
import { DAY_MS } from "../../lib/detection/history.ts";
import { NOTHING_KNOWN } from "../../lib/detection/known.ts";
import { RULES } from "../../lib/detection/rules.ts";
import type { WatchStore } from "../../lib/detection/watchStore.ts";
import { tellEpisodes } from "../../lib/journeys/tellEpisodes.ts";
import { learnRecords, watchRecords } from "../../lib/journeys/watch.ts";
import { watchQueued } from "../../lib/journeys/watchEvent.ts";
import type { WatchPorts } from "../../lib/journeys/watchPorts.ts";
import { SecretText } from "../../lib/secret.ts";
import { createTable } from "../demo/world.ts";
import { ACCOUNT, KEY, ROLE, record } from "../detection/records.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const NOON = Date.parse("2026-11-24T12:00:00Z");
const at = (seconds: number) => new Date(NOON + seconds * 1000).toISOString();
const ROOT = { type: "Root", arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT };
const rootReads = (seconds: number) =>
  record({ userIdentity: ROOT, eventTime: at(seconds), eventID: `root-${seconds}` });

let cloud: Cloud;
let client: DynamoDBClient;
let store: WatchStore;
let clock = NOON;
let ports: WatchPorts;
let tables = 0;

beforeAll(async () => {
  cloud = await startCloud({ processes: false });
});
beforeEach(async () => {
  const options = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  };
  client = new DynamoDBClient(options);
  const table = `watch-${++tables}`;
  await createTable(options, table);
  store = dynamoWatchStore(table, client);
  cloud.slack.messages.length = 0;
  clock = NOON + 600_000;
  const { channel, token } = cloud.slack;
  const apiUrl = cloud.env["SLACK_API_URL"];
  ports = {
    store,
    rules: RULES,
    announcer: slackAnnouncer({
      channel,
      ...(apiUrl ? { apiUrl } : {}),
      token: async () => new SecretText(token),
    }),
    tell: () => {},
    now: () => new Date(clock),
  };
});
afterAll(async () => {
  client?.destroy();
  await cloud?.stop();
});

const watch = async (records: readonly unknown[], own: WatchPorts = ports) => {
  const watched = await watchRecords(own, ACCOUNT, records);
  return { watched, told: await tellEpisodes(own, ACCOUNT, NOTHING_KNOWN) };
};
const posted = () => cloud.slack.messages.filter(({ thread }) => thread === undefined);
const shown = () => posted().map(({ revisions }) => revisions.at(-1)?.text);

const SAYS = "high: The account's root user touched a secret.";

describe("an episode in the channel", () => {
  test("is posted once, though its record comes by two roads", async () => {
    expect((await watch([rootReads(0)])).told).toEqual({ posted: 1, edited: 0, waiting: 0 });
    expect((await watch([rootReads(0)])).told).toEqual({ posted: 0, edited: 0, waiting: 0 });
    expect(shown()).toEqual([SAYS]);
  });

  test("is edited in place as it grows", async () => {
    await watch([rootReads(0)]);
    expect((await watch([rootReads(60)])).told).toEqual({ posted: 0, edited: 1, waiting: 0 });
    expect(posted().map(({ revisions }) => revisions.length)).toEqual([2]);
    expect(JSON.stringify(posted()[0]?.revisions.at(-1)?.blocks)).toContain("2 × GetSecretValue allowed");
  });

  test("is posted once by two who find it at the same time", async () => {
    await Promise.all([watch([rootReads(0)]), watch([rootReads(0)]), watch([rootReads(0)])]);
    await watch([]);
    expect(shown()).toEqual([SAYS]);
  });

  test("waits while Slack is down, and is posted with the next scan", async () => {
    cloud.slack.mood = "broken";
    expect((await watch([rootReads(0)])).told).toEqual({ posted: 0, edited: 0, waiting: 1 });
    cloud.slack.mood = "up";
    expect((await watch([])).told).toEqual({ posted: 1, edited: 0, waiting: 0 });
    expect(shown()).toEqual([SAYS]);
  });

  test("shows no name as more than a name", async () => {
    const hostile = { secretId: "<!channel> *x* https://evil.example" };
    await watch([record({ userIdentity: ROOT, requestParameters: hostile })]);
    const text = JSON.stringify(posted()[0]?.revisions[0]?.blocks);
    expect(text).toContain("&lt;!channel&gt;");
    expect(text).not.toContain("<!channel>");
  });
});

test("who dies after any write and comes again posts one message, with everything in it", async () => {
  const writes = ["keep", "learn", "suppress"] as const;
  let killed = 0;
  for (let fatal = 1; fatal <= 30; fatal++) {
    const principal = `arn:aws:iam::${ACCOUNT}:root-${fatal}`;
    const records = [0, 60].map((seconds) =>
      record({
        userIdentity: { ...ROOT, arn: principal },
        eventTime: at(seconds),
        eventID: `kill-${fatal}-${seconds}`,
      }),
    );
    let count = 0;
    const dying = { ...store };
    for (const name of writes) {
      const write = store[name].bind(store) as (...args: unknown[]) => Promise<unknown>;
      Object.assign(dying, {
        [name]: async (...args: unknown[]) => {
          const answer = await write(...args);
          if (++count === fatal) throw new Error("killed");
          return answer;
        },
      });
    }
    const before = posted().length;
    const isKilled = await watch(records, { ...ports, store: dying }).then(
      () => false,
      (error: Error) => error.message === "killed",
    );
    if (!isKilled) break;
    killed++;
    // What the dead one had claimed is free after a minute.
    clock += 61_000;
    await watch(records);
    clock += 61_000;
    await watch([]);
    expect(posted().length - before).toBe(1);
    expect(JSON.stringify(posted().at(-1)?.revisions.at(-1)?.blocks)).toContain("2 × GetSecretValue allowed");
  }
  expect(killed).toBeGreaterThanOrEqual(4);
});

describe("what somebody said is expected", () => {
  const suppression = {
    principal: ROOT.arn,
    secret: KEY,
    rule: "rootTouchesSecret",
    reason: "the yearly test of the root user",
    author: "U1",
    fromMs: NOON - DAY_MS,
    untilMs: NOON + DAY_MS,
  };

  test("is not told", async () => {
    await store.suppress(ACCOUNT, suppression);
    await watch([rootReads(0)]);
    expect(shown()).toEqual([]);
  });

  test("is told when it is another secret", async () => {
    await store.suppress(ACCOUNT, { ...suppression, secret: `${KEY}-2` });
    await watch([rootReads(0)]);
    expect(shown()).toEqual([SAYS]);
  });

  test("is told again when its time is over", async () => {
    await store.suppress(ACCOUNT, { ...suppression, untilMs: NOON - 1 });
    await watch([rootReads(0)]);
    expect(shown()).toEqual([SAYS]);
  });
});

describe("what is usual", () => {
  const reads = (seconds: number, role = "shop-task") =>
    record({
      eventTime: at(seconds),
      userIdentity: {
        ...ROLE,
        sessionContext: { sessionIssuer: { arn: `arn:aws:iam::${ACCOUNT}:role/${role}` } },
      },
    });

  test("is learnt from the history, and tells what is new from then on", async () => {
    const month = -30 * 86_400;
    await learnRecords(ports, ACCOUNT, [reads(month)]);
    expect((await watch([reads(0), reads(1, "reports")])).watched.dry).toEqual({ firstRead: 1 });
    expect(shown()).toEqual([]);
    await store.seeded(ACCOUNT, NOON);
    await watch([reads(10), reads(11, "mallory")]);
    expect(shown()).toEqual(["medium: Somebody read a secret that they had never read before."]);
  });

  test("is the same in whatever order the history is read, and however often", async () => {
    const history = [-3, -2, -1].map((day) => reads(day * 86_400));
    await learnRecords(ports, ACCOUNT, [history[2], history[0]]);
    await Promise.all([
      learnRecords(ports, ACCOUNT, history),
      learnRecords(ports, ACCOUNT, history.toReversed()),
    ]);
    const role = `arn:aws:iam::${ACCOUNT}:role/shop-task`;
    const { seen } = await store.usual(ACCOUNT, [role]);
    expect(seen.get(role)?.get(`reads ${ACCOUNT}/shop/database`)).toEqual({
      firstMs: NOON - 3 * DAY_MS,
      lastMs: NOON - DAY_MS,
    });
  });
});

test("a consumer that has not read what its secret was given is told with the next scan, once", async () => {
  const role = `arn:aws:iam::${ACCOUNT}:role/service/shop-task`;
  const promoted = { atMs: NOON - 7_200_000, reReadByMs: NOON - 60_000 };
  const known = { ...NOTHING_KNOWN, secrets: new Map([[KEY, { consumers: new Set([role]), promoted }]]) };
  await learnRecords(ports, ACCOUNT, [record({ eventTime: at(-86_400) })]);
  for (const expected of [1, 0]) {
    // A page of the scan, and then its end.
    await watchRecords(
      ports,
      ACCOUNT,
      [record({ eventTime: at(0), requestParameters: { secretId: "other" } })],
      known,
    );
    await watchRecords(ports, ACCOUNT, [], known);
    expect((await tellEpisodes(ports, ACCOUNT, known)).posted).toBe(expected);
  }
  expect(shown()).toEqual(["low: A consumer has not read the value that its secret was given."]);
});

test("events that come by the queue are looked at together, and what is none of them stops nothing", async () => {
  const told: unknown[] = [];
  const body = (seconds: number) => JSON.stringify({ account: ACCOUNT, detail: rootReads(seconds) });
  const batch = { Records: [{ body: body(0) }, { body: "{" }, { body: "[]" }, { body: body(60) }] };
  const reports = await watchQueued({ ...ports, tell: (line) => void told.push(line) }, batch);
  expect(reports).toMatchObject([{ records: 2, events: 2, told: { posted: 1 } }]);
  expect(told).toContainEqual({ event: "access.broken", messages: 2 });
  expect(shown()).toEqual([SAYS]);
});

test("what comes days late is told, also if Slack is down at first", async () => {
  clock = NOON + 3 * 86_400_000;
  cloud.slack.mood = "broken";
  await watch([rootReads(0)]);
  clock += 3_600_000;
  await watch([rootReads(86_400)]);
  clock += 3_600_000;
  await watch([]);
  cloud.slack.mood = "up";
  await watch([]);
  expect(shown()).toEqual([SAYS, SAYS]);
  // Told, and over: nothing of it is kept.
  clock += 61_000;
  await watch([]);
  expect((await store.kept(ACCOUNT, ROOT.arn)).watched.matches).toEqual(new Map());
});
