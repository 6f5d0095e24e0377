/** Asking every node of a Redis target whether it accepts a login, by a fresh connection and real work. */
import { RekeyError } from "../errors.ts";
import type { Verdict } from "../rotation/strategy.ts";
import { type Address, type Login, LoginRefused, nameOf, RedisAnswer, withRedis } from "./redisConnection.ts";
import type { RedisNode, Topology } from "./redisNodes.ts";

export interface NodeVerdict {
  readonly address: Address;
  readonly verdict: Verdict;
}

/** @throws RekeyError TARGET_UNREACHABLE */
export async function verdicts(topology: Topology, login: Login): Promise<NodeVerdict[]> {
  const asked = topology.nodes.map(async (node) => ({
    address: node.address,
    verdict: await ask(topology, node, login),
  }));
  const refused = topology.closed.map((address) => ({ address, verdict: "refused" as const }));
  return [...(await Promise.all(asked)), ...refused];
}

async function ask({ target }: Topology, node: RedisNode, login: Login): Promise<Verdict> {
  try {
    await withRedis(target, node.address, login, async (redis) => {
      try {
        const key = `rekey:probe:${crypto.randomUUID()}`;
        if (node.role === "primary") await redis.send("SET", key, "1", "PX", "5000");
        await redis.send("GET", key);
      } catch (error) {
        // The login worked and its rules do not reach the probe's key. Both values have the same rules.
        if (!(error instanceof RedisAnswer) || error.kind !== "NOPERM") throw error;
      }
    });
    return "accepted";
  } catch (error) {
    if (error instanceof LoginRefused) return "refused";
    throw error;
  }
}

/** The old value is alive while any node accepts it; the new one is ready when every node does. */
export async function verdictOf(
  topology: Topology,
  { from, to }: { readonly from: Login; readonly to: Login },
): Promise<{ readonly from: Verdict; readonly to: Verdict }> {
  const [old, fresh] = await Promise.all([verdicts(topology, from), verdicts(topology, to)]);
  return {
    from: old.some(({ verdict }) => verdict === "accepted") ? "accepted" : "refused",
    to: fresh.every(({ verdict }) => verdict === "accepted") ? "accepted" : "refused",
  };
}

/** @throws RekeyError with this code, naming the node, if one of them answers otherwise */
export async function expectEverywhere(
  topology: Topology,
  login: Login,
  expected: Verdict,
  code: "PENDING_REFUSED" | "OLD_VALUE_REFUSED" | "OLD_VALUE_STILL_ACCEPTED",
  why: string,
): Promise<void> {
  const odd = (await verdicts(topology, login)).find(({ verdict }) => verdict !== expected);
  if (!odd) return;
  const answer = odd.verdict === "accepted" ? "still accepts" : "refuses";
  throw new RekeyError(code, `${topology.target.label}: ${nameOf(odd.address)} ${answer} ${why}`);
}
