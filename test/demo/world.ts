/**
 * The world of the demo, and of tests and benches that need a whole one: PostgreSQL, Redis with a replica, the local
 * cloud, and a backend of three services, two tasks each, modelled on a gateway and its guards. Nothing of it outlives
 * `stop`.
 */
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { builtHandlers } from "../builtHandlers.ts";
import { type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { type RedisServer, startRedis } from "../servers/redis.ts";
import { type Cloud, type CloudOptions, startCloud } from "../standin/cloud.ts";
import { type Seeds, seedSecrets } from "./seed.ts";

export const SERVICES = ["gateway", "tokenguard", "trustguard"] as const;
export type ServiceName = (typeof SERVICES)[number];
export const CLUSTER = "codeguardians-gateway-cluster";
/** As the stage `dev` names it, so that `sls invoke local` finds it here. */
export const TABLE = "rekey-dev";
/** As the stage `dev` names it. */
export const ROTATION_FUNCTION = "rekey-dev-rotateSecret";
export const BUNDLE = "codeguardians-gateway/production";
export const GUARD_DATABASE = "codeguardians-gateway/tokenguard-database";
export const GUARD_REDIS = "codeguardians-gateway/tokenguard-redis";

/** What each service is given, directly or by a name that it looks up. */
export const CONSUMED: Readonly<Record<ServiceName, readonly string[]>> = {
  gateway: [BUNDLE],
  tokenguard: [BUNDLE, GUARD_DATABASE, GUARD_REDIS],
  trustguard: [BUNDLE],
};

export interface World {
  readonly cloud: Cloud;
  readonly postgres: PostgresServer;
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly seeds: Seeds;
  /** For SDK clients in this process. */
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { accessKeyId: string; secretAccessKey: string };
  };
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  readonly cloud?: CloudOptions;
  readonly env?: Readonly<Record<string, string>>;
  /** How many tasks a deployment may have beside each other, in percent of two; 150 replaces them one by one. */
  readonly maximumPercent?: number;
}

const randomValue = () => randomBytes(32).toString("hex");

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  const starting: Promise<unknown>[] = [];
  const keep = <T extends { stop(): Promise<void> }>(one: Promise<T>): Promise<T> => {
    const kept = one.then((started) => {
      stops.push(() => started.stop());
      return started;
    });
    starting.push(kept);
    return kept;
  };
  try {
    const redisPassword = randomValue();
    const redis = { password: redisPassword, masterauth: redisPassword };
    const [postgres, primary, cloud] = await Promise.all([
      keep(startPostgres({ settings: { log_statement: "all" } })),
      keep(startRedis({ ...redis, settings: ["slowlog-log-slower-than 0"] })),
      keep(startCloud({ pace: { drainMs: 600 }, ...options.cloud })),
    ]);
    const replica = await keep(startRedis({ ...redis, replicaOf: primary }));
    const client = {
      endpoint: cloud.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "operator", secretAccessKey: "local" },
    };
    const seeds = await seedSecrets({ cloud, postgres, primary, replica, redisPassword });
    await createTable(client, TABLE);
    const env = {
      ...cloud.env,
      REKEY_TABLE: TABLE,
      REKEY_ROTATION_FUNCTION: ROTATION_FUNCTION,
      REKEY_SLACK_CHANNEL: cloud.slack.channel,
      REKEY_SLACK_SECRET: "rekey/slack",
      REKEY_SLACK_SIGNING_SECRET: "rekey/slack-signing",
      REKEY_SLACK_TEAM: cloud.slackPage.app.teamId,
      REKEY_SLACK_APP: cloud.slackPage.app.appId,
      REKEY_RESPOND_FUNCTION: "rekey-dev-respond",
      REKEY_ROTATE_ALL_FUNCTION: "rekey-dev-rotateAll",
      REKEY_APPROVERS: "U0ALICE U0BEN",
      REKEY_ROLLOUT_SECONDS: "30",
      REKEY_POLL_MS: "200",
      REKEY_SETTLE_SECONDS: "0.5",
      ...options.env,
    };
    await registerHandlers(cloud, env);
    await startServices(cloud, client, options.maximumPercent ?? 200);
    return { cloud, postgres, primary, replica, seeds, client, env, stop };
  } catch (error) {
    // What was starting beside the one that failed must be there to be stopped.
    await Promise.allSettled(starting);
    await stop();
    throw error;
  }
}

/** Rekey's table, as serverless.yml describes it. */
export async function createTable(client: World["client"], table: string): Promise<void> {
  const dynamo = new DynamoDBClient(client);
  await dynamo.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["pk", "sk"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    }),
  );
  dynamo.destroy();
}

async function registerHandlers(cloud: Cloud, env: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, bundle] of Object.entries(await builtHandlers())) {
    cloud.lambda.register(name, { bundle, env, timeoutSeconds: 900, memoryMb: 512 });
  }
}

async function startServices(cloud: Cloud, client: World["client"], maximumPercent: number): Promise<void> {
  const ecs = new ECSClient(client);
  await ecs.send(new CreateClusterCommand({ clusterName: CLUSTER }));
  await Promise.all(SERVICES.map((name) => startService(ecs, cloud, name, maximumPercent)));
  ecs.destroy();
  const deadline = Date.now() + 30_000;
  while (SERVICES.some((name) => cloud.ecs.targets(name).length < 2)) {
    if (Date.now() > deadline) throw new Error(`the backend did not start:\n${logsOf(cloud).slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const logsOf = (cloud: Cloud) =>
  cloud.ecs
    .tasks()
    .flatMap(({ taskArn }) => cloud.ecs.logs(taskArn))
    .join("\n");

async function startService(
  ecs: ECSClient,
  cloud: Cloud,
  name: ServiceName,
  maximumPercent: number,
): Promise<void> {
  const program = name === "gateway" ? "gateway" : "guard";
  const file = fileURLToPath(new URL(`./backend/${program}.ts`, import.meta.url));
  const registered = await ecs.send(
    new RegisterTaskDefinitionCommand({
      family: name,
      containerDefinitions: [
        {
          name,
          image: "node:24",
          command: ["node", "--disable-warning=ExperimentalWarning", file],
          portMappings: [{ containerPort: 8000, hostPort: 0 }],
          healthCheck: { command: ["CMD", "http", "/health"] },
          environment: [{ name: "SERVICE", value: name }, ...plainSettings(name)],
          secrets: injected(cloud, name),
        },
      ],
    }),
  );
  await ecs.send(
    new CreateServiceCommand({
      cluster: CLUSTER,
      serviceName: name,
      taskDefinition: registered.taskDefinition?.taskDefinitionArn,
      desiredCount: 2,
      deploymentConfiguration: {
        minimumHealthyPercent: 100,
        maximumPercent,
        deploymentCircuitBreaker: { enable: true, rollback: true },
      },
    }),
  );
}

const TOKEN_KEYS = [
  "JWT_SECRET_KEY",
  "JWT_SECRET_KEY_NEXT",
  "JWT_SECRET_KEY_PREVIOUS",
  "JWT_SECRET_KEY_PREVIOUS_NOT_AFTER",
];
const STORE_KEYS = [
  "DATABASE_HOST",
  "DATABASE_PORT",
  "DATABASE_USER",
  "DATABASE_PASSWORD",
  "DATABASE_NAME",
  "REDIS_HOST",
  "REDIS_PORT",
  "REDIS_PASSWORD",
];

/** trustguard is told the bundle's name and fetches it; the others are given each value by ECS. */
function plainSettings(name: ServiceName) {
  return name === "trustguard" ? [{ name: "AWS_SECRETS_NAME", value: BUNDLE }] : [];
}

function injected(cloud: Cloud, name: ServiceName) {
  const from = (secret: string, pairs: readonly (readonly [variable: string, key: string])[]) => {
    const { arn } = cloud.secrets.find(secret);
    return pairs.map(([variable, key]) => ({ name: variable, valueFrom: `${arn}:${key}::` }));
  };
  const own = (keys: readonly string[]) => keys.map((key) => [key, key] as const);
  if (name === "trustguard") return [];
  if (name === "gateway") return from(BUNDLE, own([...TOKEN_KEYS, ...STORE_KEYS]));
  return [
    ...from(BUNDLE, own(TOKEN_KEYS)),
    ...from(GUARD_DATABASE, [
      ["DATABASE_HOST", "host"],
      ["DATABASE_PORT", "port"],
      ["DATABASE_USER", "username"],
      ["DATABASE_PASSWORD", "password"],
      ["DATABASE_NAME", "dbname"],
    ]),
    ...from(GUARD_REDIS, [
      ["REDIS_HOST", "replicaHost"],
      ["REDIS_PORT", "replicaPort"],
      ["REDIS_USER", "username"],
      ["REDIS_PASSWORD", "password"],
    ]),
  ];
}
