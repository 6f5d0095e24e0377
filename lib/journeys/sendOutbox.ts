/**
 * Brings what stands in the outboxes out: every minute, and by whoever just said something. Works until nothing is left to
 * send or its time is over, and any number of them may run at once; a thread has one sender at a time.
 */
import pLimit from "p-limit";
import { RekeyError } from "../errors.ts";
import type { Announcement } from "../incident/channel.ts";
import { PRIORITIES } from "../incident/outbox.ts";
import { type Driven, driveThread, type SendPorts } from "./driveThread.ts";

/** The longest time between an announcement and its words; older ones died before they were said. */
const FORGET_AFTER_MS = 300_000;

export interface Sent {
  /** Threads in which something is still to be sent. */
  readonly waiting: number;
}

/** How a thread was left: when to come back, and whether every announcement that was seen had its words in it. */
interface Left {
  readonly until: Date | undefined;
  readonly marks: string;
  readonly isComplete: boolean;
}

/** @throws RekeyError AWS_* if the list of outboxes cannot be read */
export async function sendOutbox(ports: SendPorts, deadline: Date): Promise<Sent> {
  const limit = pLimit(ports.concurrency);
  const known = new Map<string, Left>();
  // Each thread for itself: one that waits for Slack's answer keeps no other from its turn.
  const visiting = new Map<string, Promise<void>>();

  async function visit(threadId: string, announcements: readonly Announcement[]): Promise<void> {
    const { until, thread } = await driveOrTell(ports, threadId, deadline);
    const said = announcements.filter(({ mark }) => thread?.marks.includes(mark));
    known.set(threadId, {
      until,
      marks: marksOf(announcements),
      isComplete: said.length === announcements.length,
    });
    if (until) return;
    const isDead = ({ at }: Announcement) => ports.now().getTime() - at.getTime() > FORGET_AFTER_MS;
    for (const one of new Set([...said, ...announcements.filter(isDead)])) await ports.outbox.close(one);
  }

  function isDue(threadId: string, announcements: readonly Announcement[]): boolean {
    const left = known.get(threadId);
    if (visiting.has(threadId)) return false;
    // Words that are only announced may come at any moment, whatever else the thread waits for.
    if (!left?.isComplete || left.marks !== marksOf(announcements)) return true;
    return left.until === undefined || left.until <= ports.now();
  }

  for (;;) {
    const open = Map.groupBy(
      (await ports.outbox.announced()).toSorted(gravestFirst),
      ({ threadId }) => threadId,
    );
    // What another sender has brought to its end is off the list.
    for (const threadId of known.keys()) if (!open.has(threadId)) known.delete(threadId);
    for (const [threadId, announcements] of open) {
      if (!isDue(threadId, announcements)) continue;
      const visited = limit(() => visit(threadId, announcements)).finally(() => visiting.delete(threadId));
      visiting.set(threadId, visited);
    }
    const now = ports.now();
    if (now >= deadline) await Promise.all(visiting.values());
    else await Promise.race([ports.sleep(ports.pace.lookEveryMs), Promise.all(visiting.values())]);
    const waiting = [...known.values()].flatMap(({ until }) => until ?? []);
    const isIdle = visiting.size === 0 && waiting.length === 0;
    if (isIdle || now >= deadline) return { waiting: waiting.length };
    if (visiting.size === 0) await ports.sleep(untilSoonest(ports, waiting));
  }
}

const marksOf = (announcements: readonly Announcement[]) => announcements.map(({ mark }) => mark).join();

function untilSoonest({ pace, now }: SendPorts, times: readonly Date[]): number {
  const soonest = Math.min(...times.map((at) => at.getTime()));
  return Math.max(1, Math.min(pace.lookEveryMs, soonest - now().getTime()));
}

async function driveOrTell(ports: SendPorts, threadId: string, deadline: Date): Promise<Driven> {
  try {
    return await driveThread(ports, threadId, deadline);
  } catch (error) {
    // One thread's trouble must not keep the others from being heard.
    if (!(error instanceof RekeyError)) throw error;
    ports.tell({ event: "outbox.failed", threadId, code: error.code, message: error.message });
    return { until: new Date(ports.now().getTime() + ports.pace.retryMs) };
  }
}

const gravestFirst = (a: Announcement, b: Announcement) =>
  PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority);
