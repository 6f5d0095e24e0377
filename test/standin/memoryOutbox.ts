/**
 * Outboxes in memory, as strict as the table: every save is conditional, and what is kept is a copy that went through JSON
 * and the reader. For thousands of sends on one core, of which DynamoDB's emulator and client would take most.
 */
import type { Announcement, OutboxStore } from "../../lib/incident/channel.ts";
import { readThread } from "../../lib/incident/outbox.ts";

export function memoryOutbox(): OutboxStore {
  const threads = new Map<string, string>();
  const announcements = new Map<string, Announcement>();
  const answered = () => new Promise<void>((resolve) => setImmediate(resolve));
  const revOf = (threadId: string) => {
    const text = threads.get(threadId);
    return text === undefined ? 0 : readThread(JSON.parse(text)).rev;
  };
  return {
    async read(threadId) {
      await answered();
      const text = threads.get(threadId);
      return text === undefined ? undefined : readThread(JSON.parse(text));
    },
    async save(thread) {
      await answered();
      if (revOf(thread.threadId) !== thread.rev) return undefined;
      const next = { ...thread, rev: thread.rev + 1 };
      threads.set(thread.threadId, JSON.stringify(next));
      await answered();
      return next;
    },
    async announced() {
      await answered();
      return [...announcements.values()];
    },
    async announce(announcement) {
      await answered();
      announcements.set(announcement.mark, announcement);
    },
    async close({ mark }) {
      await answered();
      announcements.delete(mark);
    },
  };
}

/** Some threads in one store, and the others in the other. */
export function dividedOutbox(
  isFirst: (threadId: string) => boolean,
  first: OutboxStore,
  second: OutboxStore,
): OutboxStore {
  const of = (threadId: string) => (isFirst(threadId) ? first : second);
  return {
    read: (threadId) => of(threadId).read(threadId),
    save: (thread) => of(thread.threadId).save(thread),
    announced: async () => (await Promise.all([first.announced(), second.announced()])).flat(),
    announce: (announcement) => of(announcement.threadId).announce(announcement),
    close: (announcement) => of(announcement.threadId).close(announcement),
  };
}
