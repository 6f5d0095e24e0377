/**
 * Thousands of sends through the real outbox and Slack's own client, against the stand-in's Slack over HTTP. Each of them is hurt: by Slack, by the death of whoever says it, or by the death of whoever sends it. Judged
 * by what stands in the channel at the end, and by nothing that the outbox says of itself.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoOutbox } from "../../lib/adapters/dynamoOutbox.ts";
import { slackChannel } from "../../lib/adapters/slackChannel.ts";
import type { Channel, OutboxStore } from "../../lib/incident/channel.ts";
import { PRIORITIES, type Wanted } from "../../lib/incident/outbox.ts";
import { PACE } from "../../lib/incident/outboxSteps.ts";
import { say } from "../../lib/journeys/say.ts";
import { sendOutbox } from "../../lib/journeys/sendOutbox.ts";
import { messageOf, section } from "../../lib/message.ts";
import { SecretText } from "../../lib/secret.ts";
import { createTable } from "../demo/world.ts";
import { dividedOutbox, memoryOutbox } from "../standin/memoryOutbox.ts";
import { startSlackAlone } from "../standin/slackAlone.ts";
import { FirstCalls, Life, randomFrom, SPEED, startClock, TIMEOUT_MS } from "./slackFaults.ts";
import { Board, judge, type Said } from "./slackJudgement.ts";

export interface SlackChaos {
  /** Messages and edits that were brought into the channel, each through a fault. */
  readonly sends: number;
  /** Messages that are not there in the end, or not in their newest version. */
  readonly lost: number;
  readonly duplicates: number;
  readonly misplaced: number;
  /** That befell a call to Slack. */
  readonly faults: number;
  /** Of senders, and of those who say something. */
  readonly deaths: number;
  /** Kinds of fault by method, and places of death. */
  readonly kinds: readonly string[];
  /** Messages that went out by the second channel meanwhile. */
  readonly pages: number;
  readonly seed: number;
  readonly seconds: number;
}

const TABLE = "rekey-chaos";
/** One thread of so many has its outbox in DynamoDB's emulator, and the others in memory: the emulator is slow. */
const IN_DYNAMODB = 20;
const SENDERS = 2;
const THREADS_PER_SENDER = 96;
const SPEAKERS = 160;
/** In the life of a thread: its place, or an edit of the headline. Each edit waits until it is seen. */
const SCRIPT = [0, 1, 2, "edit", 3, 4, "edit", "edit"] as const;
const BOUND_MS = 90_000;
/** Of the list, which here is a hundred times as long as on a bad day. */
const LOOK_EVERY_MS = 2_500;
/** Between a sender's rounds, so that it does not spend the machine on looking. */
const REST_MS = 100;
/** Of each call, before and after it. */
const DEATH = { sender: 0.001, speaker: 0.01 } as const;
/** Senders look far more often than they do anything, and all that dies there is a look. */
const LOOKING = /list|read/;

interface World {
  readonly outbox: OutboxStore;
  readonly channel: Channel;
  readonly board: Board;
  readonly now: () => Date;
  readonly dies: (who: keyof typeof DEATH) => (point: string) => boolean;
  readonly pages: string[];
  isOver: boolean;
}

export async function slackChaos(
  sends: number,
  seed: number,
  tell: (line: string) => void,
): Promise<SlackChaos> {
  const begunAt = Date.now();
  const random = randomFrom(seed);
  const clock = startClock(SPEED);
  const { now } = clock;
  const { slack, client, apiUrl, stop } = await startSlackAlone();
  try {
    await createTable(client, TABLE);
    const calls = new FirstCalls(random);
    slack.clock = () => now().getTime();
    slack.fault = (method, call) => calls.fault(method, call);
    const deaths: string[] = [];
    const world: World = {
      outbox: dividedOutbox(
        (threadId) => Number(threadId.split("-")[1]) % IN_DYNAMODB === 0,
        dynamoOutbox(TABLE, new DynamoDBClient(client)),
        memoryOutbox(),
      ),
      channel: slackChannel({
        channel: slack.channel,
        apiUrl,
        timeoutMs: TIMEOUT_MS,
        token: async () => new SecretText(slack.token),
      }),
      board: new Board(slack.messages),
      now,
      dies: (who) => (point) =>
        random() < DEATH[who] / (LOOKING.test(point) ? 20 : 1) && deaths.push(`${who} dies ${point}`) > 0,
      pages: [],
      isOver: false,
    };
    const senders = Array.from({ length: SENDERS }, () => sendAndDie(world));
    const said: Said[] = [];
    let [delivered, thread] = [0, 0];
    const speakers = Array.from({ length: SPEAKERS }, async () => {
      while (thread * SCRIPT.length < sends) {
        const script = SCRIPT.slice(0, sends - thread * SCRIPT.length);
        const more = await perform(world, thread++, script, said);
        delivered += more;
        if (thread % 100 === 0)
          tell(`${delivered} of ${sends} sent; ${calls.struck.length} faults, ${deaths.length} deaths`);
      }
    });
    await Promise.all(speakers);
    // What was sent late, or twice, has time to show.
    await sleep((PACE.leaseMs + PACE.settleMs) / SPEED);
    world.isOver = true;
    await Promise.all(senders);
    return {
      sends: delivered,
      ...judge(said, slack.messages),
      faults: calls.struck.length,
      deaths: deaths.length,
      kinds: [...new Set([...calls.struck, ...deaths])].toSorted(),
      pages: world.pages.length,
      seed,
      seconds: Math.round((Date.now() - begunAt) / 1000),
    };
  } finally {
    clock.stop();
    await stop();
  }
}

/** @returns how many of them came to stand in the channel */
async function perform(
  world: World,
  thread: number,
  script: readonly (typeof SCRIPT)[number][],
  said: Said[],
): Promise<number> {
  const threadId = `incident-${thread}`;
  const priority = PRIORITIES[thread % PRIORITIES.length] ?? "P1";
  const mine: Said[] = [];
  let edits = 0;
  for (const act of script) {
    const [headline] = mine;
    if (act === "edit" && headline) {
      edits += 1;
      headline.text = `${headline.name} version ${edits + 1}`;
    } else if (act !== "edit") {
      const name = `${threadId}/${act}`;
      mine.push({ name, threadId, place: act, text: `${name} version 1` });
    }
    const one = act === "edit" ? headline : mine.at(-1);
    if (!one) continue;
    const message = messageOf(one.text, [section(one.text)]);
    await sayOrDie(world, { threadId, key: one.name, message, priority });
    if (act === "edit") await shown(world, mine);
  }
  await shown(world, mine);
  said.push(...mine);
  return mine.filter((one) => world.board.isShown(one)).length + edits;
}

/** Whoever died saying it is told to say it again, as an executor is. */
async function sayOrDie(world: World, wanted: Wanted): Promise<void> {
  for (;;) {
    const life = new Life(world.dies("speaker"));
    const saying = say({ outbox: life.store(world.outbox), now: world.now, newId: randomUUID }, wanted);
    if ((await Promise.race([saying.then(() => "said"), life.died])) === "said") return;
  }
}

async function shown({ board }: World, messages: readonly Said[]): Promise<void> {
  const deadline = Date.now() + BOUND_MS;
  while (Date.now() < deadline && !messages.every((one) => board.isShown(one))) await sleep(20);
}

async function sendAndDie(world: World): Promise<void> {
  const { outbox, channel, pages, now } = world;
  while (!world.isOver) {
    const life = new Life(world.dies("sender"));
    const sending = sendOutbox(
      {
        outbox: life.store(outbox),
        channel: life.channel(channel),
        pager: life.pager({ page: async (_subject, text) => void pages.push(text) }),
        tell: () => {},
        now,
        sleep: (ms) => sleep(Math.max(ms / SPEED, REST_MS)),
        newId: randomUUID,
        pace: { ...PACE, lookEveryMs: LOOK_EVERY_MS },
        concurrency: THREADS_PER_SENDER,
        silence: { until: new Date(0) },
      },
      new Date(now().getTime() + 600_000),
    );
    await Promise.race([sending, life.died]);
    await sleep(10);
  }
}
