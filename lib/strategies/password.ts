/** Random passwords of letters, digits and the hyphen: no character that a URL, a DSN or a shell would trip over. */
import { randomInt } from "node:crypto";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

/** @param length 43 characters carry 257 bits */
export function newPassword(length = 43): string {
  // randomInt is unbiased; a modulo over random bytes would prefer the first letters.
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}
