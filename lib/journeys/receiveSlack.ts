/**
 * Slack is answered: who asks is checked, the request is remembered, the work is handed on, and nothing is done here.
 * Remembered before it is handed on, because the other order could do a captured request's work twice. What is remembered
 * and then not handed on is answered with an error; Slack shows it to the person, and a second click is a new request.
 */
import { createHash } from "node:crypto";
import {
  type Refusal,
  readSlackRequest,
  refuse,
  type SlackApp,
  type SlackRequest,
} from "../incident/slackRequest.ts";
import type { Headers } from "../incident/slackSignature.ts";
import type { SeenRequests, SlackWorkQueue } from "../incident/slackWork.ts";
import type { Ports } from "./ports.ts";

/** A function URL's request, as far as it is looked at. */
export interface HttpRequest {
  readonly headers: Headers;
  readonly body: string;
  /** Slack's forms arrive so; the signature covers the bytes behind it. */
  readonly isBase64Encoded: boolean;
}

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SlackDoor extends Pick<Ports, "tell" | "now"> {
  readonly app: SlackApp;
  readonly seen: SeenRequests;
  readonly queue: SlackWorkQueue;
}

/** @throws RekeyError AWS_* if the request could not be remembered or handed on */
export async function receiveSlack(door: SlackDoor, event: HttpRequest): Promise<HttpAnswer> {
  const now = door.now();
  const raw = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8");
  const received = readSlackRequest(raw, event.headers, door.app, now);
  if (!received.ok) return refusedWith(door, received);
  const { signature, request } = received;
  if (!(await door.seen.isFirst(signature, now))) {
    return refusedWith(door, refuse(401, "the same request was here before"));
  }
  const workId = createHash("sha256").update(signature).digest("hex").slice(0, 32);
  await door.queue.enqueue({ from: "slack", workId, receivedAt: now.toISOString(), request });
  door.tell({ event: "slack.received", workId, kind: request.kind, userId: request.userId });
  return acknowledged(request);
}

/** The reason is for our log: whoever forges requests is not told how far they came. */
function refusedWith(door: SlackDoor, { status, reason }: Refusal): HttpAnswer {
  door.tell({ event: "slack.refused", status, reason });
  return { statusCode: status, headers: {}, body: "" };
}

/** An empty answer leaves a message as it is and closes a modal; a command would seem to have done nothing. */
function acknowledged({ kind }: SlackRequest): HttpAnswer {
  if (kind !== "command") return { statusCode: 200, headers: {}, body: "" };
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      response_type: "ephemeral",
      text: "Rekey is on it; the answer follows in a moment.",
    }),
  };
}
