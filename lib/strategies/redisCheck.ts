/** The daily look at a Redis target, which changes nothing on it, and the lines with which a person mends one node. */

import { RekeyError } from "../errors.ts";
import { commandLine } from "../finding.ts";
import type { Answer } from "../rotation/strategy.ts";
import {
  type Address,
  type Login,
  LoginRefused,
  nameOf,
  RedisAnswer,
  type RedisTarget,
  withRedis,
} from "./redisConnection.ts";
import { discover, type SilentNode } from "./redisNodes.ts";

/**
 * What every node that can be found says to each login. A node that lets nobody of `finders` in is asked all the same.
 *
 * @throws RekeyError MISSING_RIGHTS
 */
export async function askEveryNode(
  target: RedisTarget,
  finders: readonly Login[],
  logins: { readonly current: Login; readonly revoked: Login | undefined },
): Promise<{ readonly current: readonly Answer[]; readonly revoked: readonly Answer[] }> {
  const silent: SilentNode[] = [];
  const { nodes, closed } = await discover(target, finders, silent);
  const addresses = [...nodes.map(({ address }) => address), ...closed];
  const unasked = silent.map(
    ({ address, because }): Answer => ({ where: nameOf(address), verdict: "silent", because }),
  );
  const answers = async (login: Login) => [
    ...(await Promise.all(addresses.map((address) => ask(target, address, login)))),
    ...unasked,
  ];
  return {
    current: await answers(logins.current),
    revoked: logins.revoked === undefined ? [] : await answers(logins.revoked),
  };
}

async function ask(target: RedisTarget, address: Address, login: Login): Promise<Answer> {
  const where = nameOf(address);
  try {
    await withRedis(target, address, login, async (redis) => {
      try {
        await redis.send("PING");
      } catch (error) {
        // It let us in and says no to the rest, whatever its reason: rules without PING, a cluster, a node that still loads.
        if (!(error instanceof RedisAnswer)) throw error;
      }
    });
    return { where, verdict: "accepted" };
  } catch (error) {
    if (error instanceof LoginRefused) return { where, verdict: "refused" };
    if (!(error instanceof RekeyError) || error.code !== "TARGET_UNREACHABLE") throw error;
    return { where, verdict: "silent", because: error.message };
  }
}

/**
 * A line for a shell that runs `ACL SETUSER` on one node and saves it there. Passwords go through the environment and
 * standard input of redis-cli: nothing of them stands in a process list.
 *
 * @param auth prints the password of `as`
 * @param rule the last rule, whose value is printed: `>` adds a password, `<` removes it
 */
export function aclLine(
  target: RedisTarget,
  where: string,
  as: { readonly username: string; readonly auth: string },
  rule: {
    readonly user: string;
    readonly before: readonly string[];
    readonly sign: ">" | "<";
    readonly value: string;
  },
  authAfter = as.auth,
): string {
  const split = where.lastIndexOf(":");
  const client = [
    ...["redis-cli", "-h", where.slice(0, split), "-p", where.slice(split + 1)],
    ...(target.tls ? ["--tls"] : []),
    ...["--no-auth-warning", "--user", as.username],
  ];
  const run = (...words: readonly string[]) => commandLine(...client, ...words);
  const set = run("-x", "ACL", "SETUSER", rule.user, ...rule.before);
  // One of the last two fails where the server keeps its users in the other file.
  return [
    `(export REDISCLI_AUTH="$(${as.auth})"`,
    `(printf '${rule.sign}'; ${rule.value}) | ${set}`,
    ...(authAfter === as.auth ? [] : [`REDISCLI_AUTH="$(${authAfter})"`]),
    run("ACL", "SAVE"),
    `${run("CONFIG", "REWRITE")})`,
  ].join("; ");
}
