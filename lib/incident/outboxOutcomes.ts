/**
 * What the end of a step makes of an outbox. Pure. An outcome belongs to one attempt: if the thread was given to another
 * sender meanwhile, which made an attempt of its own, the old one's news is no longer news.
 */
import { type Post, type Thread, withPost } from "./outbox.ts";
import type { LookOutcome, Pace, SendOutcome } from "./outboxSteps.ts";

/** An edit that Slack will never take again; what is to be said is posted anew. */
const GONE = ["message_not_found", "cant_update_message", "edit_window_closed"];
/** A reply whose headline was deleted by somebody. */
const HEADLESS = ["thread_not_found", "message_not_found"];
const BLOCKS_REFUSED = ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"];

export function afterSend(
  thread: Thread,
  attemptId: string,
  outcome: SendOutcome,
  clock: { readonly now: Date; readonly pace: Pace; readonly newId: () => string },
): Thread {
  const post = thread.posts.find(({ attempt }) => attempt?.id === attemptId);
  if (!post?.attempt) return thread;
  const { now, pace } = clock;
  switch (outcome.is) {
    case "sent":
      return withPost(thread, standing(thread, post, outcome.ts, now, pace));
    case "limited":
      return { ...withPost(thread, idle(post)), notBefore: later(now, outcome.retryAfterSeconds * 1000) };
    case "notSent":
      return withPost(thread, { ...idle(post), ...delayed(post, now, pace) });
    case "unknown":
      // From now on, and not from its beginning: between the two, the sender may have stood still before it sent.
      return withPost(thread, {
        ...post,
        state: "unknown",
        attempt: { ...post.attempt, at: now.toISOString() },
        ...delayed(post, now, pace),
      });
    case "refused":
      return refused(thread, post, outcome.code, clock);
  }
}

export function afterLook(
  thread: Thread,
  attemptId: string,
  outcome: LookOutcome,
  { now, pace }: { readonly now: Date; readonly pace: Pace },
): Thread {
  const post = thread.posts.find(({ attempt }) => attempt?.id === attemptId);
  if (post?.state !== "unknown") return thread;
  switch (outcome.is) {
    case "found":
      return withPost(thread, standing(thread, post, outcome.ts, now, pace));
    case "absent":
      return withPost(thread, { ...idle(post), failures: 0 });
    case "limited":
      return { ...thread, notBefore: later(now, outcome.retryAfterSeconds * 1000) };
    case "unanswered":
      return withPost(thread, { ...post, ...delayed(post, now, pace) });
  }
}

/** @param version the one that went out */
export function afterFallback(thread: Thread, key: string, version: number, now: Date): Thread {
  const post = thread.posts.find((one) => one.key === key);
  if (!post) return thread;
  const fellBack = { version, at: now.toISOString() };
  // If Slack took it meanwhile, there is no text left to add the note to, and nobody missed anything.
  return withPost(thread, { ...post, fellBack, isNoted: post.state === "sent" });
}

export function afterFailedFallback(thread: Thread, key: string, now: Date, pace: Pace): Thread {
  const post = thread.posts.find((one) => one.key === key);
  return post ? withPost(thread, { ...post, pageNotBefore: later(now, pace.retryMs) }) : thread;
}

/** The attempt's version stands in the channel. */
function standing(thread: Thread, post: Post, ts: string, now: Date, pace: Pace): Post {
  const { attempt, message, notBefore: _, ...rest } = post;
  const shown = attempt?.version ?? post.shown;
  const isNoted = attempt?.isNoted ?? post.isNoted;
  const isDone = shown === post.version && (post.fellBack === undefined || isNoted);
  const settled = { ...rest, ts, shown, isNoted, failures: 0 };
  if (!isDone) {
    const notBefore = later(now, pace.editEveryMs);
    return {
      ...settled,
      state: "pending",
      waitingSince: now.toISOString(),
      notBefore,
      ...(message ? { message } : {}),
    };
  }
  // The headline's content is kept: somebody may delete it, and then it is posted again.
  const isHeadline = thread.posts[0]?.key === post.key;
  return {
    ...settled,
    state: "sent",
    notBefore: later(now, pace.editEveryMs),
    ...(isHeadline && message ? { message } : {}),
  };
}

function refused(
  thread: Thread,
  post: Post,
  code: string,
  { now, pace, newId }: { readonly now: Date; readonly pace: Pace; readonly newId: () => string },
): Thread {
  if (BLOCKS_REFUSED.includes(code) && !post.isPlain)
    return withPost(thread, { ...idle(post), isPlain: true });
  if (post.ts !== undefined && GONE.includes(code)) return withPost(thread, anew(idle(post), newId(), now));
  const headline = thread.posts[0];
  if (headline && post.ts === undefined && post.key !== headline.key && HEADLESS.includes(code)) {
    return withPost(withPost(thread, idle(post)), anew(headline, newId(), now));
  }
  return withPost(thread, { ...idle(post), ...delayed(post, now, pace) });
}

function anew(post: Post, sendId: string, now: Date): Post {
  const { ts: _, notBefore: __, ...rest } = post;
  return { ...rest, sendId, shown: 0, state: "pending", waitingSince: now.toISOString() };
}

function idle({ attempt: _, ...post }: Post): Post {
  return { ...post, state: "pending" };
}

function delayed({ failures }: Post, now: Date, { retryMs, mostRetryMs }: Pace) {
  return {
    failures: failures + 1,
    notBefore: later(now, Math.min(mostRetryMs, retryMs * 2 ** Math.min(failures, 20))),
  };
}

const later = (now: Date, ms: number) => new Date(now.getTime() + ms).toISOString();
