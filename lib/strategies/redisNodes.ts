/**
 * Which servers make up a Redis target. Access rules are each node's own and do not replicate, so every change visits them
 * all, and the list is read afresh each time: a failover or a new replica between two steps must be seen.
 *
 * The truth is each node's INFO: a replica names its primary, a primary its connected replicas. A replica that is down is
 * named by nobody; the tag `rekey:nodes` names it, and then it is an error and not an absence.
 */
import { RekeyError } from "../errors.ts";
import {
  type Address,
  type Login,
  LoginRefused,
  nameOf,
  type Redis,
  type RedisTarget,
  withRedis,
} from "./redisConnection.ts";

export interface RedisNode {
  readonly address: Address;
  /** The login that this node accepted. */
  readonly login: Login;
  readonly role: "primary" | "replica";
  readonly isReplicated: boolean;
  readonly mode: "standalone" | "cluster" | "sentinel";
  /** Empty when the server was started without one. */
  readonly configFile: string;
}

export interface Topology {
  readonly target: RedisTarget;
  /** Primaries first. */
  readonly nodes: readonly RedisNode[];
  /** Nodes that refused every login offered. */
  readonly closed: readonly Address[];
}

export interface SilentNode {
  readonly address: Address;
  readonly because: string;
}

/**
 * @param logins tried in this order on each node
 * @param silent takes the nodes that cannot be asked, so that the others still are; without it the first one is thrown
 * @throws RekeyError TARGET_UNREACHABLE for any node that cannot be asked, MISSING_RIGHTS if INFO is not allowed
 */
export async function discover(
  target: RedisTarget,
  logins: readonly Login[],
  silent?: SilentNode[],
): Promise<Topology> {
  const seen = new Set<string>();
  // By the server's own run id: one server may be known under a DNS name and under the address that its peers see.
  const nodes = new Map<string, RedisNode>();
  const closed: Address[] = [];
  let wave: readonly Address[] = target.seeds;
  while (wave.length > 0) {
    const fresh = wave.filter((address) => !seen.has(nameOf(address)));
    const found: Address[] = [];
    for (const address of fresh) {
      if (seen.has(nameOf(address))) continue;
      seen.add(nameOf(address));
      try {
        const login = await firstAccepted(target, address, logins);
        if (!login) {
          closed.push(address);
          continue;
        }
        const info = parseInfo(await withRedis(target, address, login, (redis) => redis.send("INFO")));
        found.push(...peersOf(info));
        const runId = info.get("run_id") ?? nameOf(address);
        if (!nodes.has(runId)) nodes.set(runId, nodeOf(info, address, login));
      } catch (error) {
        if (!silent || !(error instanceof RekeyError) || error.code !== "TARGET_UNREACHABLE") throw error;
        silent.push({ address, because: error.message });
      }
    }
    wave = found;
  }
  const ordered = [...nodes.values()].sort((a, b) => a.role.localeCompare(b.role));
  return { target, nodes: ordered, closed };
}

/**
 * The same, for a caller that is about to write: a node that lets nobody in cannot be skipped.
 *
 * @throws RekeyError TARGET_UNREACHABLE, MISSING_RIGHTS, TARGET_REFUSES_CURRENT
 */
export async function discoverAll(target: RedisTarget, logins: readonly Login[]): Promise<Topology> {
  const topology = await discover(target, logins);
  const [first] = topology.closed;
  if (first) throw new RekeyError("TARGET_REFUSES_CURRENT", refusalOf(target, first, logins));
  return topology;
}

export function refusalOf(target: RedisTarget, address: Address, logins: readonly Login[]): string {
  const users = [...new Set(logins.map(({ username }) => username))].join(" and ");
  return `${target.label}: ${nameOf(address)} refuses user ${users} with the password known to Rekey; mend that node's password or the secret first`;
}

/** Visits every node, and waits for all of them before it reports the first failure. */
export async function onEveryNode<T>(
  { target, nodes }: Topology,
  work: (redis: Redis, node: RedisNode) => Promise<T>,
): Promise<T[]> {
  const visits = await Promise.allSettled(
    nodes.map((node) => withRedis(target, node.address, node.login, (redis) => work(redis, node))),
  );
  return visits.map((visit) => {
    if (visit.status === "rejected") throw asUnreachable(visit.reason, target);
    return visit.value;
  });
}

/** A login that worked a moment ago and no longer does: someone else changes the node just now, so look again. */
function asUnreachable(reason: unknown, { label }: RedisTarget): unknown {
  if (!(reason instanceof LoginRefused)) return reason;
  return new RekeyError("TARGET_UNREACHABLE", `${label}: a node's password changed while Rekey was at work`);
}

/** @throws RekeyError TARGET_UNREACHABLE */
export async function firstAccepted(
  target: RedisTarget,
  address: Address,
  logins: readonly Login[],
): Promise<Login | undefined> {
  for (const login of logins) {
    try {
      await withRedis(target, address, login, async () => {});
      return login;
    } catch (error) {
      if (!(error instanceof LoginRefused)) throw error;
    }
  }
  return undefined;
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const lines = text.split("\r\n").filter((line) => line.includes(":"));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)] as const),
  );
}

function nodeOf(info: ReadonlyMap<string, string>, address: Address, login: Login): RedisNode {
  const role = info.get("role") === "slave" ? "replica" : "primary";
  const mode = info.get("redis_mode");
  return {
    address,
    login,
    role,
    isReplicated: role === "replica" || Number(info.get("connected_slaves") ?? 0) > 0,
    mode: info.get("cluster_enabled") === "1" ? "cluster" : mode === "sentinel" ? "sentinel" : "standalone",
    configFile: info.get("config_file") ?? "",
  };
}

/** `master_host` and `master_port`, and `slave0:ip=10.0.0.7,port=6379,state=online,...`. */
function peersOf(info: ReadonlyMap<string, string>): Address[] {
  const peers: Address[] = [];
  const primary = info.get("master_host");
  if (primary) peers.push({ host: primary, port: Number(info.get("master_port")) });
  for (const [name, value] of info) {
    if (!/^slave\d+$/.test(name)) continue;
    const parts = new Map(value.split(",").map((part) => part.split("=", 2) as [string, string]));
    peers.push({ host: parts.get("ip") ?? "", port: Number(parts.get("port")) });
  }
  return peers;
}
