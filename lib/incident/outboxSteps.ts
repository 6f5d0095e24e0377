/**
 * What an outbox's sender does next, and what its outcome makes of the thread. Pure: the clock is a parameter.
 *
 * Order is kept where readers see it: a message is first posted only when all before it stand in the channel. Edits of what
 * stands there already do not wait for one another.
 */
import type { Message } from "../message.ts";
import { type Post, type Thread, withPost } from "./outbox.ts";

export interface Pace {
  /** A sender that fell silent keeps its thread for so long. */
  readonly leaseMs: number;
  /** From the beginning of a send until its effect can be seen, or will never be; longer than a send may take. */
  readonly settleMs: number;
  /** How long a P1 or P2 waits for Slack before it goes out by the second channel; undefined where there is none. */
  readonly fallbackMs: number | undefined;
  /** Between edits of one message. */
  readonly editEveryMs: number;
  /** How soon a sender at work sees what was said meanwhile. */
  readonly lookEveryMs: number;
  /** The first wait after a failure; each further one is twice as long, up to `mostRetryMs`. */
  readonly retryMs: number;
  readonly mostRetryMs: number;
}

/** A send takes 2.5 s at most, and Slack may be as long again in showing it. */
export const PACE: Pace = {
  leaseMs: 30_000,
  settleMs: 10_000,
  fallbackMs: 60_000,
  editEveryMs: 1_500,
  lookEveryMs: 1_000,
  retryMs: 2_000,
  mostRetryMs: 30_000,
};

export type Step =
  | { readonly do: "post" | "edit" | "look" | "fallback"; readonly post: Post }
  | { readonly do: "wait"; readonly until: Date }
  | { readonly do: "nothing" };

/** What became of a send. `unknown` is no failure: the message may stand there. Reasons are codes, for the log. */
export type SendOutcome =
  | { readonly is: "sent"; readonly ts: string }
  | { readonly is: "limited"; readonly retryAfterSeconds: number }
  | { readonly is: "refused"; readonly code: string }
  /** Certainly not: there was no connection, or no token to go with it. */
  | { readonly is: "notSent"; readonly reason: string }
  | { readonly is: "unknown"; readonly reason: string };

export type LookOutcome =
  | { readonly is: "found"; readonly ts: string }
  | { readonly is: "absent" }
  | { readonly is: "limited"; readonly retryAfterSeconds: number }
  | { readonly is: "unanswered"; readonly reason: string };

/** @returns undefined while another sender has it. What a dead one was sending is unknown from now on. */
export function take(thread: Thread, holder: string, now: Date, pace: Pace): Thread | undefined {
  const { lease } = thread;
  if (lease && lease.holder !== holder && new Date(lease.until) > now) return undefined;
  const until = new Date(now.getTime() + pace.leaseMs).toISOString();
  const orphaned = lease?.holder !== holder;
  const posts = thread.posts.map((post) =>
    orphaned && post.state === "sending" ? { ...post, state: "unknown" as const } : post,
  );
  return { ...thread, posts, lease: { holder, until } };
}

export function release({ lease: _, ...thread }: Thread): Thread {
  return thread;
}

export function nextStep(thread: Thread, now: Date, pace: Pace): Step {
  const later: Date[] = [];
  const isDue = (at: Date) => {
    if (at <= now) return true;
    later.push(at);
    return false;
  };
  for (const post of thread.posts) {
    const at = fallbackAt(thread, post, pace);
    if (at && isDue(at)) return { do: "fallback", post };
  }
  let isFirst = true;
  for (const post of thread.posts) {
    const step = sendStep(post, isFirst);
    if (step && isDue(dueAt(thread, post, pace))) return { do: step, post };
    if (post.ts === undefined) isFirst = false;
  }
  const [soonest] = later.toSorted((a, b) => a.getTime() - b.getTime());
  return soonest ? { do: "wait", until: soonest } : { do: "nothing" };
}

function sendStep({ state, ts }: Post, isFirst: boolean): "post" | "edit" | "look" | undefined {
  if (state === "sent" || state === "sending") return undefined;
  if (ts !== undefined) return "edit";
  if (state === "unknown") return "look";
  return isFirst ? "post" : undefined;
}

function dueAt(thread: Thread, post: Post, { settleMs }: Pace): Date {
  const settled = post.state === "unknown" && post.attempt ? Date.parse(post.attempt.at) + settleMs : 0;
  const times = [thread.notBefore, post.notBefore].map((at) => (at === undefined ? 0 : Date.parse(at)));
  return new Date(Math.max(settled, ...times));
}

/** Once for each version, and not more often than the wait itself. */
function fallbackAt({ priority }: Thread, post: Post, { fallbackMs }: Pace): Date | undefined {
  if (fallbackMs === undefined || (priority !== "P1" && priority !== "P2")) return undefined;
  if (post.state === "sent" || post.message === undefined || post.fellBack?.version === post.version)
    return undefined;
  const since = Math.max(Date.parse(post.waitingSince), post.fellBack ? Date.parse(post.fellBack.at) : 0);
  // What was already shown is waiting only for its note, which is no news.
  if (post.shown === post.version) return undefined;
  const notBefore = post.pageNotBefore === undefined ? 0 : Date.parse(post.pageNotBefore);
  return new Date(Math.max(since + fallbackMs, notBefore));
}

/** Written down before the send, so that a crash leaves a trace of it. */
export function begin(thread: Thread, post: Post, attemptId: string, now: Date): Thread {
  const attempt = {
    id: attemptId,
    version: post.version,
    at: now.toISOString(),
    isNoted: post.fellBack !== undefined,
  };
  return withPost(thread, { ...post, state: "sending", attempt });
}

/** What is to stand in the channel for the attempt under way; a message that also went another way says so. */
export function contentOf(post: Post, note: (message: Message, fellBackAt: Date) => Message): Message {
  const { message = { text: "", blocks: [] }, fellBack, isPlain } = post;
  const noted = fellBack ? note(message, new Date(fellBack.at)) : message;
  return isPlain ? { text: noted.text, blocks: [] } : noted;
}
