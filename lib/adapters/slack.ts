/**
 * Slack as the run's Announcer. No retries and a short timeout: a rotation must never wait for a chat, and the board is
 * brought up to date by a later round anyway. The client is loaded on first use, since most invocations post nothing.
 */
import type { WebClient } from "@slack/web-api";
import { RekeyError } from "../errors.ts";
import type { Announcer, Message } from "../message.ts";
import type { SecretText } from "../secret.ts";

const TIMEOUT_MS = 2_500;

export interface SlackOptions {
  readonly channel: string;
  readonly apiUrl?: string;
  /** Asked once for each worker, and only when something is to be posted. */
  readonly token: () => Promise<SecretText>;
}

export function slackAnnouncer({ channel, apiUrl, token }: SlackOptions): Announcer {
  let client: Promise<WebClient> | undefined;

  async function connect(): Promise<WebClient> {
    const [{ LogLevel, WebClient }, bearer] = await Promise.all([import("@slack/web-api"), token()]);
    return new WebClient(bearer.reveal(), {
      timeout: TIMEOUT_MS,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      // Its own lines would go to the log past ours, with request bodies in them.
      logger: {
        debug() {},
        info() {},
        warn() {},
        error() {},
        setLevel() {},
        getLevel: () => LogLevel.ERROR,
        setName() {},
      },
      ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
    });
  }

  async function call<T>(doing: string, send: (slack: WebClient) => Promise<T>): Promise<T> {
    try {
      client ??= connect();
      return await send(await client);
    } catch (error) {
      client = undefined;
      throw slackError(doing, error);
    }
  }

  const content = ({ text, blocks }: Message) => ({ channel, text, blocks: blocks as never });

  return {
    async post(message) {
      const sent = await call("post", (slack) => slack.chat.postMessage(content(message)));
      return { messageId: sent.ts ?? "" };
    },
    async edit(messageId, message) {
      await call("edit", (slack) => slack.chat.update({ ...content(message), ts: messageId }));
    },
    async reply(messageId, text) {
      await call("reply", (slack) => slack.chat.postMessage({ channel, thread_ts: messageId, text }));
    },
  };
}

/** Keeps Slack's own word for it (`channel_not_found`); the client's error also carries the request, which we drop. */
function slackError(doing: string, error: unknown): RekeyError {
  if (error instanceof RekeyError) return error;
  const { data, code, retryAfter } = error as {
    data?: { error?: string };
    code?: string;
    retryAfter?: number;
  };
  return new RekeyError("SLACK_FAILED", `Slack did not ${doing}: ${data?.error ?? code ?? "no answer"}`, {
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }),
  });
}
