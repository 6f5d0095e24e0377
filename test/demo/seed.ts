/** The secrets of the demo's backend as they stand before the first rotation, and the roles and users that they name. */
import { randomBytes } from "node:crypto";
import { scramVerifier } from "../../lib/strategies/scram.ts";
import type { PostgresServer } from "../servers/postgres.ts";
import type { RedisServer } from "../servers/redis.ts";
import type { Cloud } from "../standin/cloud.ts";

const value = () => randomBytes(32).toString("hex");

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** The values in use before the rotation, to try afterwards. */
export interface Seeds {
  readonly jwtKey: string;
  readonly appDatabase: Login;
  readonly guardDatabase: Login;
  readonly redisPassword: string;
  readonly guardRedis: Login;
  /** Everything that must never show in any output. */
  readonly canaries: readonly string[];
}

interface Ground {
  readonly cloud: Cloud;
  readonly postgres: PostgresServer;
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly redisPassword: string;
}

export async function seedSecrets(ground: Ground): Promise<Seeds> {
  const { cloud, postgres, primary, replica, redisPassword } = ground;
  const appDatabase = { username: "app_a", password: value() };
  const guardDatabase = { username: "tokenguard_a", password: value() };
  const guardRedis = { username: "tokenguard_a", password: value() };
  const operator = { username: "operator", password: value() };
  const [jwtKey, nextKey, stripe, other] = [value(), value(), value(), value()];
  await seedRoles(postgres, appDatabase, guardDatabase);
  for (const node of [primary, replica]) {
    const asDefault = { password: redisPassword };
    await node.command(
      asDefault,
      "ACL",
      "SETUSER",
      operator.username,
      "on",
      `>${operator.password}`,
      "~*",
      "&*",
      "+@all",
    );
    await node.command(
      asDefault,
      "ACL",
      "SETUSER",
      guardRedis.username,
      "on",
      `>${guardRedis.password}`,
      "~order:*",
      "+@read",
      "+@connection",
    );
    await node.command(asDefault, "CONFIG", "REWRITE");
    await node.command(asDefault, "SLOWLOG", "RESET");
  }

  const put = (name: string, fields: Record<string, unknown>, tags: Record<string, string> = {}) =>
    cloud.secrets.create(name, JSON.stringify(fields), { tags });
  put("codeguardians-gateway/database-admin", postgres.admin);
  put("codeguardians-gateway/redis-admin", operator);
  cloud.secrets.create("rekey/slack", cloud.slack.token);
  cloud.secrets.create("rekey/slack-signing", cloud.slackPage.app.signingSecret);
  const database = { host: postgres.host, port: postgres.port, dbname: postgres.database };
  put(
    "codeguardians-gateway/production",
    {
      SECRET_KEY: other,
      JWT_SECRET_KEY: jwtKey,
      JWT_SECRET_KEY_NEXT: nextKey,
      JWT_SECRET_KEY_PREVIOUS: jwtKey,
      JWT_SECRET_KEY_PREVIOUS_NOT_AFTER: "0",
      DATABASE_HOST: postgres.host,
      DATABASE_PORT: postgres.port,
      DATABASE_USER: appDatabase.username,
      DATABASE_PASSWORD: appDatabase.password,
      DATABASE_NAME: postgres.database,
      DATABASE_URL: `postgresql+asyncpg://${appDatabase.username}:${appDatabase.password}@${postgres.host}:${postgres.port}/postgres`,
      REDIS_HOST: primary.host,
      REDIS_PORT: primary.port,
      REDIS_PASSWORD: redisPassword,
      STRIPE_SECRET_KEY: stripe,
      STRIPE_ACCOUNT: 0,
      DEBUG: "false",
      LOG_LEVEL: "INFO",
    },
    {
      "rekey:field:JWT_SECRET_KEY": "jwt",
      "rekey:grace:JWT_SECRET_KEY": "5",
      "rekey:skew:JWT_SECRET_KEY": "1",
      "rekey:not-after:JWT_SECRET_KEY": "honoured",
      "rekey:field:DATABASE_PASSWORD": "postgres",
      "rekey:admin:DATABASE_PASSWORD": "codeguardians-gateway/database-admin",
      "rekey:field:REDIS_PASSWORD": "redis",
    },
  );
  put(
    "codeguardians-gateway/tokenguard-database",
    { engine: "postgres", ...database, ...guardDatabase },
    { "rekey:strategy": "postgres", "rekey:admin": "codeguardians-gateway/database-admin" },
  );
  put(
    "codeguardians-gateway/tokenguard-redis",
    {
      engine: "redis",
      host: primary.host,
      port: primary.port,
      replicaHost: replica.host,
      replicaPort: replica.port,
      ...guardRedis,
    },
    { "rekey:strategy": "redis-user", "rekey:admin": "codeguardians-gateway/redis-admin" },
  );
  return {
    jwtKey,
    appDatabase,
    guardDatabase,
    redisPassword,
    guardRedis,
    canaries: [
      jwtKey,
      nextKey,
      stripe,
      other,
      appDatabase.password,
      guardDatabase.password,
      redisPassword,
      guardRedis.password,
      operator.password,
      postgres.admin.password,
      cloud.slack.token,
      cloud.slackPage.app.signingSecret,
    ],
  };
}

async function seedRoles(postgres: PostgresServer, app: Login, guard: Login): Promise<void> {
  await postgres.query(`create role app nologin; create role app_b nologin;
    create role app_a login password '${scramVerifier(app.password)}'; grant app to app_a, app_b; alter role app_a set role = app;
    create role tokenguard nologin; create role tokenguard_b nologin;
    create role tokenguard_a login password '${scramVerifier(guard.password)}'; grant tokenguard to tokenguard_a, tokenguard_b;
    alter role tokenguard_a set role = tokenguard; grant create, usage on schema public to app;
    create table orders (id bigserial primary key, made_at timestamptz); alter table orders owner to app;
    grant select on orders to tokenguard`);
}
