/**
 * Whether bytes that came over the internet were signed by Slack just now. The signature covers the bytes as they arrived,
 * so nothing is decoded or parsed before it holds. Old and future requests are refused alike: a clock that is wrong in
 * either direction would keep a captured request good for longer than its signature is remembered.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { SecretText } from "../secret.ts";

/** Slack's own advice, in both directions. */
const WINDOW_SECONDS = 300;

/** How long a signature must be remembered: the whole window, from its earliest second to its latest, and some slack. */
export const REMEMBER_SECONDS = 2 * WINDOW_SECONDS + 60;

export type Headers = Readonly<Record<string, string | undefined>>;

export type Signed =
  | { readonly ok: true; readonly signature: string }
  | { readonly ok: false; readonly reason: string };

/** @param now the receiver's clock */
export function checkSignature(raw: Uint8Array, headers: Headers, secret: SecretText, now: Date): Signed {
  const time = header(headers, "x-slack-request-timestamp") ?? "";
  const signature = header(headers, "x-slack-signature") ?? "";
  if (!/^\d{1,11}$/.test(time)) return refused("the timestamp header is missing or not a number of seconds");
  // Only this version: a later one may sign other things.
  if (!/^v0=[0-9a-f]{64}$/.test(signature))
    return refused("the signature header is missing or not of version v0");
  const ageSeconds = now.getTime() / 1000 - Number(time);
  if (ageSeconds > WINDOW_SECONDS) return refused("the request is older than five minutes");
  if (ageSeconds < -WINDOW_SECONDS) return refused("the request is from more than five minutes ahead");
  const key = secret.reveal();
  if (key === "") return refused("the signing secret is empty");
  const expected = createHmac("sha256", key).update(`v0:${time}:`).update(raw).digest();
  const given = Buffer.from(signature.slice("v0=".length), "hex");
  return timingSafeEqual(expected, given) ? { ok: true, signature } : refused("the signature does not fit");
}

/** Whatever the case of the name; API Gateway and function URLs spell it differently. */
export function header(headers: Headers, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}

const refused = (reason: string): Signed => ({ ok: false, reason });
