/** Signs and verifies this backend's tokens with the keys that its settings carry; tokens live five seconds. */
import { createHash } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import { type Settings, setting } from "./settings.ts";

export const TOKEN_SECONDS = 5;

export interface Tokens {
  /** Names the credentials that this task runs on, for the picture; says nothing about the key. */
  readonly generation: string;
  sign(subject: string): Promise<string>;
  /** @returns the subject, or undefined for a token of no key that is valid now */
  verify(token: string): Promise<string | undefined>;
}

export function tokensFrom(settings: Settings): Tokens {
  const bytes = (name: string) => new TextEncoder().encode(setting(settings, name));
  const current = bytes("JWT_SECRET_KEY");
  const next = bytes("JWT_SECRET_KEY_NEXT");
  const previous = bytes("JWT_SECRET_KEY_PREVIOUS");
  const notAfter = Number(settings["JWT_SECRET_KEY_PREVIOUS_NOT_AFTER"] ?? 0);
  return {
    generation: createHash("sha256").update(current).digest("hex").slice(0, 8),
    sign: (subject) =>
      new SignJWT()
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime(`${TOKEN_SECONDS}s`)
        .sign(current),
    async verify(token) {
      const keys = Date.now() / 1000 < notAfter ? [current, next, previous] : [current, next];
      for (const key of keys) {
        try {
          const { payload } = await jwtVerify(token, key, { algorithms: ["HS256"] });
          return payload.sub;
        } catch {
          // Signed with another key: the next one may be it. An expired token fails with every key.
        }
      }
      return undefined;
    },
  };
}
