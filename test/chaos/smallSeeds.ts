/** What the small world's one secret unlocks, and the secret itself, for each kind. */
import { randomBytes } from "node:crypto";
import { scramVerifier } from "../../lib/strategies/scram.ts";
import type { PostgresServer } from "../servers/postgres.ts";
import type { RedisServer } from "../servers/redis.ts";
import type { Cloud } from "../standin/cloud.ts";
import type { Address } from "./logins.ts";
import { type Scenario, SECRET } from "./smallWorld.ts";

const value = () => randomBytes(32).toString("hex");

interface Login {
  readonly username: string;
  readonly password: string;
}

interface Seeds {
  readonly postgres?: { readonly server: PostgresServer; readonly at: Address; readonly app: Login };
  readonly redis?: {
    readonly at: Address;
    readonly password: string;
    readonly operator: Login;
    readonly app: Login;
  };
}

export async function seedPostgres(postgres: PostgresServer): Promise<{ app: Login }> {
  const app = { username: "app_a", password: value() };
  await postgres.query(`create role app nologin; create role app_b nologin;
    create role app_a login password '${scramVerifier(app.password)}'; grant app to app_a, app_b; alter role app_a set role = app`);
  return { app };
}

export async function seedRedis(
  nodes: readonly RedisServer[],
  password: string,
  operator: Login,
): Promise<{ app: Login }> {
  const app = { username: "app_a", password: value() };
  for (const node of nodes) {
    const user = (login: Login, ...rules: string[]) =>
      node.command({ password }, "ACL", "SETUSER", login.username, "on", `>${login.password}`, ...rules);
    await user(operator, "~*", "&*", "+@all");
    await user(app, "~app:*", "+@read", "+@connection");
    await node.command({ password }, "CONFIG", "REWRITE");
  }
  return { app };
}

/**
 * Without `not-after`: the old key then dies by a second deployment, where every run of the clock would have to be waited
 * for, and a busy machine would let it die too early.
 */
const KEY_TAGS = { grace: "0", skew: "0" };

export function seedSecret(cloud: Cloud, scenario: Scenario, { postgres, redis }: Seeds): void {
  const put = (name: string, fields: object, tags: Record<string, string> = {}) =>
    cloud.secrets.create(name, JSON.stringify(fields), { tags });
  cloud.secrets.create("rekey/slack", cloud.slack.token);
  if (postgres) put("shop/database-admin", postgres.server.admin);
  if (redis) put("shop/redis-admin", redis.operator);
  const [current, next] = [value(), value()];
  const keys = { alg: "HS256", current, next, previous: current, previousNotAfter: "0" };
  switch (scenario) {
    case "jwt":
      put(SECRET, keys, {
        "rekey:strategy": "jwt",
        ...Object.fromEntries(Object.entries(KEY_TAGS).map(([name, text]) => [`rekey:${name}`, text])),
      });
      return;
    case "postgres":
      put(
        SECRET,
        { engine: "postgres", ...postgres?.at, dbname: "postgres", ...postgres?.app },
        { "rekey:strategy": "postgres", "rekey:admin": "shop/database-admin" },
      );
      return;
    case "redis":
      put(
        SECRET,
        { engine: "redis", host: redis?.at.host, port: redis?.at.port, password: redis?.password },
        { "rekey:strategy": "redis" },
      );
      return;
    case "redis-user":
      put(
        SECRET,
        { engine: "redis", host: redis?.at.host, port: redis?.at.port, ...redis?.app },
        { "rekey:strategy": "redis-user", "rekey:admin": "shop/redis-admin" },
      );
      return;
    case "bundle":
      put(
        SECRET,
        {
          JWT_SECRET_KEY: current,
          JWT_SECRET_KEY_NEXT: next,
          JWT_SECRET_KEY_PREVIOUS: current,
          JWT_SECRET_KEY_PREVIOUS_NOT_AFTER: "0",
          DATABASE_HOST: postgres?.at.host,
          DATABASE_PORT: postgres?.at.port,
          DATABASE_USER: postgres?.app.username,
          DATABASE_PASSWORD: postgres?.app.password,
          DATABASE_NAME: "postgres",
          REDIS_HOST: redis?.at.host,
          REDIS_PORT: redis?.at.port,
          REDIS_PASSWORD: redis?.password,
          DEBUG: "false",
        },
        {
          "rekey:field:JWT_SECRET_KEY": "jwt",
          "rekey:field:DATABASE_PASSWORD": "postgres",
          "rekey:field:REDIS_PASSWORD": "redis",
          "rekey:admin:DATABASE_PASSWORD": "shop/database-admin",
          ...Object.fromEntries(
            Object.entries(KEY_TAGS).map(([name, text]) => [`rekey:${name}:JWT_SECRET_KEY`, text]),
          ),
        },
      );
  }
}
