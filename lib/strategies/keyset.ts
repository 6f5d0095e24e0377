/**
 * The three keys of a JWT credential: `current` signs, `previous` still verifies, `next` already verifies. Reads and
 * writes them in the document, makes new ones, signs and verifies as a consumer would. HS keys are text, used as their
 * UTF-8 bytes; asymmetric keys are PKCS#8 PEM, and of `previous` only the public half (SPKI PEM) is kept.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { exportJWK, type JWK, jwtVerify, SignJWT } from "jose";
import { RekeyError } from "../errors.ts";
import type { Credential } from "../secret.ts";
import { newPassword } from "./password.ts";

export const ALGORITHMS = ["HS256", "HS384", "HS512", "EdDSA", "ES256", "RS256"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Characters of a new shared key: as many as make the key longer than the hash, 6 bits each. */
const SHARED_LENGTH: Readonly<Partial<Record<Algorithm, number>>> = { HS256: 43, HS384: 64, HS512: 86 };
/** What RFC 7518 section 3.2 asks of an HMAC key, in bytes. */
export const SHARED_MINIMUM: Readonly<Partial<Record<Algorithm, number>>> = {
  HS256: 32,
  HS384: 48,
  HS512: 64,
};

export interface Keyset {
  readonly alg: Algorithm;
  readonly current: string;
  readonly next?: string;
  /** Absent when the document only repeats `current` there. */
  readonly previous?: string;
  /** Epoch seconds after which verifiers refuse `previous`. */
  readonly previousNotAfter?: number;
}

export const isShared = (alg: Algorithm): boolean => SHARED_LENGTH[alg] !== undefined;

/** @throws RekeyError SECRET_MALFORMED, TAG_INVALID */
export function readKeyset(credential: Credential, wantedAlg: string | undefined): Keyset {
  const alg = credential.document.isPlain ? wantedAlg : (credential.reveal("alg") ?? wantedAlg);
  const known = ALGORITHMS.find((one) => one === (alg ?? "HS256"));
  if (!known) {
    throw new RekeyError(
      "TAG_INVALID",
      `${credential.label}: algorithm ${alg} is not one of ${ALGORITHMS.join(", ")}`,
    );
  }
  if (credential.document.isPlain) {
    const current = credential.document.revealPlain();
    if (current.trim() === "")
      throw new RekeyError("SECRET_MALFORMED", `${credential.label}: the secret is empty`);
    return { alg: known, current };
  }
  const current = credential.require("current");
  const next = credential.reveal("next");
  const previous = credential.reveal("previous");
  const notAfter = Number(credential.reveal("previousNotAfter") ?? 0);
  const hasPrevious = previous !== undefined && previous !== "" && previous !== current && notAfter > 0;
  return {
    alg: known,
    current,
    ...(next ? { next } : {}),
    ...(hasPrevious ? { previous, previousNotAfter: notAfter } : {}),
  };
}

/**
 * Writes the keyset over the credential. Every field is always there, because a task whose `valueFrom` names a missing
 * JSON key does not start: without a previous key `previous` repeats the current one and `previousNotAfter` is "0".
 */
export async function writeKeyset(credential: Credential, keyset: Keyset): Promise<Credential> {
  const next = keyset.next ?? keyset.current;
  const previous = keyset.previous ?? (isShared(keyset.alg) ? keyset.current : publicPem(keyset.current));
  const flat = {
    alg: keyset.alg,
    current: keyset.current,
    next,
    previous,
    previousNotAfter: String(keyset.previousNotAfter ?? 0),
  };
  const states = [
    { state: "current", key: keyset.current },
    { state: "next", key: next },
    ...(keyset.previous === undefined
      ? []
      : [{ state: "previous", key: keyset.previous, notAfter: keyset.previousNotAfter }]),
  ];
  const isWhole = credential.fieldOf("keyset") === "keyset";
  const jwkOf = async (
    { key, ...state }: { key: string; state: string; notAfter?: number | undefined },
    half: Half,
  ) => ({
    kid: kidOf(key, keyset.alg),
    alg: keyset.alg,
    ...state,
    ...(await exportJwk(key, keyset.alg, half)),
  });
  const keys = (half: Half) => Promise.all(states.map((one) => jwkOf(one, half)));
  return credential.with({
    ...flat,
    // A bundle stays flat; a document that is nothing but the keyset also carries it in one piece.
    ...(isWhole ? { keyset: { keys: await keys("signing") } } : {}),
    ...(isShared(keyset.alg) ? {} : { jwks: JSON.stringify({ keys: await keys("public") }) }),
  });
}

type Half = "signing" | "public";

async function exportJwk(key: string, alg: Algorithm, half: Half): Promise<JWK> {
  if (isShared(alg)) return { kty: "oct", k: Buffer.from(key, "utf8").toString("base64url") };
  const isPublic = half === "public" || !key.includes("PRIVATE KEY");
  return exportJWK(isPublic ? createPublicKey(key) : createPrivateKey(key));
}

export function newKey(alg: Algorithm): string {
  const length = SHARED_LENGTH[alg];
  if (length !== undefined) return newPassword(length);
  const { privateKey } =
    alg === "EdDSA"
      ? generateKeyPairSync("ed25519")
      : alg === "ES256"
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

export function publicPem(key: string): string {
  return createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
}

/**
 * A short id derived from the key, so that records may remember a key without holding it. Of an asymmetric key it is the
 * public half that is hashed, and both halves have the same id.
 */
export function kidOf(key: string, alg: Algorithm): string {
  const material = isShared(alg) ? `rekey-kid:${key}` : publicPem(key);
  return createHash("sha256").update(material).digest("base64url").slice(0, 16);
}

const signingKey = (key: string, alg: Algorithm): KeyObject | Uint8Array =>
  isShared(alg) ? Buffer.from(key, "utf8") : createPrivateKey(key);
const verifyingKey = (key: string, alg: Algorithm): KeyObject | Uint8Array =>
  isShared(alg) ? Buffer.from(key, "utf8") : createPublicKey(key);

/** A token as a consumer with this key would sign it. */
export function sign(key: string, alg: Algorithm, now: Date): Promise<string> {
  const seconds = Math.floor(now.getTime() / 1000);
  return new SignJWT({ purpose: "rekey-probe" })
    .setProtectedHeader({ alg, kid: kidOf(key, alg) })
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 60)
    .sign(signingKey(key, alg));
}

/** Whether a consumer that holds this keyset takes the token. */
export async function verifies(token: string, keyset: Keyset, now: Date): Promise<boolean> {
  const previousLives =
    keyset.previousNotAfter !== undefined && now.getTime() / 1000 < keyset.previousNotAfter;
  const keys = [keyset.current, keyset.next, previousLives ? keyset.previous : undefined];
  for (const key of keys) {
    if (key === undefined) continue;
    try {
      await jwtVerify(token, verifyingKey(key, keyset.alg), { algorithms: [keyset.alg], currentDate: now });
      return true;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== "ERR_JWS_SIGNATURE_VERIFICATION_FAILED") throw error;
    }
  }
  return false;
}
