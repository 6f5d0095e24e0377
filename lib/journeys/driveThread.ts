/**
 * One thread's messages, brought out step by step. What is about to be sent is written down first and what became of it
 * afterwards, each time only if nobody else wrote meanwhile; a crash between the two leaves a message of which nobody knows
 * whether it was sent, and the next sender looks for it before it sends again.
 */
import { RekeyError } from "../errors.ts";
import type { Channel, Letter, OutboxStore, Pager } from "../incident/channel.ts";
import { pageOf, withNote } from "../incident/fallback.ts";
import type { Post, Thread } from "../incident/outbox.ts";
import { afterFailedFallback, afterFallback, afterLook, afterSend } from "../incident/outboxOutcomes.ts";
import { begin, contentOf, nextStep, type Pace, release, type Step, take } from "../incident/outboxSteps.ts";
import type { Ports } from "./ports.ts";

export interface SendPorts extends Pick<Ports, "tell" | "now" | "sleep"> {
  readonly outbox: OutboxStore;
  readonly channel: Channel;
  /** Undefined when no topic is configured: then a message only waits. */
  readonly pager?: Pager;
  readonly newId: () => string;
  readonly pace: Pace;
  /** Threads worked on at the same time. */
  readonly concurrency: number;
  /** Slack's answer to one thread holds for all: until then nobody asks it for anything. */
  readonly silence: { until: Date };
}

export interface Driven {
  /** When there is something to do again; undefined when all of it is said. */
  readonly until?: Date;
  /** As it was left; undefined if nothing was ever written to it. */
  readonly thread?: Thread;
}

/** @throws RekeyError AWS_*, RECORD_INVALID if its outbox cannot be read or written */
export async function driveThread(given: SendPorts, threadId: string, deadline: Date): Promise<Driven> {
  const ports = given.pager ? given : { ...given, pace: { ...given.pace, fallbackMs: undefined } };
  // Of this drive and no other: a process that failed halfway must not take its own unfinished send for a fresh one.
  const drive = { ports, holder: ports.newId() };
  let thread = await ports.outbox.read(threadId);
  while (thread) {
    const now = ports.now();
    const taken = take(thread, drive.holder, now, ports.pace);
    if (!taken) return { thread, until: thread.lease ? new Date(thread.lease.until) : now };
    const step = nextStep(silenced(taken, ports), now, ports.pace);
    if (step.do === "wait" || step.do === "nothing" || now >= deadline) {
      const isFree = thread.lease?.holder !== drive.holder || (await ports.outbox.save(release(thread)));
      if (!isFree) thread = await ports.outbox.read(threadId);
      else if (step.do === "nothing") return { thread };
      else return { thread, until: step.do === "wait" ? step.until : now };
    } else thread = (await perform(drive, taken, step, now)) ?? (await ports.outbox.read(threadId));
  }
  return {};
}

interface Drive {
  readonly ports: SendPorts;
  readonly holder: string;
}
type Deed = Exclude<Step, { do: "wait" | "nothing" }>;

/** @returns the thread as it was written last, or undefined if somebody else wrote meanwhile */
function perform(
  drive: Drive,
  taken: Thread,
  { do: deed, post }: Deed,
  now: Date,
): Promise<Thread | undefined> {
  if (deed === "fallback") return fallBack(drive, taken, post);
  return deed === "look" ? look(drive, taken, post) : send(drive, taken, post, now);
}

async function send(drive: Drive, taken: Thread, post: Post, now: Date): Promise<Thread | undefined> {
  const { pace, outbox, channel, newId, tell, now: clock } = drive.ports;
  const attemptId = newId();
  const begun = await outbox.save(begin(taken, post, attemptId, now));
  if (!begun) return undefined;
  // Whoever stood still for this long may have been taken for dead, and its message looked for in vain.
  if (clock().getTime() - now.getTime() > pace.leaseMs - pace.settleMs) {
    return record(drive, begun, (thread) =>
      afterSend(thread, attemptId, { is: "notSent", reason: "too late" }, { now: clock(), pace, newId }),
    );
  }
  const letter = letterOf(begun, post);
  const outcome = await (post.ts === undefined ? channel.post(letter) : channel.edit(post.ts, letter));
  if (outcome.is !== "sent") {
    const { is, ...rest } = outcome;
    tell({ event: "slack.failed", threadId: taken.threadId, key: post.key, outcome: is, ...rest });
  }
  if (outcome.is === "limited") beSilent(drive, outcome.retryAfterSeconds);
  return record(drive, begun, (thread) =>
    afterSend(thread, attemptId, outcome, { now: clock(), pace, newId }),
  );
}

async function look(drive: Drive, taken: Thread, post: Post): Promise<Thread | undefined> {
  const { outbox, channel, tell, now: clock, pace } = drive.ports;
  const { attempt } = post;
  // Slack lets nobody look often, so one sender looks for all.
  const held = attempt && (await outbox.save(taken));
  if (!held) return undefined;
  const outcome = await channel.look(letterOf(held, post), new Date(attempt.at));
  const { is, ...rest } = outcome;
  tell({ event: "slack.looked", threadId: taken.threadId, key: post.key, outcome: is, ...rest });
  if (outcome.is === "limited") beSilent(drive, outcome.retryAfterSeconds);
  return record(drive, held, (thread) => afterLook(thread, attempt.id, outcome, { now: clock(), pace }));
}

async function fallBack(drive: Drive, taken: Thread, post: Post): Promise<Thread | undefined> {
  const { outbox, pager, tell, now: clock, pace } = drive.ports;
  // Its lease first, or two senders would both page.
  const held = await outbox.save(taken);
  if (!held) return undefined;
  const { subject, text } = pageOf(held, post);
  const { threadId } = held;
  try {
    await pager?.page(subject, text);
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    tell({ event: "page.failed", threadId, key: post.key, code: error.code, message: error.message });
    // The first channel is tried on meanwhile.
    return record(drive, held, (thread) => afterFailedFallback(thread, post.key, clock(), pace));
  }
  tell({ event: "outbox.fellBack", threadId, key: post.key });
  return record(drive, held, (thread) => afterFallback(thread, post.key, post.version, clock()));
}

function letterOf(thread: Thread, post: Post): Letter {
  const [headline] = thread.posts;
  const threadTs = headline && headline.key !== post.key ? headline.ts : undefined;
  return {
    sendId: post.sendId,
    message: contentOf(post, withNote),
    ...(threadTs === undefined ? {} : { threadTs }),
  };
}

/** Until it is written: somebody may add to the thread at any time, and this is known only here. */
async function record(
  { ports, holder }: Drive,
  base: Thread,
  change: (thread: Thread) => Thread,
): Promise<Thread | undefined> {
  let thread: Thread | undefined = base;
  while (thread) {
    const changed = change(thread);
    const isOurs = changed.lease?.holder === holder;
    const next = nextStep(silenced(changed, ports), ports.now(), ports.pace).do;
    const left = isOurs && (next === "wait" || next === "nothing") ? release(changed) : changed;
    const saved = await ports.outbox.save(left);
    if (saved) return saved;
    thread = await ports.outbox.read(base.threadId);
  }
  return undefined;
}

function silenced(thread: Thread, { silence }: SendPorts): Thread {
  const until = silence.until.toISOString();
  return thread.notBefore !== undefined && thread.notBefore > until
    ? thread
    : { ...thread, notBefore: until };
}

function beSilent({ ports: { silence, now } }: Drive, seconds: number): void {
  silence.until = new Date(Math.max(silence.until.getTime(), now().getTime() + seconds * 1000));
}
