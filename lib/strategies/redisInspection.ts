/**
 * The reasons not to start on a Redis target that both strategies share, found by reading only: nodes that let nobody in,
 * kinds of deployment that Rekey does not drive, missing rights, and changes that would not survive a restart.
 */
import { RekeyError } from "../errors.ts";
import type { Objection } from "../rotation/strategy.ts";
import { readUser } from "./redisAcl.ts";
import { readSetting } from "./redisConfig.ts";
import { type Login, nameOf, type Redis, RedisAnswer } from "./redisConnection.ts";
import { onEveryNode, type RedisNode, refusalOf, type Topology } from "./redisNodes.ts";
import { sessionsOf } from "./redisSessions.ts";

/** What Rekey runs on a node, with enough arguments for `ACL DRYRUN`. */
const COMMANDS = [
  ["ACL", "LIST"],
  ["ACL", "SETUSER", "default"],
  ["ACL", "SAVE"],
  ["CONFIG", "GET", "aclfile"],
  ["CONFIG", "SET", "masterauth", ""],
  ["CONFIG", "REWRITE"],
  ["CLIENT", "ID"],
  ["CLIENT", "LIST"],
  ["CLIENT", "KILL", "ID", "0"],
] as const;

/** Turns what a step throws into an objection: a broken target is one, and not a failure of the inspection. */
export async function asObjections(work: () => Promise<readonly Objection[]>): Promise<readonly Objection[]> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    return [{ code: error.code, message: error.message }];
  }
}

export function objectionsToClosed({ target, closed }: Topology, logins: readonly Login[]): Objection[] {
  return closed.map((address) => ({
    code: "TARGET_REFUSES_CURRENT",
    message: refusalOf(target, address, logins),
  }));
}

/** Kinds of deployment that answer real work with something else than a result; nothing more is asked of them. */
export function objectionsToMode({ target, nodes }: Topology): Objection[] {
  return nodes
    .filter(({ mode }) => mode !== "standalone")
    .map((node) => unsupportedMode(node, `${target.label}: ${nameOf(node.address)}`));
}

/** Per node: rights, persistence, and what `more` finds. Without rights the rest cannot be asked. */
export async function inspectNodes(
  topology: Topology,
  more: (redis: Redis, node: RedisNode, where: string) => Promise<readonly Objection[]>,
): Promise<Objection[]> {
  const perNode = await onEveryNode(topology, async (redis, node) => {
    const where = `${topology.target.label}: ${nameOf(node.address)}`;
    const rights = await missingRights(redis, node, where);
    if (rights) return [rights];
    return [...(await volatile(redis, node, where)), ...(await more(redis, node, where))];
  });
  return perNode.flat();
}

function unsupportedMode({ mode }: RedisNode, where: string): Objection {
  const message =
    mode === "cluster"
      ? "runs as Redis Cluster, which Rekey does not rotate yet; rotate it by hand, or remove the tag rekey:strategy"
      : "is a Sentinel, not a data node; take it out of host and of the tag rekey:nodes";
  return { code: "UNSUPPORTED_TARGET", message: `${where} ${message}` };
}

async function missingRights(
  redis: Redis,
  { login }: RedisNode,
  where: string,
): Promise<Objection | undefined> {
  const denied: string[] = [];
  for (const command of COMMANDS) {
    if (!(await mayRun(redis, login.username, command))) denied.push(command.slice(0, 2).join(" "));
  }
  if (denied.length === 0) return undefined;
  return {
    code: "MISSING_RIGHTS",
    message: `${where}: user ${login.username} may not run ${denied.join(", ")}; allow it, or name an admin with the tag rekey:admin`,
  };
}

/** DRYRUN answers OK, or a sentence that says what is not allowed; a renamed command is an error. */
export async function mayRun(redis: Redis, username: string, command: readonly string[]): Promise<boolean> {
  try {
    return (await redis.send("ACL", "DRYRUN", username, ...command)) === "OK";
  } catch (error) {
    if (!(error instanceof RedisAnswer)) throw error;
    // Servers before 7.0 cannot be asked this way. There the first command that is refused says so, before any change.
    return /unknown subcommand/i.test(error.message);
  }
}

async function volatile(redis: Redis, node: RedisNode, where: string): Promise<Objection[]> {
  if (node.configFile !== "") return [];
  if ((await readSetting(redis, "aclfile")) === "") {
    return [
      {
        code: "NOT_PERSISTENT",
        message: `${where} runs without a config file, so a restart would bring the old password back; start it with one that it may write, or with an aclfile`,
      },
    ];
  }
  if (!node.isReplicated) return [];
  return [
    {
      code: "NOT_PERSISTENT",
      message: `${where} has an aclfile but no config file, so its masterauth cannot be saved; start it with a config file that it may write`,
    },
  ];
}

/** A second new value would push out one that somebody uses. */
export async function inspectPasswords(
  redis: Redis,
  username: string,
  knownHash: string,
  where: string,
): Promise<Objection[]> {
  const user = await readUser(redis, username);
  if (user?.isOpen) {
    return [
      {
        code: "UNSUPPORTED_TARGET",
        message: `${where}: user ${username} is accepted with any password (nopass); give it the secret's password first`,
      },
    ];
  }
  const others = user?.hashes.filter((hash) => hash !== knownHash).length ?? 0;
  if (others === 0) return [];
  return [
    {
      code: "FOREIGN_PENDING",
      message: `${where}: user ${username} accepts ${others} more password${others === 1 ? "" : "s"} than the secret holds; find out who uses them and remove them with ACL SETUSER ${username} !<hash>`,
    },
  ];
}

/** A Sentinel keeps the password in a file of its own, where Rekey does not go. */
export async function inspectSentinels(redis: Redis, username: string, where: string): Promise<Objection[]> {
  const watchers = (await sessionsOf(redis, username)).filter(({ name }) => name.startsWith("sentinel-"));
  if (watchers.length === 0) return [];
  return [
    {
      code: "UNSUPPORTED_TARGET",
      message: `${where} is watched by a Sentinel that logs in as user ${username} and would be shut out; give the Sentinels a user of their own (sentinel auth-user, auth-pass)`,
    },
  ];
}
