/**
 * Slack's Web API as everything here calls it: no retries and a short timeout, since callers know better what may be sent
 * twice and how long it can wait. The client is loaded on first use; most invocations say nothing in Slack.
 */
import type { WebClient } from "@slack/web-api";
import type { SecretText } from "../secret.ts";

/** After which nobody knows whether a message was posted. */
export const SLACK_TIMEOUT_MS = 2_500;

export interface SlackOptions {
  readonly channel: string;
  readonly apiUrl?: string;
  readonly timeoutMs?: number;
  /** Asked once for each worker, and only when something is to be posted. */
  readonly token: () => Promise<SecretText>;
}

export type UseSlack = <T>(send: (slack: WebClient) => Promise<T>) => Promise<T>;

/** One client for all calls, and another one after an error: the token may have been a new one's predecessor. */
export function slackClient({ apiUrl, token, timeoutMs = SLACK_TIMEOUT_MS }: SlackOptions): UseSlack {
  let client: Promise<WebClient> | undefined;

  async function connect(): Promise<WebClient> {
    const [{ LogLevel, WebClient }, bearer] = await Promise.all([import("@slack/web-api"), token()]);
    return new WebClient(bearer.reveal(), {
      timeout: timeoutMs,
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

  return async (send) => {
    client ??= connect();
    const current = client;
    try {
      return await send(await current);
    } catch (error) {
      if (client === current) client = undefined;
      throw error;
    }
  };
}

/** What the client's errors say; they also carry the request, which nobody else should see. */
export interface SlackSays {
  readonly data?: { readonly error?: string };
  readonly code?: string;
  readonly retryAfter?: number;
  readonly original?: { readonly code?: string; readonly cause?: { readonly code?: string } };
}
