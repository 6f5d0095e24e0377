/**
 * Slack's door as it is deployed: the handler's bundle in a process of its own, the signing secret in Secrets Manager, the
 * requests it remembers in DynamoDB, and its work handed to a function that keeps what it is given.
 */
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isSlackWork, readSlackWork } from "../../lib/incident/slackWork.ts";
import { builtHandlers } from "../builtHandlers.ts";
import { createTable } from "../demo/world.ts";
import { CLICK, COMMAND, commandForm, MODAL, payloadForm } from "../incident/slackForms.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
const TABLE = "rekey-door";

let cloud: Cloud;
let folder: string;
/** One line for each event that the worker was given. */
let inbox: string;

beforeAll(async () => {
  cloud = await startCloud();
  folder = await mkdtemp(join(tmpdir(), "rekey-door-"));
  inbox = join(folder, "inbox");
  await writeFile(inbox, "");
  const worker = join(folder, "respond.cjs");
  await writeFile(
    worker,
    `const { appendFileSync } = require("node:fs");
     exports.handler = async (event) => appendFileSync(${JSON.stringify(inbox)}, JSON.stringify(event) + "\\n");`,
  );
  const client = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "operator", secretAccessKey: "local" },
  };
  await createTable(client, TABLE);
  cloud.secrets.create("rekey/slack-signing", JSON.stringify({ signingSecret: SECRET }));
  const { slackAction = "" } = await builtHandlers();
  const env = {
    ...cloud.env,
    REKEY_TABLE: TABLE,
    REKEY_SLACK_SIGNING_SECRET: "rekey/slack-signing",
    REKEY_SLACK_TEAM: "T0REKEY",
    REKEY_SLACK_APP: "A0REKEY",
    REKEY_RESPOND_FUNCTION: "rekey-dev-respond",
  };
  cloud.lambda.register("slackAction", { bundle: slackAction, env, timeoutSeconds: 30, memoryMb: 512 });
  cloud.lambda.register("notSetUp", {
    bundle: slackAction,
    env: { ...cloud.env, REKEY_TABLE: TABLE },
    timeoutSeconds: 30,
    memoryMb: 512,
  });
  cloud.lambda.register("respond", { bundle: worker, env: cloud.env, timeoutSeconds: 30, memoryMb: 128 });
}, 120_000);

afterAll(async () => {
  await cloud?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** As a function URL hands it over, with the body in base64. */
function event(body: string | Buffer, changes: Record<string, string> = {}, ahead = 0) {
  const raw = Buffer.from(body);
  const time = Math.floor(Date.now() / 1000) + ahead;
  const signature = createHmac("sha256", SECRET).update(`v0:${time}:`).update(raw).digest("hex");
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    "x-slack-request-timestamp": String(time),
    "x-slack-signature": `v0=${signature}`,
    ...changes,
  };
  return { version: "2.0", headers, body: raw.toString("base64"), isBase64Encoded: true };
}

const invoke = async (sent: unknown, name = "slackAction") => {
  const { payload, failure, log } = await cloud.lambda.invoke(name, sent);
  expect(failure).toBeUndefined();
  return { answer: payload as { statusCode: number; body: string }, log };
};

async function received(): Promise<unknown[]> {
  const text = await readFile(inbox, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

test("a click is acknowledged with nothing, and becomes one piece of work", async () => {
  const { answer } = await invoke(event(payloadForm({ ...CLICK, trigger_id: "1.1.first" })));
  expect(answer).toMatchObject({ statusCode: 200, body: "" });
  await expect.poll(received, { timeout: 20_000 }).toHaveLength(1);
  const [work] = await received();
  expect(isSlackWork(work)).toBe(true);
  expect(readSlackWork(work)).toMatchObject({
    workId: expect.stringMatching(/^[0-9a-f]{32}$/),
    request: { kind: "click", actionId: "approve", value: "request-7", userId: "U0ALICE" },
  });
}, 60_000);

test("a command is answered to the person who gave it; a body that is not in base64 is read as well", async () => {
  const before = (await received()).length;
  const body = commandForm(COMMAND);
  const { answer } = await invoke({ ...event(body), body, isBase64Encoded: false });
  expect(answer.statusCode).toBe(200);
  expect(JSON.parse(answer.body)).toEqual({
    response_type: "ephemeral",
    text: "Rekey is on it; the answer follows in a moment.",
  });
  await expect.poll(received, { timeout: 20_000 }).toHaveLength(before + 1);
}, 60_000);

describe("nothing is done for", () => {
  const refused: readonly (readonly [string, number, () => unknown])[] = [
    [
      "a forged signature",
      401,
      () => event(payloadForm(CLICK), { "x-slack-signature": `v0=${"0".repeat(64)}` }),
    ],
    [
      "a request without a signature",
      401,
      () => ({ headers: {}, body: payloadForm(CLICK), isBase64Encoded: false }),
    ],
    ["an old request", 401, () => event(payloadForm(CLICK), {}, -305)],
    ["a request from the future", 401, () => event(payloadForm(CLICK), {}, 305)],
    ["a body that is not UTF-8", 400, () => event(Buffer.from([0x70, 0xff, 0xfe]))],
    ["a body that is too large", 400, () => event(`payload=${"a".repeat(1_100_000)}`)],
    ["another team", 401, () => event(payloadForm({ ...CLICK, team: { id: "T0OTHER" } }))],
    ["another app", 401, () => event(payloadForm({ ...MODAL, api_app_id: "A0OTHER" }))],
  ];

  test("requests that are forged, old, early, unreadable, oversized or somebody else's", async () => {
    const before = await received();
    for (const [what, status, make] of refused) {
      const { answer } = await invoke(make());
      expect(answer, what).toMatchObject({ statusCode: status, body: "" });
    }
    expect(await received()).toEqual(before);
  }, 120_000);

  test("a request that was here before, however soon and however many at once", async () => {
    const before = (await received()).length;
    const captured = event(payloadForm({ ...CLICK, trigger_id: "1.1.captured" }));
    const answers = await Promise.all([1, 2, 3].map(() => invoke(captured)));
    answers.push(await invoke(captured));
    expect(answers.map(({ answer }) => answer.statusCode).toSorted()).toEqual([200, 401, 401, 401]);
    await expect.poll(received, { timeout: 20_000 }).toHaveLength(before + 1);
  }, 120_000);

  test("anybody, where no Slack is set up", async () => {
    const { answer } = await invoke(event(payloadForm(CLICK)), "notSetUp");
    expect(answer.statusCode).toBe(401);
  }, 60_000);
});

test("the signing secret, the trigger and what people typed are in no log", async () => {
  const { log } = await invoke(event(payloadForm(MODAL)));
  expect(log.join("\n")).toContain("slack.received");
  for (const word of [SECRET, "12.34.abcdef", "public"]) expect(log.join("\n")).not.toContain(word);
}, 60_000);
