/** The only wiring: configuration in, journeys out. Everything else is given what it needs. */
import { setTimeout as sleep } from "node:timers/promises";
import { dynamoRotationLog } from "./adapters/dynamoDb.ts";
import { ecsFleet } from "./adapters/ecs.ts";
import { secretsManagerStore } from "./adapters/secretsManager.ts";
import { slackAnnouncer } from "./adapters/slack.ts";
import { type Config, parseConfig } from "./config.ts";
import { advance } from "./journeys/advance.ts";
import type { Ports } from "./journeys/ports.ts";
import { readRequest } from "./journeys/request.ts";
import { type Invocation, rotateAll } from "./journeys/rotateAll.ts";
import { tell } from "./log.ts";
import type { Report } from "./rotation/report.ts";
import type { SecretStore } from "./rotation/secretStore.ts";
import type { Strategy } from "./rotation/strategy.ts";
import { SecretDocument, SecretText } from "./secret.ts";
import { jwt } from "./strategies/jwt.ts";
import { postgres } from "./strategies/postgres.ts";
import { redis } from "./strategies/redis.ts";
import { redisUser } from "./strategies/redisUser.ts";

export interface App {
  /** @throws RekeyError PAYLOAD_INVALID naming every field that is wrong */
  rotateAll(payload: unknown, invocation: Invocation): Promise<Report>;
  advance(invocation: Invocation): Promise<readonly Report[]>;
}

const STRATEGIES: readonly Strategy[] = [jwt, postgres, redis, redisUser];

/** @throws RekeyError CONFIG_INVALID naming every variable that is wrong */
export function buildApp(env: Readonly<Record<string, string | undefined>>): App {
  const config = parseConfig(env);
  const ports = buildPorts(config);
  return {
    rotateAll: async (payload, invocation) => rotateAll(ports, readRequest(payload), invocation),
    advance: (invocation) => advance(ports, invocation),
  };
}

function buildPorts(config: Config): Ports {
  const store = secretsManagerStore();
  const { slack, rolloutSeconds, settleSeconds, pollMs, concurrency } = config;
  return {
    store,
    fleet: ecsFleet(config.clusters),
    log: dynamoRotationLog(config.table),
    strategies: new Map(STRATEGIES.map((strategy) => [strategy.id, strategy])),
    ...(slack
      ? { announcer: slackAnnouncer({ ...slack, token: () => readToken(store, slack.tokenSecret) }) }
      : {}),
    tell,
    now: () => new Date(),
    sleep,
    settings: { rolloutSeconds, settleSeconds, pollMs, concurrency },
  };
}

async function readToken(store: SecretStore, secret: string): Promise<SecretText> {
  const { text } = await store.read(secret, { label: "AWSCURRENT" });
  const document = SecretDocument.parse(text);
  return new SecretText(document.isPlain ? document.revealPlain() : (document.reveal("token") ?? ""));
}
