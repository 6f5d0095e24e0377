/**
 * The outbox of one thread in the channel: its headline and what stands below it, and how far each has come. Pure.
 *
 * A message is `pending` (something of it is to be sent), `sending` (a sender wrote that down, and then sent), `sent`, or
 * `unknown`: it was sent and nobody heard the answer. Slack takes no idempotency key, so an unknown post is looked for by
 * the id in its metadata before it is sent again; an unknown edit is only waited for, because sending the newest text a
 * second time changes nothing, while an old one that arrives late would.
 */
import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { RekeyError } from "../errors.ts";
import type { Message } from "../message.ts";

export const PRIORITIES = ["P1", "P2", "P3", "P4"] as const;
export type Priority = (typeof PRIORITIES)[number];

const time = z.iso.datetime();
const message = z.object({
  text: z.string(),
  blocks: z.readonly(z.array(z.record(z.string(), z.unknown()))),
});

const post = z.object({
  /** The caller's name for it; the same name again is an edit. */
  key: z.string(),
  /** What Slack keeps with the message. Random, so that nobody can post something that is taken for it. */
  sendId: z.string(),
  state: z.enum(["pending", "sending", "sent", "unknown"]),
  /** Counts what the caller wanted to say under this name. */
  version: z.number(),
  /** Of the newest version; tells whether a caller says something new. */
  digest: z.string(),
  /** The newest version, as long as it does not stand in the channel. */
  message: z.optional(message),
  /** The version that stands in the channel; 0 while there is none. */
  shown: z.number(),
  /** Slack's name for the message, once it is known. */
  ts: z.optional(z.string()),
  /** The send that is under way, since `at`; or whose end nobody knows, and which was given up at `at`. */
  attempt: z.optional(z.object({ id: z.string(), version: z.number(), at: time, isNoted: z.boolean() })),
  /** Since when something of it has been waiting to be sent. */
  waitingSince: time,
  notBefore: z.optional(time),
  failures: z.number(),
  /** The version that went out by the second channel. */
  fellBack: z.optional(z.object({ version: z.number(), at: time })),
  /** The second channel failed, and is left alone until then. */
  pageNotBefore: z.optional(time),
  /** Whether what stands in Slack says that it went out by the second channel. */
  isNoted: z.boolean(),
  /** Slack did not take its blocks; its text says the same. */
  isPlain: z.boolean(),
});
export type Post = z.infer<typeof post>;

const thread = z.object({
  threadId: z.string(),
  priority: z.enum(PRIORITIES),
  /** In the order in which they are to stand there; the first is the headline. */
  posts: z.array(post),
  /** Slack asked us to be silent until then. */
  notBefore: z.optional(time),
  lease: z.optional(z.object({ holder: z.string(), until: time })),
  /** Of the newest announcements whose words are in here. */
  marks: z.array(z.string()),
  rev: z.number(),
});
export type Thread = z.infer<typeof thread>;

/** @throws RekeyError RECORD_INVALID */
export function readThread(value: unknown): Thread {
  const read = thread.safeParse(value);
  if (read.success) return read.data;
  const where = read.error.issues.map(({ path }) => path.join(".")).join(", ");
  throw new RekeyError("RECORD_INVALID", `stored outbox is not readable at: ${where}`);
}

export interface Wanted {
  readonly threadId: string;
  /** Unique in its thread; the same key with other content edits the message. */
  readonly key: string;
  readonly message: Message;
  readonly priority: Priority;
}

/** More than this many unfinished announcements of one thread are told apart by their age. */
const MOST_MARKS = 50;

/** @param fresh ids for this message: the one that Slack keeps, and its announcement's mark */
export function want(
  known: Thread | undefined,
  wanted: Wanted,
  fresh: { readonly sendId: string; readonly mark: string },
  now: Date,
): Thread {
  const { threadId, key, priority } = wanted;
  const marks = [...(known?.marks ?? []), fresh.mark].slice(-MOST_MARKS);
  const thread: Thread = { threadId, posts: [], rev: 0, ...known, priority, marks };
  const digest = createHash("sha256").update(JSON.stringify(wanted.message)).digest("base64url");
  const content = { text: wanted.message.text, blocks: [...wanted.message.blocks] };
  const old = thread.posts.find((one) => one.key === key);
  if (old?.digest === digest) return thread;
  if (!old) {
    const added: Post = {
      key,
      sendId: fresh.sendId,
      state: "pending",
      version: 1,
      digest,
      message: content,
      shown: 0,
      waitingSince: now.toISOString(),
      failures: 0,
      isNoted: false,
      isPlain: false,
    };
    return { ...thread, posts: [...thread.posts, added] };
  }
  const edited: Post = {
    ...old,
    version: old.version + 1,
    digest,
    message: content,
    isPlain: false,
    // What is under way stays so; its end will show that there is more to send.
    ...(old.state === "sent" ? { state: "pending", waitingSince: now.toISOString(), failures: 0 } : {}),
  };
  return withPost(thread, edited);
}

export const withPost = (thread: Thread, changed: Post): Thread => ({
  ...thread,
  posts: thread.posts.map((one) => (one.key === changed.key ? changed : one)),
});
