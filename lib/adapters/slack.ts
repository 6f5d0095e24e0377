/**
 * Slack as the run's Announcer. A rotation must never wait for a chat, and the board is brought up to date by a later round
 * anyway, so nothing is tried twice.
 */
import type { WebClient } from "@slack/web-api";
import { RekeyError } from "../errors.ts";
import type { Announcer, Message } from "../message.ts";
import { type SlackOptions, type SlackSays, slackClient } from "./slackClient.ts";

export function slackAnnouncer(options: SlackOptions): Announcer {
  const { channel } = options;
  const slack = slackClient(options);

  async function call<T>(doing: string, send: (slack: WebClient) => Promise<T>): Promise<T> {
    try {
      return await slack(send);
    } catch (error) {
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

/** Keeps Slack's own word for it (`channel_not_found`). */
function slackError(doing: string, error: unknown): RekeyError {
  if (error instanceof RekeyError) return error;
  const { data, code, retryAfter } = error as SlackSays;
  return new RekeyError("SLACK_FAILED", `Slack did not ${doing}: ${data?.error ?? code ?? "no answer"}`, {
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }),
  });
}
