/**
 * What Slack may ask of us, as a closed union, made of raw bytes and headers: a click on a button, a modal that was sent,
 * the command `/rekey`. Everything else is refused with a reason that names what was wrong and quotes nothing. Whether the
 * same request was here before is for the caller to find out, by `signature`.
 */
import * as z from "zod/mini";
import type { SecretText } from "../secret.ts";
import { checkSignature, type Headers, header } from "./slackSignature.ts";

/** A click brings the whole message along, percent-encoded: some sixty thousand characters at nine bytes each. */
export const MOST_BYTES = 1_048_576;

const id = z.string().check(z.regex(/^[A-Z0-9]{2,32}$/, "is not one of Slack's ids"));
const ts = z.string().check(z.regex(/^\d{1,12}\.\d{6}$/, "is not a message's ts"));
/** Good for three seconds, and for opening one modal. */
const triggerId = z.string().check(z.regex(/^[\w.-]{1,200}$/, "is not a trigger id"));
const text = (most: number) => z.string().check(z.maxLength(most, `is longer than ${most}`));

export const slackRequest = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("click"),
    actionId: text(255),
    /** Opaque to Slack: the id of a request that is kept here. Empty for a button without one. */
    value: text(2_000),
    userId: id,
    channelId: id,
    messageTs: ts,
    triggerId,
  }),
  z.object({
    kind: z.literal("modal"),
    callbackId: text(255),
    privateMetadata: text(3_000),
    /** What was typed or chosen, by block and action. */
    inputs: z
      .array(z.object({ blockId: text(255), actionId: text(255), value: text(3_000) }))
      .check(z.maxLength(20, "has more than 20 inputs")),
    userId: id,
  }),
  z.object({
    kind: z.literal("command"),
    command: z.literal("/rekey"),
    text: text(2_000),
    userId: id,
    channelId: id,
    triggerId,
  }),
]);
export type SlackRequest = z.infer<typeof slackRequest>;

/** Whose requests are taken. */
export interface SlackApp {
  readonly teamId: string;
  readonly appId: string;
  readonly signingSecret: SecretText;
}

/** 401: not from our Slack, or not now. 400: nothing that we can read. */
export interface Refusal {
  readonly ok: false;
  readonly status: 400 | 401;
  readonly reason: string;
}

export type Received =
  | { readonly ok: true; readonly request: SlackRequest; readonly signature: string }
  | Refusal;

/** @param raw the body's bytes as they arrived, base64 undone */
export function readSlackRequest(raw: Uint8Array, headers: Headers, app: SlackApp, now: Date): Received {
  if (raw.length > MOST_BYTES) return refuse(400, `the body is longer than ${MOST_BYTES} bytes`);
  const signed = checkSignature(raw, headers, app.signingSecret, now);
  if (!signed.ok) return refuse(401, signed.reason);
  const type = header(headers, "content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type))
    return refuse(400, "the body is not a form");
  const form = formOf(raw);
  if (!form) return refuse(400, "the body is not UTF-8");
  const sent = contentOf(form);
  if (!sent) return refuse(400, "the form has no payload that is a JSON object, and no command");
  const sender = senderShape.safeParse(sent);
  if (!sender.success || !isOurs(sender.data, app)) return refuse(401, "it is not from our team and app");
  const read = slackRequest.safeParse(namedAsOurs(sent));
  if (read.success) return { ok: true, request: read.data, signature: signed.signature };
  const where = read.error.issues.map(({ path, message }) => `${path.join(".") || "kind"} ${message}`);
  return refuse(400, `it is none of click, modal and command: ${where.slice(0, 5).join("; ")}`);
}

export const refuse = (status: Refusal["status"], reason: string): Refusal => ({ ok: false, status, reason });

/** Percent-encoding can hide bytes that are not UTF-8 from a decoder of the whole body; each value is decoded strictly. */
function formOf(raw: Uint8Array): Map<string, string> | undefined {
  try {
    const body = new TextDecoder("utf-8", { fatal: true }).decode(raw);
    const pairs = body.split("&").map((pair) => {
      const [name = "", ...value] = pair.split("=");
      return [name, value.join("=")].map((part) => decodeURIComponent(part.replaceAll("+", " ")));
    });
    return new Map(pairs.map(([name = "", value = ""]) => [name, value]));
  } catch {
    // Not UTF-8, or a percent sign without its two digits: the caller is told the same.
    return undefined;
  }
}

function contentOf(form: ReadonlyMap<string, string>): Readonly<Record<string, unknown>> | undefined {
  const payload = form.get("payload");
  if (payload === undefined) return form.has("command") ? Object.fromEntries(form) : undefined;
  try {
    const parsed: unknown = JSON.parse(payload);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? { ...parsed }
      : undefined;
  } catch {
    // The parser's own message would quote what it read.
    return undefined;
  }
}

const senderShape = z.object({
  api_app_id: z.string(),
  /** Commands carry it flat, payloads in an object; a person's own team shows who comes from outside. */
  team_id: z.optional(z.string()),
  team: z.optional(z.nullable(z.object({ id: z.string() }))),
  user: z.optional(z.object({ team_id: z.optional(z.string()) })),
});

function isOurs(sender: z.infer<typeof senderShape>, app: SlackApp): boolean {
  const team = sender.team?.id ?? sender.team_id;
  const isInside = sender.user?.team_id === undefined || sender.user.team_id === app.teamId;
  return team === app.teamId && sender.api_app_id === app.appId && isInside && app.teamId !== "";
}

const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>(
    (found, key) =>
      typeof found === "object" && found !== null && Object.hasOwn(found, key)
        ? (found as Record<string | number, unknown>)[key]
        : undefined,
    value,
  );

/** Slack's names to ours; whether the values will do is for the union to say. */
function namedAsOurs(sent: Readonly<Record<string, unknown>>): unknown {
  if (sent["type"] === "block_actions") {
    const actions = sent["actions"];
    const [action, ...more] = Array.isArray(actions) ? actions : [];
    if (more.length > 0 || at(action, "type") !== "button") return undefined;
    return {
      kind: "click",
      actionId: at(action, "action_id"),
      value: at(action, "value") ?? "",
      userId: at(sent, "user", "id"),
      channelId: at(sent, "container", "channel_id") ?? at(sent, "channel", "id"),
      messageTs: at(sent, "container", "message_ts") ?? at(sent, "message", "ts"),
      triggerId: sent["trigger_id"],
    };
  }
  if (sent["type"] === "view_submission") {
    return {
      kind: "modal",
      callbackId: at(sent, "view", "callback_id"),
      privateMetadata: at(sent, "view", "private_metadata") ?? "",
      inputs: inputsOf(at(sent, "view", "state", "values")),
      userId: at(sent, "user", "id"),
    };
  }
  if (sent["type"] !== undefined) return undefined;
  return {
    kind: "command",
    command: sent["command"],
    text: withoutControls(sent["text"] ?? ""),
    userId: sent["user_id"],
    channelId: sent["channel_id"],
    triggerId: sent["trigger_id"],
  };
}

function inputsOf(values: unknown): unknown[] {
  if (typeof values !== "object" || values === null) return [];
  return Object.entries(values).flatMap(([blockId, actions]) =>
    Object.entries(typeof actions === "object" && actions !== null ? actions : {}).map(
      ([actionId, input]) => ({
        blockId,
        actionId,
        value: withoutControls(
          at(input, "value") ?? at(input, "selected_option", "value") ?? at(input, "selected_user") ?? "",
        ),
      }),
    ),
  );
}

/** Line breaks stay. */
const withoutControls = (value: unknown) =>
  typeof value === "string" ? value.replace(/(?!\n)[\p{Cc}\p{Cf}]/gu, "") : value;
