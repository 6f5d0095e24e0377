/**
 * What Slack sends when a person does something: a form of the documented shape, signed over its bytes, once, to the one
 * address that the app has named. Slack waits three seconds and shows the person when nothing came by then.
 */
import { createHmac, randomUUID } from "node:crypto";

/** The app and the team as Slack knows them, and what requests are signed with. */
export interface SlackAppIdentity {
  readonly teamId: string;
  readonly appId: string;
  readonly signingSecret: string;
}

export interface Delivery {
  /** Undefined if nothing was answered in time. */
  readonly status?: number;
  /** What was answered, if it was JSON. */
  readonly answer?: Readonly<Record<string, unknown>>;
  readonly milliseconds: number;
  /** For the person. */
  readonly problem?: string;
}

interface From {
  readonly app: SlackAppIdentity;
  readonly userId: string;
  readonly userName: string;
  readonly channel: { readonly id: string; readonly name: string };
  readonly triggerId: string;
}

const WAIT_MS = 3_000;

const shared = ({ app, userId, userName, channel, triggerId }: From) => ({
  team: { id: app.teamId, domain: "local" },
  user: { id: userId, username: userName, name: userName, team_id: app.teamId },
  api_app_id: app.appId,
  token: "deprecated",
  trigger_id: triggerId,
  channel,
});

export function clickPayload(
  from: From,
  message: {
    readonly ts: string;
    readonly thread?: string;
    readonly text: string;
    readonly blocks?: unknown;
  },
  block: { readonly block_id?: string },
  button: Readonly<Record<string, unknown>>,
): unknown {
  const thread = message.thread === undefined ? {} : { thread_ts: message.thread };
  return {
    type: "block_actions",
    ...shared(from),
    container: {
      type: "message",
      message_ts: message.ts,
      ...thread,
      channel_id: from.channel.id,
      is_ephemeral: false,
    },
    is_enterprise_install: false,
    message: { type: "message", ts: message.ts, ...thread, text: message.text, blocks: message.blocks ?? [] },
    actions: [
      {
        type: "button",
        action_id: button["action_id"],
        block_id: block.block_id ?? "b",
        text: button["text"],
        ...(button["value"] === undefined ? {} : { value: button["value"] }),
        ...(button["style"] === undefined ? {} : { style: button["style"] }),
        action_ts: String(Date.now() / 1000),
      },
    ],
  };
}

export function submitPayload(
  from: From,
  opened: { readonly id: string; readonly hash: string; readonly view: Readonly<Record<string, unknown>> },
  values: unknown,
): unknown {
  const { channel: _, ...rest } = shared(from);
  const { id, hash, view } = opened;
  return {
    type: "view_submission",
    ...rest,
    response_urls: [],
    view: { private_metadata: "", callback_id: "", ...view, id, hash, state: { values } },
  };
}

export const payloadForm = (payload: unknown) =>
  new URLSearchParams({ payload: JSON.stringify(payload) }).toString();

export function commandForm({ app, userId, userName, channel, triggerId }: From, text: string): string {
  return new URLSearchParams({
    token: "deprecated",
    team_id: app.teamId,
    team_domain: "local",
    channel_id: channel.id,
    channel_name: channel.name,
    user_id: userId,
    user_name: userName,
    command: "/rekey",
    text,
    api_app_id: app.appId,
    is_enterprise_install: "false",
    trigger_id: triggerId,
  }).toString();
}

/** Never twice: Slack does not try a click again. */
export async function deliver(
  url: string,
  { signingSecret }: SlackAppIdentity,
  body: string,
): Promise<Delivery> {
  const time = String(Math.floor(Date.now() / 1000));
  const signature = createHmac("sha256", signingSecret).update(`v0:${time}:${body}`).digest("hex");
  const begun = performance.now();
  const elapsed = () => Math.round(performance.now() - begun);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "x-slack-request-timestamp": time,
        "x-slack-signature": `v0=${signature}`,
        "x-request-id": randomUUID(),
      },
      body,
      signal: AbortSignal.timeout(WAIT_MS),
    });
    const text = await response.text();
    const milliseconds = elapsed();
    const { status } = response;
    if (status !== 200) return { status, milliseconds, problem: `Rekey answered with the status ${status}` };
    return { status, milliseconds, ...answerIn(text) };
  } catch (error) {
    // Slack tells a person no more than this, and the difference is all that it tells.
    const isLate = error instanceof Error && error.name === "TimeoutError";
    const problem = isLate ? "Rekey did not answer within three seconds" : "Rekey could not be reached";
    return { milliseconds: elapsed(), problem };
  }
}

function answerIn(text: string): Pick<Delivery, "answer" | "problem"> {
  if (text === "") return {};
  try {
    return { answer: { ...JSON.parse(text) } };
  } catch {
    return { problem: "Rekey answered with something that is no JSON" };
  }
}
