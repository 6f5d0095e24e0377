/**
 * Redis access rules, as `ACL LIST` writes them and `ACL SETUSER` reads them. Passwords are only ever handled as their
 * SHA-256, which is how Redis itself keeps them, so no plaintext stands in an ACL command.
 */
import { createHash } from "node:crypto";
import type { Redis } from "./redisConnection.ts";

export interface AclUser {
  readonly name: string;
  readonly isOn: boolean;
  /** Any password is accepted. */
  readonly isOpen: boolean;
  readonly hashes: readonly string[];
  /** Everything else, in order, ready for `ACL SETUSER`: flags, keys, channels, commands, selectors. */
  readonly rules: readonly string[];
}

export const hashOf = (password: string) => createHash("sha256").update(password).digest("hex");

/** State, not rights; and a flag that every user has unless it skips: Redis writes it for some users and not for others. */
const NOT_RULES = ["on", "off", "nopass", "sanitize-payload"];

/** `user app on sanitize-payload #<hash> ~app:* resetchannels -@all +get (~ro:* resetchannels -@all +get)` */
export function parseAclLine(line: string): AclUser {
  // A selector is one word to ACL SETUSER, though it contains spaces. Key patterns cannot contain one.
  const [, name = "", ...words] = line.match(/\(.*?\)(?= |$)|\S+/g) ?? [];
  return {
    name,
    isOn: words.includes("on"),
    isOpen: words.includes("nopass"),
    hashes: words.filter((word) => word.startsWith("#")).map((word) => word.slice(1)),
    rules: words.filter((word) => !NOT_RULES.includes(word) && !word.startsWith("#")),
  };
}

export async function readUser(redis: Redis, name: string): Promise<AclUser | undefined> {
  const lines = await redis.send<string[]>("ACL", "LIST");
  return lines.map(parseAclLine).find((user) => user.name === name);
}

/** Adds without touching other passwords; a password that is there already stays once. */
export async function addPassword(redis: Redis, name: string, password: string): Promise<void> {
  await redis.send("ACL", "SETUSER", name, `#${hashOf(password)}`);
}

/** Removing an absent password is an error in Redis, so it is looked for first. */
export async function removePassword(redis: Redis, name: string, password: string): Promise<void> {
  const hash = hashOf(password);
  const user = await readUser(redis, name);
  if (user?.hashes.includes(hash)) await redis.send("ACL", "SETUSER", name, `!${hash}`);
}

/** In one command, so that there is no moment without a password. */
export async function leaveOnlyPassword(redis: Redis, name: string, password: string): Promise<void> {
  await redis.send("ACL", "SETUSER", name, "resetpass", `#${hashOf(password)}`);
}

/** Switches a user off; a user that never existed is not made. */
export async function switchOff(redis: Redis, name: string): Promise<void> {
  if (!(await readUser(redis, name))) return;
  await redis.send("ACL", "SETUSER", name, "off", "resetpass");
  // Open sessions outlive the switch. A replica's link that logged in as this user is ended too and comes back by itself.
  await redis.send("CLIENT", "KILL", "USER", name);
}
