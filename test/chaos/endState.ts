/**
 * What must hold when a run has ended, however it ended: one value lives, the one that AWSCURRENT names, everywhere and
 * also after a restart; every other value is dead; and nothing is left behind in the labels.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { RedisServer } from "../servers/redis.ts";
import type { Version } from "../standin/secretsModel.ts";
import { type Answer, tryPostgres, tryRedis } from "./logins.ts";
import { SECRET, type SmallWorld } from "./smallWorld.ts";

type Fields = Readonly<Record<string, string>>;

/** The parts of a version under the names that a secret of one credential has. */
function partsOf({ text }: Version): { database?: Fields; redis?: Fields; keys?: Fields } {
  const fields: Record<string, string> = JSON.parse(text);
  const { JWT_SECRET_KEY: current, DATABASE_USER: username, DATABASE_PASSWORD: password } = fields;
  if (current !== undefined) {
    return {
      keys: {
        current,
        next: fields["JWT_SECRET_KEY_NEXT"] ?? "",
      },
      database: { username: username ?? "", password: password ?? "" },
      redis: { password: fields["REDIS_PASSWORD"] ?? "" },
    };
  }
  if (fields["engine"] === "postgres") return { database: fields };
  return fields["engine"] === "redis" ? { redis: fields } : { keys: fields };
}

export function currentOf({ cloud }: SmallWorld): Version {
  const version = cloud.secrets.holder(cloud.secrets.find(SECRET), "AWSCURRENT");
  if (!version) throw new Error("the secret has no AWSCURRENT");
  return version;
}

/** @returns a sentence for each thing that does not hold */
export async function complaintsAboutEnd(world: SmallWorld, before: Version): Promise<string[]> {
  const secret = world.cloud.secrets.find(SECRET);
  const current = currentOf(world);
  const complaints: string[] = [];
  const labelled = (label: string) => [...secret.versions.values()].filter(({ labels }) => labels.has(label));
  if (labelled("AWSCURRENT").length !== 1) complaints.push("there is not exactly one AWSCURRENT");
  if (labelled("AWSPENDING").length > 0) complaints.push("AWSPENDING is left behind");
  const now = partsOf(current);
  // The versions of this run; those of earlier runs were judged then.
  const others = [...secret.versions.values()].filter(
    (one) => one !== current && (one === before || one.createdAt >= before.createdAt),
  );
  for (const version of [current, ...others]) {
    const wanted = version === current ? "accepted" : "refused";
    for (const [where, answer] of await logins(world, version, current)) {
      if (answer.verdict === wanted) continue;
      complaints.push(`${where} answers version ${version.versionId} with ${JSON.stringify(answer)}`);
    }
  }
  if (now.database) complaints.push(...(await databaseComplaints(world, now.database)));
  if (now.redis)
    for (const node of world.redis) complaints.push(...(await redisComplaints(world, node, now.redis)));
  if (world.redis.length > 0 && !(await isLinked(world))) complaints.push("the replica's link stays down");
  if (now.keys && current !== before) complaints.push(...keyComplaints(partsOf(before).keys, now.keys));
  return complaints;
}

/** Where a version's logins were tried, and what came back; what it shares with the current one is no value of its own. */
async function logins(
  { postgres, redis }: SmallWorld,
  version: Version,
  current: Version,
): Promise<(readonly [string, Answer])[]> {
  const [own, now] = [partsOf(version), partsOf(current)];
  const isOwn = (part: "database" | "redis") =>
    own[part] !== undefined && (version === current || own[part]["password"] !== now[part]?.["password"]);
  const found: (readonly [string, Answer])[] = [];
  if (postgres && isOwn("database")) {
    const { username: user = "", password = "" } = own.database ?? {};
    found.push(["postgres", await tryPostgres(postgres, { user, password, database: "postgres" })]);
  }
  if (isOwn("redis")) {
    const { username, password = "" } = own.redis ?? {};
    for (const node of redis)
      found.push([
        `redis ${node.port}`,
        await tryRedis(node, { password, ...(username ? { username } : {}) }),
      ]);
  }
  return found;
}

async function databaseComplaints({ postgres }: SmallWorld, { username }: Fields): Promise<string[]> {
  const rows = await postgres?.query(
    "select rolname from pg_roles where rolcanlogin and rolname in ('app', 'app_a', 'app_b')",
  );
  const names = (rows ?? []).map(({ rolname }) => String(rolname));
  return names.join() === username
    ? []
    : [`${names.join(" and ") || "nobody"} may log in, not ${username} alone`];
}

/** In memory and in the file that a restart reads. */
async function redisComplaints(
  { redisOperator, scenario }: SmallWorld,
  node: RedisServer,
  { username = "default", password = "" }: Fields,
): Promise<string[]> {
  const lines = await node.command<string[]>(redisOperator, "ACL", "LIST");
  const config = await node.configText();
  const wanted = createHash("sha256").update(password).digest("hex");
  const places = { memory: lines, file: config.split("\n").filter((line) => line.startsWith("user ")) };
  const ours = scenario === "redis-user" ? ["app_a", "app_b"] : ["default"];
  return Object.entries(places).flatMap(([place, users]) => {
    const alive = users
      .map((line) => line.split(" "))
      .filter(([, name = "", ...rules]) => ours.includes(name) && rules.includes("on"));
    const hashes = alive.flatMap((rules) => rules.filter((rule) => rule.startsWith("#")));
    const isRight = alive.length === 1 && alive[0]?.[1] === username && hashes.join() === `#${wanted}`;
    const names = alive.map(([, name]) => name).join(" and ");
    return isRight
      ? []
      : [`redis ${node.port}: in its ${place} ${names} is on, with ${hashes.length} password(s)`];
  });
}

async function isLinked({ redis: [, replica], redisOperator }: SmallWorld): Promise<boolean> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(100)) {
    const info = await replica?.command(redisOperator, "INFO", "replication");
    if (info?.includes("master_link_status:up")) return true;
  }
  return false;
}

/** A run that died in its retire wave ends on the rotate wave's document, whose previous key is not gone yet. */
function keyComplaints(old: Fields | undefined, now: Fields): string[] {
  return now["current"] === old?.["next"] || now["current"] === old?.["current"]
    ? []
    : ["the key that signs is not the one that was published before"];
}
