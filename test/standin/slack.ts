/** Slack's Web API as far as Rekey uses it, with Slack's limits; keeps every revision of every message, and can fail. */
import type { Route } from "./server.ts";

export interface SlackMessage {
  readonly ts: string;
  readonly channel: string;
  readonly thread?: string;
  /** Oldest first: as posted, then each edit. */
  readonly revisions: { readonly text: string; readonly blocks?: readonly unknown[] }[];
}

export type SlackMood = "up" | "down" | "limited" | "broken";

interface Call {
  readonly channel?: string;
  readonly text?: string;
  readonly ts?: string;
  readonly thread_ts?: string;
  readonly blocks?: readonly { readonly text?: { readonly text?: string } }[] | string;
}

export class SlackWorkspace {
  readonly messages: SlackMessage[] = [];
  readonly token: string;
  readonly channel: string;
  mood: SlackMood = "up";
  #posted = 0;

  constructor(token: string, channel: string) {
    this.token = token;
    this.channel = channel;
  }

  readonly route: Route = (request, body, response) => {
    if (this.mood === "down") {
      response.destroy();
      return;
    }
    if (this.mood === "limited") {
      response
        .writeHead(429, { "retry-after": "1", "content-type": "application/json" })
        .end('{"ok":false,"error":"ratelimited"}');
      return;
    }
    if (this.mood === "broken") {
      response.writeHead(500).end();
      return;
    }
    const isForm = request.headers["content-type"]?.includes("form") ?? false;
    const text = body.toString("utf8");
    const call: Call = isForm ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text || "{}");
    const method = request.url?.replace(/^\/api\//, "") ?? "";
    const isKnown = request.headers.authorization === `Bearer ${this.token}`;
    const answer = isKnown ? this.#answer(method, call) : { ok: false, error: "invalid_auth" };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  };

  #answer(method: string, call: Call): Record<string, unknown> {
    if (method === "auth.test") return { ok: true, team: "rekey", user: "rekey" };
    if (call.channel !== this.channel) return { ok: false, error: "channel_not_found" };
    const blocks = typeof call.blocks === "string" ? JSON.parse(call.blocks) : call.blocks;
    if ((blocks?.length ?? 0) > 50) return { ok: false, error: "invalid_blocks" };
    if (blocks?.some((block: { text?: { text?: string } }) => (block.text?.text?.length ?? 0) > 3000)) {
      return { ok: false, error: "invalid_blocks" };
    }
    const revision = { text: call.text ?? "", ...(blocks ? { blocks } : {}) };
    if (method === "chat.postMessage") {
      this.#posted += 1;
      const ts = `1700000000.${String(this.#posted).padStart(6, "0")}`;
      const thread = call.thread_ts === undefined ? {} : { thread: call.thread_ts };
      this.messages.push({ ts, channel: this.channel, ...thread, revisions: [revision] });
      return { ok: true, ts, channel: this.channel, message: { ts, text: revision.text } };
    }
    if (method === "chat.update") {
      const message = this.messages.find(({ ts }) => ts === call.ts);
      if (!message) return { ok: false, error: "message_not_found" };
      message.revisions.push(revision);
      return { ok: true, ts: message.ts, channel: this.channel };
    }
    return { ok: false, error: "unknown_method" };
  }
}
