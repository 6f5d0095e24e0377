/**
 * Whether the values from before are dead and the new ones alive, by trying each where it works or used to work, without
 * any of Rekey's own code; after a way back the answers must be the other way round. A failure that is not a refusal
 * proves nothing and is thrown.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { SignJWT } from "jose";
import type { RedisServer } from "../servers/redis.ts";
import { withRedisClient } from "../servers/redisClient.ts";
import type { Login } from "./seed.ts";
import { BUNDLE, GUARD_DATABASE, GUARD_REDIS, type ServiceName, type World } from "./world.ts";

export interface Trial {
  readonly oldRefused: boolean;
  readonly newAccepted: boolean;
}

/** Secret name -> what was tried and where -> the answers. */
export type Proof = Readonly<Record<string, Readonly<Record<string, Trial>>>>;

/** @param withdrawn secret name -> id of the version that was taken back; of every other secret the present one is tried */
export async function tryOldAndNew(
  world: World,
  withdrawn: Readonly<Record<string, string>> = {},
): Promise<Proof> {
  const { cloud, primary, replica, seeds } = world;
  const read = (name: string): Record<string, string> =>
    JSON.parse(cloud.secrets.read(cloud.secrets.find(name), withdrawn[name], undefined).text);
  const [bundle, guardDatabase, guardRedis] = [read(BUNDLE), read(GUARD_DATABASE), read(GUARD_REDIS)];

  const database = (old: Login, username = "", password = "") =>
    trial((login) => postgresAccepts(world, login), old, { username, password });
  const redis = (node: RedisServer, old: RedisLogin, password = "", username?: string) =>
    trial((login) => redisAccepts(node, login), old, { password, ...(username ? { username } : {}) });
  const order = await makeOrder(world);
  // The key that signs after a rotation was published as `next` before it, and is `next` again after a way back: what only
  // the withdrawn document knew is the `next` of its own.
  const newKey = withdrawn[BUNDLE] === undefined ? "JWT_SECRET_KEY" : "JWT_SECRET_KEY_NEXT";
  const guard = (service: ServiceName) =>
    trial((key) => guardsAccept(world, service, key, order), seeds.jwtKey, bundle[newKey] ?? "");

  return {
    [BUNDLE]: {
      "JWT_SECRET_KEY at tokenguard": await guard("tokenguard"),
      "JWT_SECRET_KEY at trustguard": await guard("trustguard"),
      "DATABASE_PASSWORD at PostgreSQL": await database(
        seeds.appDatabase,
        bundle["DATABASE_USER"],
        bundle["DATABASE_PASSWORD"],
      ),
      "REDIS_PASSWORD at the primary": await redis(
        primary,
        { password: seeds.redisPassword },
        bundle["REDIS_PASSWORD"],
      ),
      "REDIS_PASSWORD at the replica": await redis(
        replica,
        { password: seeds.redisPassword },
        bundle["REDIS_PASSWORD"],
      ),
    },
    [GUARD_DATABASE]: {
      "password at PostgreSQL": await database(
        seeds.guardDatabase,
        guardDatabase["username"],
        guardDatabase["password"],
      ),
    },
    [GUARD_REDIS]: {
      "password at the primary": await redis(
        primary,
        seeds.guardRedis,
        guardRedis["password"],
        guardRedis["username"],
      ),
      "password at the replica": await redis(
        replica,
        seeds.guardRedis,
        guardRedis["password"],
        guardRedis["username"],
      ),
    },
  };
}

const ORDER_PATIENCE_MS = 15_000;

/**
 * Through the gateway, so that there is one even where no traffic ran; the guards ask for it in both stores. After an
 * emergency a pool may still be on its way back, which says nothing about any value.
 */
async function makeOrder({ cloud }: World): Promise<string> {
  const deadline = Date.now() + ORDER_PATIENCE_MS;
  for (;;) {
    const target = cloud.ecs.targets("gateway")[0];
    if (!target) throw new Error("gateway: no task is in service");
    const answer = await fetch(`http://${target.host}:${target.port}/`, { method: "POST" }).catch(
      () => undefined,
    );
    const { id } = ((await answer?.json()) ?? {}) as { readonly id?: string };
    if (id !== undefined) return id;
    if (Date.now() > deadline) throw new Error(`gateway: takes no order (${answer?.status ?? "no answer"})`);
    await sleep(200);
  }
}

/**
 * What whoever read the bundle before the rotation can try, over and over. An answer that is neither yes nor no is thrown.
 * @returns what was tried and where -> whether it is refused
 */
export async function leakedValues(world: World): Promise<Readonly<Record<string, () => Promise<boolean>>>> {
  const { seeds, primary, replica } = world;
  const order = await makeOrder(world);
  const password = seeds.redisPassword;
  const refused = (accepts: () => Promise<boolean>) => async () => !(await accepts());
  return {
    "DATABASE_PASSWORD at PostgreSQL": refused(() => postgresAccepts(world, seeds.appDatabase)),
    "REDIS_PASSWORD at the primary": refused(() => redisAccepts(primary, { password })),
    "REDIS_PASSWORD at the replica": refused(() => redisAccepts(replica, { password })),
    "JWT_SECRET_KEY at tokenguard": refused(() => guardsAccept(world, "tokenguard", seeds.jwtKey, order)),
    "JWT_SECRET_KEY at trustguard": refused(() => guardsAccept(world, "trustguard", seeds.jwtKey, order)),
  };
}

/** Only the half about the old values: secret name -> what was tried -> whether it was refused. */
export async function tryOldValues(
  world: World,
): Promise<Readonly<Record<string, Readonly<Record<string, boolean>>>>> {
  const proof = Object.entries(await tryOldAndNew(world));
  return Object.fromEntries(
    proof.map(([name, trials]) => [
      name,
      Object.fromEntries(Object.entries(trials).map(([what, { oldRefused }]) => [what, oldRefused])),
    ]),
  );
}

/** The same question twice, with the value from before and with the present one. */
async function trial<T>(accepts: (value: T) => Promise<boolean>, old: T, present: T): Promise<Trial> {
  return { oldRefused: !(await accepts(old)), newAccepted: await accepts(present) };
}

const INVALID_PASSWORD = "28P01";
const INVALID_AUTHORIZATION = "28000";

async function postgresAccepts({ postgres }: World, login: Login): Promise<boolean> {
  return unlessRefused([INVALID_PASSWORD, INVALID_AUTHORIZATION], () => postgres.query("select 1", login));
}

interface RedisLogin {
  readonly username?: string;
  readonly password: string;
}

async function redisAccepts({ host, port }: RedisServer, login: RedisLogin): Promise<boolean> {
  return unlessRefused(["WRONGPASS"], () =>
    withRedisClient({ host, port, ...login }, (client) => client.ping()),
  );
}

async function unlessRefused(refusals: readonly string[], attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt();
    return true;
  } catch (error) {
    const { code = "", message } = error as Error & { readonly code?: string };
    if (refusals.some((refusal) => code === refusal || message.startsWith(refusal))) return false;
    throw error;
  }
}

/** A fresh token signed with this key, shown to every task of the guard: all must be of one mind. */
async function guardsAccept(
  { cloud }: World,
  service: ServiceName,
  key: string,
  order: string,
): Promise<boolean> {
  const token = await new SignJWT()
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(order)
    .setIssuedAt()
    .setExpirationTime("5s")
    .sign(new TextEncoder().encode(key));
  const statuses = await Promise.all(
    cloud.ecs.targets(service).map(async ({ host, port }) => {
      const answer = await fetch(`http://${host}:${port}/`, {
        headers: { authorization: `Bearer ${token}` },
      }).catch((cause) => {
        throw new Error(`${service}: a task in service does not answer`, { cause });
      });
      await answer.arrayBuffer();
      return answer.status;
    }),
  );
  if (statuses.length > 0 && statuses.every((status) => status === 200)) return true;
  if (statuses.length > 0 && statuses.every((status) => status === 401)) return false;
  throw new Error(`${service}: its tasks answer a token with ${statuses.join(", ") || "nothing"}`);
}
