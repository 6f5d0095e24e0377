/**
 * Trying a value where it is used, by a fresh login and without Rekey's own code. Refused is an answer; whatever else goes
 * wrong means that the target could not be asked.
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { CompactSign, compactVerify, errors } from "jose";
import pg from "pg";
import { withRedisClient } from "../servers/redisClient.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export type Answer =
  | { readonly verdict: "accepted" }
  | { readonly verdict: "refused"; readonly with: string }
  | { readonly verdict: "unasked"; readonly because: string };

const ACCEPTED: Answer = { verdict: "accepted" };
const TIMEOUT_MS = 5_000;

export async function tryPostgres(
  { host, port }: Address,
  login: { readonly user: string; readonly password: string; readonly database: string },
): Promise<Answer> {
  const client = new pg.Client({ host, port, ...login, connectionTimeoutMillis: TIMEOUT_MS });
  // Reported once more by the call that fails.
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
    return ACCEPTED;
  } catch (error) {
    return answerOf(error, ["28P01", "28000"]);
  } finally {
    await client.end().catch(() => undefined);
  }
}

export async function tryRedis(
  { host, port }: Address,
  login: { readonly username?: string; readonly password: string },
): Promise<Answer> {
  try {
    await withRedisClient({ host, port, ...login, timeoutMs: TIMEOUT_MS }, (client) => client.ping());
    return ACCEPTED;
  } catch (error) {
    const answer = answerOf(error, ["WRONGPASS", "NOAUTH"]);
    // Logged in, and not allowed to ping.
    return answer.verdict === "unasked" && answer.because === "NOPERM" ? ACCEPTED : answer;
  }
}

/** Only codes and first words of what came back: the rest may quote. */
function answerOf(error: unknown, refusals: readonly string[]): Answer {
  const { code, message = "" } = error as { readonly code?: string; readonly message?: string };
  const said = code ?? message.split(" ", 1)[0] ?? "nothing";
  return refusals.includes(said) ? { verdict: "refused", with: said } : { verdict: "unasked", because: said };
}

/** A keyset as one task holds it. */
export interface Keys {
  readonly alg: string;
  readonly current: string;
  /** What it takes tokens of, apart from `current`. */
  readonly next?: string;
  readonly previous?: string;
  /** Epoch seconds; undefined when its holder does not look at the time. */
  readonly previousNotAfter?: number;
}

const isShared = (alg: string) => alg.startsWith("HS");

export function signToken({ alg, current }: Keys): Promise<string> {
  const key = isShared(alg) ? new TextEncoder().encode(current) : createPrivateKey(current);
  return new CompactSign(new TextEncoder().encode("{}")).setProtectedHeader({ alg }).sign(key);
}

export async function takesToken(token: string, keys: Keys, now: number): Promise<boolean> {
  const lives = keys.previousNotAfter === undefined || now / 1000 < keys.previousNotAfter;
  for (const key of [keys.current, keys.next, lives ? keys.previous : undefined]) {
    if (!key) continue;
    try {
      await compactVerify(token, isShared(keys.alg) ? new TextEncoder().encode(key) : createPublicKey(key));
      return true;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  return false;
}
