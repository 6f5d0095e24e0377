/**
 * Slack as an outbox's Channel. Each message carries its outbox id as metadata (`rekey_outbox`, `event_payload.id`), which
 * Slack keeps through edits and gives back with the history; that is how a post is found whose answer nobody heard.
 *
 * Needs the scopes chat:write, and channels:history or groups:history for a private channel.
 */
import type { WebClient } from "@slack/web-api";
import { RekeyError } from "../errors.ts";
import type { Channel, Letter } from "../incident/channel.ts";
import type { LookOutcome, SendOutcome } from "../incident/outboxSteps.ts";
import { type SlackOptions, type SlackSays, slackClient } from "./slackClient.ts";

const EVENT_TYPE = "rekey_outbox";
/** Slack gives up to 999 a page, and now and then fewer than it has. */
const PAGE = 200;
const MOST_PAGES = 25;
/** Slack's clock and ours. */
const SKEW_MS = 120_000;
/** Silence after a 429 that does not say for how long. */
const UNSAID_SECONDS = 30;

/** Slack's words for a failure of its own, which may come after the deed. */
const UNSURE = [
  "fatal_error",
  "internal_error",
  "request_timeout",
  "service_unavailable",
  "team_added_to_org",
];
/** No connection was made, so nothing was sent. */
const NOT_CONNECTED = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"];

export function slackChannel(options: SlackOptions): Channel {
  const { channel } = options;
  const slack = slackClient(options);

  const send = async (call: (slack: WebClient) => Promise<{ ts?: string }>): Promise<SendOutcome> => {
    try {
      const { ts } = await slack(call);
      return ts ? { is: "sent", ts } : { is: "unknown", reason: "no ts" };
    } catch (error) {
      return outcomeOf(error);
    }
  };

  const content = ({ sendId, message: { text, blocks } }: Letter) => ({
    channel,
    text,
    // Without blocks an edit would leave the old ones in place.
    blocks: blocks as never,
    metadata: { event_type: EVENT_TYPE, event_payload: { id: sendId } },
    unfurl_links: false,
    unfurl_media: false,
  });

  return {
    post: (letter) =>
      send((slack) =>
        slack.chat.postMessage({
          ...content(letter),
          ...(letter.threadTs === undefined ? {} : { thread_ts: letter.threadTs }),
        }),
      ),

    edit: (ts, letter) => {
      const { unfurl_links: _, unfurl_media: __, ...edited } = content(letter);
      return send((slack) => slack.chat.update({ ...edited, ts }));
    },

    async look({ sendId, threadTs }, since): Promise<LookOutcome> {
      const range = {
        channel,
        include_all_metadata: true,
        limit: PAGE,
        oldest: String((since.getTime() - SKEW_MS) / 1000),
      };
      try {
        let cursor: string | undefined;
        for (let page = 0; page < MOST_PAGES; page += 1) {
          const asked = { ...range, ...(cursor ? { cursor } : {}) };
          const answer = await slack((client) =>
            threadTs === undefined
              ? client.conversations.history(asked)
              : client.conversations.replies({ ...asked, ts: threadTs }),
          );
          const found = answer.messages?.find((message) => outboxIdOf(message) === sendId);
          if (found?.ts) return { is: "found", ts: found.ts };
          cursor = answer.response_metadata?.next_cursor;
          if (!cursor) return { is: "absent" };
        }
        // A channel this busy was not looked through; whoever takes that for absent may post twice.
        return { is: "unanswered", reason: `not within ${MOST_PAGES} pages` };
      } catch (error) {
        const outcome = outcomeOf(error);
        // Its headline was deleted, and with it the place where it could stand.
        if (outcome.is === "refused" && outcome.code === "thread_not_found") return { is: "absent" };
        if (outcome.is === "limited") return outcome;
        return { is: "unanswered", reason: outcome.is === "refused" ? outcome.code : outcome.reason };
      }
    },
  };
}

function outboxIdOf(message: unknown): unknown {
  const { metadata } = message as { metadata?: { event_type?: string; event_payload?: { id?: unknown } } };
  return metadata?.event_type === EVENT_TYPE ? metadata.event_payload?.id : undefined;
}

function outcomeOf(error: unknown): Exclude<SendOutcome, { is: "sent" }> {
  // The token could not be read: nothing was sent.
  if (error instanceof RekeyError) return { is: "notSent", reason: `${error.code}: ${error.message}` };
  const { code, data, retryAfter, original } = error as SlackSays;
  if (code === "slack_webapi_rate_limited_error")
    return { is: "limited", retryAfterSeconds: retryAfter ?? UNSAID_SECONDS };
  if (code === "slack_webapi_platform_error" && data?.error !== undefined) {
    if (data.error === "ratelimited") return { is: "limited", retryAfterSeconds: UNSAID_SECONDS };
    return UNSURE.includes(data.error)
      ? { is: "unknown", reason: data.error }
      : { is: "refused", code: data.error };
  }
  const network = original?.cause?.code ?? original?.code ?? "";
  return {
    is: NOT_CONNECTED.includes(network) ? "notSent" : "unknown",
    reason: network || (code ?? "no answer"),
  };
}
