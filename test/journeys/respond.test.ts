/** The buttons of an alert, through the built handlers over the local cloud: Slack, DynamoDB, Secrets Manager and Lambda over HTTP. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dynamoWatchStore } from "../../lib/adapters/dynamoWatch.ts";
import { slackAnnouncer } from "../../lib/adapters/slack.ts";
import { DAY_MS } from "../../lib/detection/history.ts";
import { RULES } from "../../lib/detection/rules.ts";
import type { WatchStore } from "../../lib/detection/watchStore.ts";
import { inPages } from "../../lib/journeys/radiiInThread.ts";
import { tellEpisodes } from "../../lib/journeys/tellEpisodes.ts";
import { watchRecords } from "../../lib/journeys/watch.ts";
import { SecretText } from "../../lib/secret.ts";
import { builtHandlers } from "../builtHandlers.ts";
import { createTable } from "../demo/world.ts";
import { ACCOUNT, ROLE, record } from "../detection/records.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const TABLE = "respond";
const key = (name: string) => `${ACCOUNT}/us-east-1/${name}`;
let cloud: Cloud;
let client: DynamoDBClient;
let store: WatchStore;
let folder: string;
let inbox: string;
let works = 0;
let people = 0;

beforeAll(async () => {
  cloud = await startCloud({ processes: false });
  folder = await mkdtemp(join(tmpdir(), "rekey-respond-"));
  inbox = join(folder, "inbox");
  const worker = join(folder, "rotateAll.cjs");
  await writeFile(
    worker,
    `const { appendFileSync } = require("node:fs");
     exports.handler = async (event) => appendFileSync(${JSON.stringify(inbox)}, JSON.stringify(event) + "\\n");`,
  );
  const options = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "operator", secretAccessKey: "local" },
  };
  // A machine that is busy starts a function late, and what comes of that is a test of its own.
  cloud.slack.views.triggerMs = 60_000;
  await createTable(options, TABLE);
  client = new DynamoDBClient(options);
  store = dynamoWatchStore(TABLE, client);
  cloud.secrets.create("rekey/slack", cloud.slack.token);
  cloud.secrets.create("shop/database", "x", { tags: { "rekey:strategy": "postgres" } });
  cloud.secrets.create("shop/notes", "y");
  const env = {
    ...cloud.env,
    REKEY_TABLE: TABLE,
    REKEY_SLACK_CHANNEL: cloud.slack.channel,
    REKEY_SLACK_SECRET: "rekey/slack",
    REKEY_ROTATE_ALL_FUNCTION: "rekey-dev-rotateAll",
    REKEY_APPROVERS: "U0ALICE U0BOB",
  };
  const { respond = "", suppress = "" } = await builtHandlers();
  for (const [name, bundle] of Object.entries({ respond, suppress, rotateAll: worker }))
    cloud.lambda.register(name, { bundle, env, timeoutSeconds: 60, memoryMb: 512 });
}, 120_000);
beforeEach(async () => {
  await writeFile(inbox, "");
});
afterAll(async () => {
  client?.destroy();
  await cloud?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Alert {
  readonly principal: string;
  readonly ts: string;
  readonly value: string;
}

/** Somebody new, so that each test has an alert of its own. */
async function alertOn(
  changes: readonly Readonly<Record<string, unknown>>[],
  who: "root" | "role" = "root",
): Promise<Alert> {
  const principal = `arn:aws:iam::${ACCOUNT}:${who}-${++people}`;
  const root = { type: "Root", arn: principal, accountId: ACCOUNT };
  const role = { ...ROLE, sessionContext: { sessionIssuer: { arn: principal } } };
  const userIdentity = who === "root" ? root : role;
  const at = new Date(Date.now() - 600_000).toISOString();
  const records = changes.map((change, index) =>
    record({
      userIdentity,
      eventTime: at,
      awsRegion: "us-east-1",
      eventID: `${principal}-${index}`,
      ...change,
    }),
  );
  for (const one of records) cloud.trail.plant(one as Parameters<typeof cloud.trail.plant>[0]);
  const { channel, token } = cloud.slack;
  const apiUrl = cloud.env["SLACK_API_URL"] ?? "";
  const ports = {
    store,
    rules: RULES,
    announcer: slackAnnouncer({ channel, apiUrl, token: async () => new SecretText(token) }),
    tell: () => {},
    now: () => new Date(),
  };
  await watchRecords(ports, ACCOUNT, records);
  await tellEpisodes(ports, ACCOUNT);
  const posted = cloud.slack.messages.filter(({ thread }) => thread === undefined).at(-1);
  const blocks = JSON.stringify(posted?.revisions.at(-1)?.blocks);
  const value = /"value":"([^"]+)"/.exec(blocks)?.[1] ?? "";
  expect(value).toContain(principal);
  return { principal, ts: posted?.ts ?? "", value };
}

const reads = () =>
  alertOn(["shop/database", "shop/notes"].map((secretId) => ({ requestParameters: { secretId } })));

const workId = () => (++works).toString(16).padStart(32, "0");
const work = (request: object, id = workId()) => ({
  ...{ from: "slack", workId: id, receivedAt: new Date().toISOString(), request },
});
const trigger = (atMs?: number) => cloud.slack.views.issueTrigger("U0CAROL", atMs);
const click = ({ ts, value }: Alert, actionId: string, userId = "U0ALICE", triggerId = trigger()) =>
  work({ kind: "click", actionId, value, userId, channelId: cloud.slack.channel, messageTs: ts, triggerId });
const form = (privateMetadata: string, reason: string, days: string, userId = "U0ALICE") =>
  work({
    ...{ kind: "modal", callbackId: "episode-expected", privateMetadata, userId },
    inputs: [
      { blockId: "reason", actionId: "reason", value: reason },
      { blockId: "days", actionId: "days", value: days },
    ],
  });
const metadata = ({ value, ts }: Alert) => JSON.stringify({ ref: value, messageTs: ts });

async function respond(event: unknown): Promise<unknown> {
  const { payload, failure } = await cloud.lambda.invoke("respond", event);
  expect(failure).toBeUndefined();
  return payload;
}
const refusal = async (name: string, event: unknown) =>
  (await cloud.lambda.invoke(name, event)).failure?.errorMessage;
const thread = ({ ts }: Alert) =>
  cloud.slack.messages.filter((one) => one.thread === ts).map(({ revisions }) => revisions[0]?.text ?? "");
const quietOf = async ({ principal }: Alert) =>
  (await store.suppressions(ACCOUNT)).filter((one) => one.principal === principal);
const started = async () =>
  (await readFile(inbox, "utf8"))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

describe("Expected", () => {
  test("asks why and for how long, and keeps nothing quiet before it is answered", async () => {
    const alert = await reads();
    const asks = trigger();
    expect(await respond(click(alert, "episode-expected", "U0CAROL", asks))).toBe("done");
    const view = cloud.slack.views.open.find(({ triggerId }) => triggerId === asks)?.view;
    expect(view).toMatchObject({ callback_id: "episode-expected", private_metadata: metadata(alert) });
    expect(JSON.stringify(view)).toContain(`\`rootTouchesSecret\` on \`${key("shop/database")}\``);
    expect(await quietOf(alert)).toEqual([]);
    expect(thread(alert)).toEqual([]);
  }, 60_000);

  test("keeps each rule and secret of the alert quiet, and says so once, however often it is sent", async () => {
    const alert = await reads();
    const before = Date.now();
    expect(await respond(form(metadata(alert), "the <!channel> yearly test", "7", "U0CAROL"))).toBe("done");
    expect(await respond(form(metadata(alert), "the <!channel> yearly test", "7", "U0CAROL"))).toBe(
      "repeated",
    );
    const kept = await quietOf(alert);
    expect(kept.map(({ rule, secret }) => `${rule} ${secret}`).sort()).toEqual([
      `rootTouchesSecret ${key("shop/database")}`,
      `rootTouchesSecret ${key("shop/notes")}`,
    ]);
    for (const { author, reason, fromMs, untilMs } of kept) {
      expect({ author, reason }).toEqual({ author: "U0CAROL", reason: "the <!channel> yearly test" });
      expect(untilMs - fromMs).toBe(7 * DAY_MS);
      expect(fromMs).toBeGreaterThanOrEqual(before);
    }
    const until = new Date(kept[0]?.untilMs ?? 0).toISOString().slice(0, 16).replace("T", " ");
    expect(thread(alert)).toHaveLength(1);
    expect(thread(alert)[0]).toContain(
      `<@U0CAROL> says this is expected of \`${alert.principal}\`, until ${until} UTC: the yearly test`,
    );
  }, 60_000);

  test.each(["0", "31", "1.5", "", "soon"])(
    "keeps nothing quiet for %j days, and says why",
    async (days) => {
      const alert = await reads();
      expect(await respond(form(metadata(alert), "a test", days))).toBe("refused");
      expect(await quietOf(alert)).toEqual([]);
      expect(thread(alert)).toEqual(["Nothing is kept quiet: days must be a whole number of 1 to 30"]);
    },
    60_000,
  );

  test("is refused for what nobody does without harm", async () => {
    const resourcePolicy = JSON.stringify({
      Statement: [
        { Effect: "Allow", Principal: "*", Action: "secretsmanager:GetSecretValue", Resource: "*" },
      ],
    });
    const put = {
      eventName: "PutResourcePolicy",
      requestParameters: { secretId: "shop/notes", resourcePolicy },
    };
    const alert = await alertOn([put], "role");
    const opened = cloud.slack.views.open.length;
    expect(await respond(click(alert, "episode-expected"))).toBe("refused");
    expect(await respond(click(alert, "episode-expected"))).toBe("repeated");
    expect(cloud.slack.views.open).toHaveLength(opened);
    expect(thread(alert)).toEqual(["publicPolicy cannot be kept quiet: nobody does this without harm."]);
  }, 60_000);

  test("says so when Slack did not wait for the form", async () => {
    const alert = await reads();
    const late = trigger(Date.now() - 3_600_000);
    expect(await respond(click(alert, "episode-expected", "U0ALICE", late))).toBe("refused");
    expect(thread(alert)).toEqual(["Slack did not wait for the form to open. Click once more."]);
  }, 60_000);
});

describe("Rotate now", () => {
  test("is an approver's: anybody else is refused in the thread, and nothing is started", async () => {
    const alert = await reads();
    expect(await respond(click(alert, "episode-rotate", "U0MALLORY"))).toBe("refused");
    expect(thread(alert)).toEqual([
      "<@U0MALLORY> asked for a rotation, and is not an approver; nothing was rotated. Approvers are named in the deployment.",
    ]);
    expect(await started()).toEqual([]);
  }, 60_000);

  test("starts one run over the managed secrets, however often it is clicked, and names the others", async () => {
    const alert = await reads();
    const outcomes = await Promise.all(
      ["U0ALICE", "U0BOB"].map((userId) => respond(click(alert, "episode-rotate", userId))),
    );
    expect(outcomes.sort()).toEqual(["done", "repeated"]);
    await expect.poll(started, { timeout: 20_000 }).toHaveLength(1);
    expect(await started()).toEqual([
      {
        ...{ emergency: false, only: ["shop/database"], force: true },
        reason: expect.stringMatching(/^U0(ALICE|BOB) asked for it on an alert about arn:aws:iam::/),
      },
    ]);
    expect(thread(alert)).toEqual([
      expect.stringMatching(
        /^<@U0(ALICE|BOB)> has started a rotation of `shop\/database`; .*\nNot managed .*: `123456789012\/us-east-1\/shop\/notes`\.$/,
      ),
    ]);
  }, 60_000);

  test("can be tried again when it could not be started", async () => {
    const alert = await reads();
    cloud.slack.mood = "broken";
    expect(await refusal("respond", click(alert, "episode-rotate"))).toContain("Slack did not reply");
    cloud.slack.mood = "up";
    expect(await respond(click(alert, "episode-rotate"))).toBe("done");
    expect(thread(alert)).toHaveLength(1);
  }, 60_000);
});

test("Blast radius says in the thread who read each secret, once", async () => {
  const alert = await reads();
  expect(await respond(click(alert, "episode-blast-radius", "U0CAROL"))).toBe("done");
  expect(await respond(click(alert, "episode-blast-radius", "U0CAROL"))).toBe("repeated");
  const said = thread(alert);
  expect(said[0]).toContain("<@U0CAROL> asked for the blast radius of the last seven days, of");
  for (const name of ["shop/database", "shop/notes"])
    expect(said.filter((text) => text.includes(`# Who read '${name}'`))).toHaveLength(1);
  expect(said.join("\n")).toContain(alert.principal);
  for (const text of said) expect(text.length).toBeLessThanOrEqual(4_000);
}, 60_000);

test("whatever a page holds, Slack takes it, and nothing ends its code or mentions anybody", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(fc.string(), fc.constant("`<!channel>`"), fc.string({ minLength: 4_000, maxLength: 9_000 })),
      ),
      (lines) => {
        const pages = inPages(lines.join("\n"));
        expect(pages.length).toBeLessThanOrEqual(4);
        for (const page of pages.slice(0, 3)) {
          expect(page.length).toBeLessThanOrEqual(4_000);
          expect(page.slice(4, -4)).not.toMatch(/[<>`]/);
        }
      },
    ),
  );
});

describe("nothing is done for", () => {
  const button = (actionId: string, value: string, channelId: string) => ({
    ...{ kind: "click", actionId, value, channelId },
    ...{ userId: "U0ALICE", messageTs: "1764072000.000100", triggerId: "1.2.x" },
  });
  const refused: readonly (readonly [string, () => unknown, string])[] = [
    [
      "a runbook that there is not",
      () => ({ runbook: "leaked-secret", requester: "U0ALICE" }),
      'no runbook is called "leaked-secret"; there are: ',
    ],
    [
      "a runbook that nobody asked for",
      () => ({ runbook: "drift" }),
      "requester must be the id of a Slack user",
    ],
    ["somebody else's event", () => ({}), "runbook must be text"],
    [
      "another button",
      () => work(button("approve", "request-7", cloud.slack.channel)),
      'the button "approve": nothing in this deployment answers it',
    ],
    [
      "a button's other value",
      () => work(button("episode-rotate", "request-7", cloud.slack.channel)),
      "value must be <account>",
    ],
    [
      "another channel",
      () => work(button("episode-rotate", "x", "C0OTHER")),
      "channel C0OTHER is not the one",
    ],
    ["a form that is not ours", () => form("{}", "why", "7"), "private_metadata is not"],
  ];
  test.each(refused)(
    "%s",
    async (_what, event, says) => {
      expect(await refusal("respond", event())).toContain(says);
    },
    60_000,
  );

  test("an alert of which nothing is kept any more, but to say so", async () => {
    const alert = await reads();
    const old = { ...alert, value: alert.value.replace(/\d+$/, "1000") };
    expect(await respond(click(old, "episode-rotate"))).toBe("refused");
    expect(thread(alert)).toEqual([expect.stringContaining("is not kept any more")]);
    expect(await started()).toEqual([]);
  }, 60_000);
});

describe("suppress", () => {
  test("names every field that is wrong", async () => {
    const says = await refusal("suppress", { secret: 7, rule: "", days: 31, why: "x" });
    for (const part of [
      "principal must be",
      "secret must be",
      "rule must be",
      "reason must",
      "author must",
      "days must be a whole number of 1 to 30",
      "why is not a field",
    ])
      expect(says).toContain(part);
    expect(await refusal("suppress", { list: false })).toContain("list must be true");
  }, 60_000);

  test("refuses a rule that does not exist, and one that is always told", async () => {
    const said = { principal: "arn:x", secret: "shop/notes", reason: "a test", author: "alice", days: 7 };
    expect(await refusal("suppress", { ...said, rule: "nothing" })).toContain("rule nothing does not exist");
    expect(await refusal("suppress", { ...said, rule: "publicPolicy" })).toContain("cannot be kept quiet");
  }, 60_000);

  test("keeps quiet what is named, and lists what is in force", async () => {
    const principal = `arn:aws:iam::${ACCOUNT}:role/backup`;
    const said = { principal, rule: "firstRead", reason: "the new backup job", author: "alice" };
    const over = { ...said, secret: key("old"), fromMs: 1, untilMs: 2 };
    await store.suppress(ACCOUNT, over);
    const { failure } = await cloud.lambda.invoke("suppress", { ...said, secret: "shop/notes", days: 7 });
    expect(failure).toBeUndefined();
    const { payload } = await cloud.lambda.invoke("suppress", { list: true });
    const { inForce } = payload as { inForce: readonly Record<string, unknown>[] };
    expect(inForce.filter((one) => one["principal"] === principal)).toEqual([
      { ...said, secret: key("shop/notes"), fromMs: expect.any(Number), untilMs: expect.any(Number) },
    ]);
  }, 60_000);
});
