/**
 * What a Redis node keeps beside its access rules: the login of its replication link, `requirepass`, and the files from
 * which all of it comes back after a restart. Unsaved changes are lost then, and the old password returns.
 */
import { RekeyError } from "../errors.ts";
import { hashOf, readUser } from "./redisAcl.ts";
import { type Login, nameOf, type Redis, RedisAnswer } from "./redisConnection.ts";
import type { RedisNode } from "./redisNodes.ts";

export async function readSetting(redis: Redis, name: string): Promise<string> {
  const [, value = ""] = await redis.send<string[]>("CONFIG", "GET", name);
  return value;
}

/** The user that a node's replication link logs in as. An empty masteruser is the default user. */
export async function replicationUser(redis: Redis): Promise<string> {
  return (await readSetting(redis, "masteruser")) || "default";
}

/**
 * Makes the replication link log in with `login` from its next connect on, if it logs in as one of `rotating`. An open
 * link is not touched. A node that stands alone and has no masterauth keeps none.
 */
export async function moveReplicationLogin(
  redis: Redis,
  node: RedisNode,
  rotating: readonly string[],
  login: Login,
): Promise<void> {
  const user = await replicationUser(redis);
  if (!rotating.includes(user)) return;
  const known = await readSetting(redis, "masterauth");
  if (known === "" && !node.isReplicated) return;
  // Two commands, because servers before 7.0 take one setting at a time; a link that connects in between tries again.
  if (user !== login.username) await redis.send("CONFIG", "SET", "masteruser", login.username);
  if (known !== login.password) await redis.send("CONFIG", "SET", "masterauth", login.password);
}

/**
 * Brings `requirepass` in line with the one password left. It drops every other password of the default user, so it is
 * left alone while there are two; and it stays unset where it was never used.
 */
export async function alignRequirepass(redis: Redis, password: string): Promise<void> {
  const user = await readUser(redis, "default");
  const isOnly = user?.hashes.length === 1 && user.hashes[0] === hashOf(password);
  const known = await readSetting(redis, "requirepass");
  if (isOnly && known !== "" && known !== password)
    await redis.send("CONFIG", "SET", "requirepass", password);
}

/** @throws RekeyError NOT_PERSISTENT */
export async function persist(redis: Redis, { address, configFile }: RedisNode): Promise<void> {
  try {
    const hasAclFile = (await readSetting(redis, "aclfile")) !== "";
    if (hasAclFile) await redis.send("ACL", "SAVE");
    // The two files are separate things: masterauth and requirepass stand in this one even when users have their own.
    if (configFile !== "" || !hasAclFile) await redis.send("CONFIG", "REWRITE");
  } catch (error) {
    if (!(error instanceof RedisAnswer) || error.kind === "NOPERM") throw error;
    throw new RekeyError(
      "NOT_PERSISTENT",
      `${nameOf(address)}: the server cannot save its passwords (${error.message}); start it from a config file that it may write`,
      { cause: error },
    );
  }
}
