/** A primary and its replica, as the strategies meet them, and an independent way to ask both. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Circumstances, Verdict } from "../../lib/rotation/strategy.ts";
import type { Credential } from "../../lib/secret.ts";
import { type RedisServer, startRedis } from "./redis.ts";

export interface Pair {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly both: readonly RedisServer[];
  /** One verdict of both nodes. @throws if they differ or do not answer */
  login(credential: Credential): Promise<Verdict>;
  /** What would be lost if a command changed it: users, settings and files of both nodes. */
  state(as: Login): Promise<unknown>;
  /** @throws if the replica's link is not up within ten seconds */
  linked(as: Login): Promise<void>;
  /** The key's value on the replica, as soon as it has one; null after ten seconds. */
  arrived(as: Login, key: string): Promise<string | null>;
  stop(): Promise<void>;
}

export interface Login {
  readonly username?: string;
  readonly password: string;
}

export interface PairOptions {
  readonly password: string;
  readonly hasAclFile: boolean;
  readonly users?: readonly string[];
  readonly masteruser?: string;
  readonly masterauth?: string;
}

export async function startPair(options: PairOptions): Promise<Pair> {
  const { password, hasAclFile, users = [], masteruser } = options;
  const common = {
    password,
    masterauth: options.masterauth ?? password,
    ...(masteruser ? { masteruser } : {}),
    ...(hasAclFile ? { aclFile: users } : { settings: users }),
  };
  const primary = await startRedis(common);
  const replica = await startRedis({ ...common, replicaOf: primary }).catch(async (error) => {
    await primary.stop();
    throw error;
  });
  const both = [primary, replica];
  const pair: Pair = {
    primary,
    replica,
    both,
    async login(credential) {
      const [one, other] = await Promise.all(both.map((node) => verdictOf(node, credential)));
      if (one === undefined || one !== other) throw new Error(`primary ${one}, replica ${other}`);
      return one;
    },
    state: (as) =>
      Promise.all(
        both.map(async (node) => [
          await node.command<string[]>(as, "ACL", "LIST"),
          await node.command<string[]>(as, "CONFIG", "GET", "requirepass"),
          await node.command<string[]>(as, "CONFIG", "GET", "master*"),
          await node.configText(),
        ]),
      ),
    async linked(as) {
      const deadline = Date.now() + 10_000;
      while (!(await replica.command(as, "INFO", "replication")).includes("master_link_status:up")) {
        if (Date.now() > deadline) throw new Error("the replica's link stays down");
        await sleep(50);
      }
    },
    async arrived(as, key) {
      const deadline = Date.now() + 10_000;
      for (;;) {
        const value = await replica.command<string | null>(as, "GET", key);
        if (value !== null || Date.now() > deadline) return value;
        await sleep(50);
      }
    },
    async stop() {
      await Promise.all(both.map((node) => node.stop()));
    },
  };
  await pair.linked({ password }).catch(async (error) => {
    await pair.stop();
    throw error;
  });
  return pair;
}

async function verdictOf(node: RedisServer, credential: Credential): Promise<Verdict> {
  try {
    const username = credential.reveal("username") ?? "default";
    await node.command({ username, password: credential.require("password") }, "GET", "app:any");
    return "accepted";
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("WRONGPASS")) return "refused";
    throw error;
  }
}

export function circumstances(
  admin?: Credential,
  options: Readonly<Record<string, string>> = {},
  now = new Date(),
): Circumstances {
  return {
    now,
    graceSeconds: 60,
    skewSeconds: 60,
    emergency: false,
    mayWrite: () => {},
    rolloutSeconds: 1800,
    ...(admin ? { admin } : {}),
    options: new Map(Object.entries(options)),
  };
}
