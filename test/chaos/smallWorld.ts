/**
 * A world as small as a rotation allows, for runs by the hundred: one secret of one kind, the servers that it unlocks, and
 * two services whose tasks are real processes that do nothing. Each run starts from where the last one ended.
 */
import { randomBytes } from "node:crypto";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { createTable } from "../demo/world.ts";
import { type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { freePort, type RedisServer, startRedis } from "../servers/redis.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";
import type { Address } from "./logins.ts";
import { seedPostgres, seedRedis, seedSecret } from "./smallSeeds.ts";

export const SCENARIOS = ["jwt", "postgres", "redis", "redis-user", "bundle"] as const;
export type Scenario = (typeof SCENARIOS)[number];

export const SECRET = "shop/production";
export const TABLE = "rekey-chaos";
export const SERVICES = ["api", "worker"] as const;
export const CLUSTER = "shop";

/** What may stand between the code under test and what it talks to: by default nothing. */
export interface Fronts {
  http(cloud: Cloud): Promise<string>;
  postgres(upstream: Address): Promise<Address>;
  redis(upstream: Address): Promise<Address>;
}

const NO_FRONTS: Fronts = {
  http: async ({ endpoint }) => endpoint,
  postgres: async (upstream) => upstream,
  redis: async (upstream) => upstream,
};

export interface SmallWorld {
  readonly scenario: Scenario;
  readonly cloud: Cloud;
  readonly postgres?: PostgresServer;
  /** Primary and replica, if there are any. */
  readonly redis: readonly RedisServer[];
  /** What may change Redis whatever the secret is. */
  readonly redisOperator: { readonly username: string; readonly password: string };
  /** For the handlers. */
  readonly env: Readonly<Record<string, string>>;
  /** For SDK clients in this process, past every front. */
  readonly client: Parameters<typeof createTable>[0];
  stop(): Promise<void>;
}

export async function startSmallWorld(scenario: Scenario, fronts: Fronts = NO_FRONTS): Promise<SmallWorld> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  const keep = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    stops.push(() => started.stop());
    return started;
  };
  try {
    const pace = { drainMs: 20, stopTimeoutMs: 1_000, keepStoppedMs: 2_000 };
    const cloud = await keep(startCloud({ pace }));
    const endpoint = await fronts.http(cloud);
    const hasPostgres = scenario === "postgres" || scenario === "bundle";
    const hasRedis = scenario.startsWith("redis") || scenario === "bundle";
    const postgres = hasPostgres ? await keep(startPostgres()) : undefined;
    const redisPassword = randomBytes(32).toString("hex");
    const redisOperator = { username: "operator", password: randomBytes(32).toString("hex") };
    const redis: RedisServer[] = [];
    let redisAt: Address | undefined;
    if (hasRedis) {
      const common = { password: redisPassword, masterauth: redisPassword };
      const primary = await keep(startRedis(common));
      redisAt = await fronts.redis(primary);
      const port = await freePort();
      const announced = await fronts.redis({ host: "127.0.0.1", port });
      const settings = [`replica-announce-ip ${announced.host}`, `replica-announce-port ${announced.port}`];
      redis.push(primary, await keep(startRedis({ ...common, port, settings, replicaOf: redisAt })));
      await untilLinked(redis, redisPassword);
    }
    const seeds = {
      ...(postgres
        ? {
            postgres: {
              server: postgres,
              at: await fronts.postgres(postgres),
              ...(await seedPostgres(postgres)),
            },
          }
        : {}),
      ...(redisAt
        ? {
            redis: {
              at: redisAt,
              password: redisPassword,
              operator: redisOperator,
              ...(await seedRedis(redis, redisPassword, redisOperator)),
            },
          }
        : {}),
    };
    seedSecret(cloud, scenario, seeds);
    const client = {
      endpoint: cloud.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "operator", secretAccessKey: "local" },
    };
    await createTable(client, TABLE);
    await startServices(cloud, client);
    const env = {
      ...cloud.env,
      AWS_ENDPOINT_URL: endpoint,
      SLACK_API_URL: `${endpoint}/api/`,
      REKEY_TABLE: TABLE,
      REKEY_SLACK_CHANNEL: cloud.slack.channel,
      REKEY_SLACK_SECRET: "rekey/slack",
      REKEY_ROLLOUT_SECONDS: "300",
      REKEY_SETTLE_SECONDS: "0",
      REKEY_POLL_MS: "150",
      // Longer than a busy machine holds a worker up; a dead worker's lease is made to run out at once.
      REKEY_LEASE_SECONDS: "60",
    };
    return { scenario, cloud, ...(postgres ? { postgres } : {}), redis, redisOperator, env, client, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilLinked([, replica]: readonly RedisServer[], password: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await replica?.command({ password }, "INFO", "replication"))?.includes("master_link_status:up")) {
    if (Date.now() > deadline) throw new Error("the replica's link stays down");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function startServices(cloud: Cloud, client: SmallWorld["client"]): Promise<void> {
  const ecs = new ECSClient(client);
  try {
    await ecs.send(new CreateClusterCommand({ clusterName: CLUSTER }));
    const { arn } = cloud.secrets.find(SECRET);
    for (const name of SERVICES) {
      const container = { name, image: "sleep", command: ["sleep", "3600"] };
      const secrets = [{ name: "SETTINGS", valueFrom: arn }];
      const registered = await ecs.send(
        new RegisterTaskDefinitionCommand({
          family: name,
          containerDefinitions: [{ ...container, secrets }],
        }),
      );
      await ecs.send(
        new CreateServiceCommand({
          cluster: CLUSTER,
          serviceName: name,
          taskDefinition: registered.taskDefinition?.taskDefinitionArn,
          desiredCount: 1,
          deploymentConfiguration: {
            minimumHealthyPercent: 100,
            maximumPercent: 200,
            deploymentCircuitBreaker: { enable: true, rollback: true },
          },
        }),
      );
    }
  } finally {
    ecs.destroy();
  }
  const deadline = Date.now() + 10_000;
  while (SERVICES.some((name) => !cloud.ecs.tasks(name).some(({ isReady }) => isReady))) {
    if (Date.now() > deadline) throw new Error("the services did not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
