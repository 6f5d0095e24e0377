/**
 * How soon a click in Slack is acknowledged: 50 a second, through the deployed handler's bundle in one warm process, with
 * DynamoDB's emulator and Lambda's door behind it. Slack gives up after three seconds; Rekey promises one.
 */
import { createHmac, randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { builtHandlers } from "../builtHandlers.ts";
import { createTable } from "../demo/world.ts";
import { CLICK, payloadForm } from "../incident/slackForms.ts";
import { startCloud } from "../standin/cloud.ts";

export const ACK_LIMIT_MS = 1_000;
const PER_SECOND = 50;
const SECONDS = 10;
const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";

export interface SlackAck {
  readonly clicks: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 200. */
  readonly failed: number;
  /** Pieces of work that were handed on. */
  readonly enqueued: number;
}

type Handler = (event: unknown, context: unknown) => Promise<{ statusCode: number }>;

export async function slackAck(): Promise<SlackAck> {
  const before = { ...process.env };
  const cloud = await startCloud();
  try {
    const client = {
      endpoint: cloud.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "operator", secretAccessKey: "local" },
    };
    await createTable(client, "rekey-bench");
    cloud.secrets.create("rekey/slack-signing", SECRET);
    let enqueued = 0;
    cloud.lambda.start = () => {
      enqueued += 1;
      return { pid: undefined, result: Promise.resolve({ log: [] }), kill: () => {} };
    };
    cloud.lambda.register("respond", { bundle: "", env: {}, timeoutSeconds: 1, memoryMb: 128 });
    Object.assign(process.env, cloud.env, {
      REKEY_TABLE: "rekey-bench",
      REKEY_SLACK_SIGNING_SECRET: "rekey/slack-signing",
      REKEY_SLACK_TEAM: "T0REKEY",
      REKEY_SLACK_APP: "A0REKEY",
      REKEY_RESPOND_FUNCTION: "rekey-dev-respond",
    });
    const { slackAction = "" } = await builtHandlers();
    const { handler } = createRequire(import.meta.url)(slackAction) as { handler: Handler };
    const log = console.log;
    console.log = () => {};
    try {
      const results = await clickAll(handler);
      const times = results.map(({ ms }) => ms).toSorted((a, b) => a - b);
      return {
        clicks: results.length,
        p50Ms: times[Math.floor(times.length * 0.5)] ?? Number.POSITIVE_INFINITY,
        p99Ms: times[Math.floor(times.length * 0.99)] ?? Number.POSITIVE_INFINITY,
        failed: results.filter(({ status }) => status !== 200).length,
        enqueued,
      };
    } finally {
      console.log = log;
    }
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
    await cloud.stop();
  }
}

/** At their times, however long the ones before take. */
async function clickAll(handler: Handler): Promise<{ ms: number; status: number }[]> {
  await click(handler);
  const clicks: Promise<{ ms: number; status: number }>[] = [];
  const begun = performance.now();
  for (let count = 0; count < PER_SECOND * SECONDS; count += 1) {
    await sleep(Math.max(0, begun + (count * 1000) / PER_SECOND - performance.now()));
    clicks.push(click(handler));
  }
  return Promise.all(clicks);
}

async function click(handler: Handler): Promise<{ ms: number; status: number }> {
  const body = payloadForm({ ...CLICK, trigger_id: randomUUID() });
  const time = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", SECRET).update(`v0:${time}:${body}`).digest("hex");
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    "x-slack-request-timestamp": String(time),
    "x-slack-signature": `v0=${signature}`,
  };
  const event = { headers, body: Buffer.from(body).toString("base64"), isBase64Encoded: true };
  const begun = performance.now();
  const { statusCode } = await handler(event, {
    awsRequestId: randomUUID(),
    getRemainingTimeInMillis: () => 10_000,
  });
  return { ms: performance.now() - begun, status: statusCode };
}
