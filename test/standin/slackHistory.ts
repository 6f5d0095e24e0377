/** conversations.history and conversations.replies: pages that may be shorter than asked, and cursors. */
import type { SlackMessage } from "./slack.ts";

export interface HistoryCall {
  readonly ts?: string;
  readonly oldest?: string;
  readonly latest?: string;
  readonly inclusive?: string | boolean;
  readonly limit?: string | number;
  readonly cursor?: string;
  readonly include_all_metadata?: string | boolean;
}

const isTrue = (value: unknown) => value === true || value === "true" || value === "1";

/** Newest first, and only what stands in the channel itself. @param top oldest first */
export function history(top: readonly SlackMessage[], call: HistoryCall, pageSize: number) {
  // From the end: a channel is long, and what is asked for is recent.
  const before = top.findLastIndex(({ ts }) => Number(ts) < Number(call.oldest ?? "0"));
  const recent = top.slice(before + 1).filter(({ isDeleted }) => !isDeleted);
  return page(recent.reverse(), call, pageSize);
}

/** Oldest first, beginning with what is replied to. */
export function replies(
  parent: SlackMessage | undefined,
  below: readonly SlackMessage[],
  call: HistoryCall,
  pageSize: number,
) {
  const kept = below.filter(({ isDeleted }) => !isDeleted);
  if (!parent || (parent.isDeleted && kept.length === 0)) return { ok: false, error: "thread_not_found" };
  return page([parent, ...kept], call, pageSize, parent);
}

function page(sorted: readonly SlackMessage[], call: HistoryCall, pageSize: number, always?: SlackMessage) {
  const limit = Number(call.limit ?? 100);
  if (!Number.isInteger(limit) || limit < 1 || limit > 999) return { ok: false, error: "invalid_limit" };
  const from = call.cursor ? Number(Buffer.from(call.cursor, "base64").toString()) : 0;
  if (!Number.isInteger(from)) return { ok: false, error: "invalid_cursor" };
  const kept = sorted.filter((message) => message === always || isWithin(message, call));
  const shown = kept.slice(from, from + Math.min(limit, pageSize));
  const end = from + shown.length;
  const hasMore = end < kept.length;
  return {
    ok: true,
    messages: shown.map((message) => seen(message, isTrue(call.include_all_metadata))),
    has_more: hasMore,
    response_metadata: { next_cursor: hasMore ? Buffer.from(String(end)).toString("base64") : "" },
  };
}

function isWithin({ ts }: SlackMessage, { oldest = "0", latest, inclusive }: HistoryCall): boolean {
  const [at, from, to] = [Number(ts), Number(oldest), latest === undefined ? Infinity : Number(latest)];
  return isTrue(inclusive) ? at >= from && at <= to : at > from && at < to;
}

function seen({ ts, thread, revisions, metadata }: SlackMessage, withMetadata: boolean) {
  const newest = revisions.at(-1);
  return {
    type: "message",
    ts,
    ...(thread === undefined ? {} : { thread_ts: thread }),
    text: newest?.text,
    ...(newest?.blocks ? { blocks: newest.blocks } : {}),
    ...(withMetadata && metadata ? { metadata } : {}),
  };
}
