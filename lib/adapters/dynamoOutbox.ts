/**
 * Outboxes in Rekey's table, every write conditional.
 *
 *     THREAD#<thread id>   OUTBOX              the thread's messages, and how far each has come
 *     OUTBOX               <thread id>#<mark>  that something is about to be said in it
 */
import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Announcement, OutboxStore } from "../incident/channel.ts";
import { PRIORITIES, type Priority, readThread } from "../incident/outbox.ts";
import { CLIENT_OPTIONS } from "./awsCalls.ts";
import { Table } from "./dynamoTable.ts";

/** As long as the runs, for the post-mortem and the audit. */
const KEEP_SECONDS = 400 * 86_400;

export function dynamoOutbox(name: string, client = new DynamoDBClient(CLIENT_OPTIONS)): OutboxStore {
  const table = new Table(name, client);
  const keyOf = (threadId: string) => ({ pk: `THREAD#${threadId}`, sk: "OUTBOX" });
  return {
    async read(threadId) {
      const item = await table.get(keyOf(threadId));
      return item && readThread(item["record"]);
    },

    async save(thread) {
      const next = { ...thread, rev: thread.rev + 1 };
      const write = randomUUID();
      const expiresAt = Math.floor(Date.now() / 1000) + KEEP_SECONDS;
      const saved = await table.put(
        `save the outbox of ${thread.threadId}`,
        { ...keyOf(thread.threadId), record: next, rev: next.rev, write, expiresAt },
        thread.rev === 0
          ? { that: "attribute_not_exists(pk)" }
          : { that: "#rev = :rev", names: { "#rev": "rev" }, values: { ":rev": thread.rev } },
      );
      // The SDK sends a call again whose answer was lost, and then finds its own work in the way.
      if (saved || (await table.get(keyOf(thread.threadId)))?.["write"] === write) return next;
      return undefined;
    },

    async announced() {
      const items = await table.query("OUTBOX");
      return items.map((item) => ({
        threadId: String(item["threadId"]),
        priority: priorityOf(item["priority"]),
        mark: String(item["mark"]),
        at: new Date(String(item["at"])),
      }));
    },

    async announce(announcement) {
      const { at, ...rest } = announcement;
      const item = { ...pointerOf(announcement), ...rest, at: at.toISOString() };
      await table.put(`announce ${announcement.threadId}`, item);
    },

    async close(announcement) {
      await table.remove(`take ${announcement.threadId} from the list`, pointerOf(announcement));
    },
  };
}

const pointerOf = ({ threadId, mark }: Pick<Announcement, "threadId" | "mark">) => ({
  pk: "OUTBOX",
  sk: `${threadId}#${mark}`,
});

/** What cannot be read is taken for grave. */
const priorityOf = (value: unknown): Priority => PRIORITIES.find((one) => one === value) ?? "P1";
