/**
 * Slack's Web API as far as Rekey uses it, with Slack's limits. Keeps every revision of every message, and fails in every way
 * that a sender must survive: before the deed, after it, and so late that nobody waits for the answer any more.
 */
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Route } from "./server.ts";
import { complaintAbout } from "./slackBlocks.ts";
import { type HistoryCall, history, replies } from "./slackHistory.ts";
import { SlackViews } from "./slackViews.ts";

export interface SlackRevision {
  readonly text: string;
  readonly blocks?: readonly unknown[];
  /** Of Slack's clock. */
  readonly atMs: number;
}

export interface SlackMessage {
  readonly ts: string;
  readonly channel: string;
  readonly thread?: string;
  /** Oldest first: as posted, then each edit. */
  readonly revisions: SlackRevision[];
  metadata?: { readonly event_type: string; readonly event_payload: Readonly<Record<string, unknown>> };
  isDeleted?: boolean;
}

/** What only one person sees. */
export interface SlackAside extends SlackRevision {
  readonly id: string;
  readonly userId: string;
}

export type SlackMood = "up" | "down" | "limited" | "broken";

/** What befalls one call. `delayMs` is for those that wait. */
export interface SlackFault {
  readonly is:
    | "limited"
    /** 500, and nothing was done. */
    | "broken"
    /** 500, and it was done all the same. */
    | "brokenAfter"
    | "reset"
    | "resetAfter"
    /** Done, and never answered. */
    | "silent"
    /** Not answered, and done only after the caller has gone. */
    | "late"
    /** Done and answered, slowly. */
    | "slow";
  readonly delayMs?: number;
  readonly retryAfterSeconds?: number;
}

interface Call extends HistoryCall {
  readonly channel?: string;
  readonly text?: string;
  readonly thread_ts?: string;
  readonly blocks?: unknown;
  readonly metadata?: unknown;
  readonly user?: string;
  readonly trigger_id?: string;
  readonly view?: unknown;
}

type Answer = Readonly<Record<string, unknown>>;

export class SlackWorkspace {
  readonly messages: SlackMessage[] = [];
  readonly token: string;
  readonly channel: string;
  mood: SlackMood = "up";
  /** Asked for each call, after the mood. */
  fault: (method: string, call: Readonly<Record<string, unknown>>) => SlackFault | undefined = () =>
    undefined;
  /** Slack's clock, in milliseconds. */
  clock: () => number = Date.now;
  /** The longest page of a history, whatever a caller asks for. */
  pageSize = 100;
  readonly asides: SlackAside[] = [];
  /** `change`: something that people see is different. */
  readonly emitter = new EventEmitter<{ change: [] }>();
  readonly views = new SlackViews(
    () => this.clock(),
    () => this.emitter.emit("change"),
  );
  readonly #byTs = new Map<string, SlackMessage>();
  /** Under no name what stands in the channel itself; oldest first. */
  readonly #threads = new Map<string | undefined, SlackMessage[]>();
  #lastMicros = 0;

  constructor(token: string, channel: string) {
    this.token = token;
    this.channel = channel;
  }

  /** As a person in the channel does. */
  delete(ts: string): void {
    const message = this.#byTs.get(ts);
    if (message) message.isDeleted = true;
    this.emitter.emit("change");
  }

  /** To one person only, as an answer to what they asked for. */
  whisper(userId: string, text: string, blocks?: unknown): void {
    this.asides.push({ id: this.#nextTs(), userId, ...this.#revision(text, blocks) });
    this.emitter.emit("change");
  }

  readonly route: Route = async (request, body, response) => {
    if (this.mood === "down") {
      response.destroy();
      return;
    }
    if (this.mood === "limited") return limited(response, 1);
    if (this.mood === "broken") {
      response.writeHead(500).end();
      return;
    }
    const isForm = request.headers["content-type"]?.includes("form") ?? false;
    const text = body.toString("utf8");
    const call: Call = isForm ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text || "{}");
    const method = request.url?.replace(/^\/api\//, "") ?? "";
    const isKnown = request.headers.authorization === `Bearer ${this.token}`;
    const act = () => (isKnown ? this.#answer(method, call) : { ok: false, error: "invalid_auth" });
    await befall(this.fault(method, { ...call }), act, response);
  };

  #answer(method: string, call: Call): Answer {
    if (method === "auth.test") return { ok: true, team: "rekey", user: "rekey" };
    if (method.startsWith("views.")) return this.views.answer(method, call);
    if (call.channel !== this.channel) return { ok: false, error: "channel_not_found" };
    if (method === "conversations.history")
      return history(this.#threads.get(undefined) ?? [], call, this.pageSize);
    if (method === "conversations.replies") {
      const parent = this.#byTs.get(call.ts ?? "");
      return replies(parent, this.#threads.get(call.ts) ?? [], call, this.pageSize);
    }
    if (method === "chat.postMessage") return this.#post(call);
    if (method === "chat.update") return this.#update(call);
    if (method === "chat.postEphemeral") return this.#postAside(call);
    return { ok: false, error: "unknown_method" };
  }

  #post(call: Call): Answer {
    const blocks = parsed(call.blocks);
    const complaint = complaintAbout(call.text, blocks);
    if (complaint) return { ok: false, error: complaint };
    const parent = call.thread_ts === undefined ? undefined : this.#byTs.get(call.thread_ts);
    if (call.thread_ts !== undefined && (!parent || parent.isDeleted))
      return { ok: false, error: "thread_not_found" };
    const metadata = metadataOf(call.metadata);
    if (metadata === "invalid") return { ok: false, error: "invalid_metadata_format" };
    const message: SlackMessage = {
      ts: this.#nextTs(),
      channel: this.channel,
      ...(call.thread_ts === undefined ? {} : { thread: call.thread_ts }),
      revisions: [this.#revision(call.text ?? "", blocks)],
      ...(metadata ? { metadata } : {}),
    };
    this.messages.push(message);
    this.#byTs.set(message.ts, message);
    const thread = this.#threads.get(message.thread) ?? [];
    thread.push(message);
    this.#threads.set(message.thread, thread);
    this.emitter.emit("change");
    return { ok: true, ts: message.ts, channel: this.channel, message: { ts: message.ts, text: call.text } };
  }

  #update(call: Call): Answer {
    const blocks = parsed(call.blocks);
    const complaint = complaintAbout(call.text, blocks);
    if (complaint) return { ok: false, error: complaint };
    const message = this.#byTs.get(call.ts ?? "");
    if (!message || message.isDeleted) return { ok: false, error: "message_not_found" };
    const metadata = metadataOf(call.metadata);
    if (metadata === "invalid") return { ok: false, error: "invalid_metadata_format" };
    message.revisions.push(this.#revision(call.text ?? "", blocks));
    if (metadata) message.metadata = metadata;
    this.emitter.emit("change");
    return { ok: true, ts: message.ts, channel: this.channel };
  }

  #postAside({ user, text, blocks: given }: Call): Answer {
    const blocks = parsed(given);
    const complaint = complaintAbout(text, blocks);
    if (complaint) return { ok: false, error: complaint };
    if (user === undefined) return { ok: false, error: "user_not_in_channel" };
    this.whisper(user, text ?? "", blocks);
    return { ok: true, message_ts: this.asides.at(-1)?.id };
  }

  #revision(text: string, blocks: unknown): SlackRevision {
    return { text, ...(Array.isArray(blocks) ? { blocks } : {}), atMs: this.clock() };
  }

  /** Seconds and microseconds, and never the same twice. */
  #nextTs(): string {
    this.#lastMicros = Math.max(this.#lastMicros + 1, Math.floor(this.clock() * 1000));
    return `${Math.floor(this.#lastMicros / 1e6)}.${String(this.#lastMicros % 1e6).padStart(6, "0")}`;
  }
}

async function befall(
  fault: SlackFault | undefined,
  act: () => Answer,
  response: ServerResponse,
): Promise<void> {
  const answer = (content: Answer) =>
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(content));
  switch (fault?.is) {
    case undefined:
      answer(act());
      return;
    case "limited":
      limited(response, fault.retryAfterSeconds ?? 1);
      return;
    case "broken":
      response.writeHead(500).end();
      return;
    case "brokenAfter":
      act();
      response.writeHead(500).end();
      return;
    case "reset":
      response.destroy();
      return;
    case "resetAfter":
      act();
      response.destroy();
      return;
    case "silent":
      act();
      await sleep(fault.delayMs ?? 5_000);
      response.destroy();
      return;
    case "late":
      await sleep(fault.delayMs ?? 5_000);
      act();
      response.destroy();
      return;
    case "slow":
      await sleep(fault.delayMs ?? 500);
      answer(act());
      return;
  }
}

function limited(response: ServerResponse, seconds: number): void {
  response
    .writeHead(429, { "retry-after": String(seconds), "content-type": "application/json" })
    .end('{"ok":false,"error":"ratelimited"}');
}

/** In a form, what is not text arrives as JSON. */
function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function metadataOf(given: unknown): SlackMessage["metadata"] | "invalid" {
  const value = parsed(given);
  if (value === undefined) return undefined;
  const { event_type: type, event_payload: payload } = value as Partial<
    NonNullable<SlackMessage["metadata"]>
  >;
  const isFine = typeof type === "string" && /^\w{1,255}$/.test(type) && typeof payload === "object";
  return isFine ? { event_type: type, event_payload: payload } : "invalid";
}
