/**
 * A local cloud whose ECS is watched: every event of it goes to the journey, as often and in whatever order the test wants,
 * through the real SDK clients. Only long waits are cut short.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  type ContainerDefinition,
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { vi } from "vitest";
import { cloudWatch } from "../../lib/adapters/cloudWatch.ts";
import { cloudWatchLogs } from "../../lib/adapters/cloudWatchLogs.ts";
import { dynamoRotationLog } from "../../lib/adapters/dynamoDb.ts";
import { dynamoEpisodes } from "../../lib/adapters/dynamoEpisodes.ts";
import { ecsWatch } from "../../lib/adapters/ecsWatch.ts";
import { slackAnnouncer } from "../../lib/adapters/slack.ts";
import { tcpReach } from "../../lib/adapters/tcpReach.ts";
import type { EpisodeLog } from "../../lib/incident/episodeLog.ts";
import { containerStopped, type StopOutcome } from "../../lib/journeys/containerStopped.ts";
import type { StopPorts } from "../../lib/journeys/stopPorts.ts";
import type { RotationLog } from "../../lib/rotation/intent.ts";
import { SecretText } from "../../lib/secret.ts";
import { createTable } from "../demo/world.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";
import type { EcsEvent } from "../standin/ecs/ecs.ts";

const TABLE = "rekey-stops";
const WAIT_MS = 100;

export interface StopWorld {
  readonly cloud: Cloud;
  readonly ecs: ECSClient;
  /** The ledger of what Rekey has under way. */
  readonly rotations: RotationLog;
  readonly episodes: EpisodeLog;
  /** All that ECS said so far. */
  readonly events: readonly EcsEvent[];
  /** All that the journey wrote to its log. */
  readonly log: readonly string[];
  /** One invocation, with a holder of its own. */
  invoke(event: unknown): Promise<StopOutcome>;
  /** Messages of the channel, not of threads: the newest text of each. */
  headlines(): readonly string[];
  define(
    family: string,
    container: Partial<ContainerDefinition>,
    more?: Partial<ContainerDefinition>,
  ): Promise<string>;
  serve(name: string, taskDefinition: string, desiredCount: number): Promise<void>;
  /** Until the service's deployment is through. */
  settle(name: string): Promise<void>;
  stop(): Promise<void>;
}

export async function stopWorld(): Promise<StopWorld> {
  const cloud = await startCloud({
    pace: { startDelayMs: 10, drainMs: 20, stopTimeoutMs: 2_000, probeMs: 20, healthTimeoutMs: 500 },
  });
  const client = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "rekey", secretAccessKey: "local" },
  };
  const ecs = new ECSClient(client);
  const dynamo = new DynamoDBClient(client);
  const metrics = new CloudWatchClient(client);
  const logs = new CloudWatchLogsClient(client);
  await createTable(client, TABLE);
  await ecs.send(new CreateClusterCommand({ clusterName: "shop" }));
  const episodes = dynamoEpisodes(TABLE, dynamo);
  const rotations = dynamoRotationLog(TABLE, dynamo);
  const events: EcsEvent[] = [];
  const log: string[] = [];
  cloud.ecs.emitter.on("event", (event) => events.push(event));
  const ports: Omit<StopPorts, "holder"> = {
    clusters: ["shop"],
    watch: ecsWatch(ecs),
    logs: cloudWatchLogs(() => logs),
    usage: cloudWatch(metrics),
    reach: tcpReach(),
    episodes,
    rotations,
    announcer: slackAnnouncer({
      channel: cloud.slack.channel,
      apiUrl: `${cloud.endpoint}/api/`,
      token: async () => new SecretText(cloud.slack.token),
    }),
    tell: (event) => log.push(JSON.stringify(event)),
    now: () => new Date(),
    // With a signal it is a time limit, which is kept; without one a wait, which is not.
    sleep: async (ms, signal) => {
      await sleep(signal ? ms : Math.min(ms, WAIT_MS), undefined, { signal, ref: false }).catch(
        () => undefined,
      );
    },
  };
  return {
    cloud,
    ecs,
    rotations,
    episodes,
    events,
    log,
    invoke: (event) => containerStopped({ ...ports, holder: randomUUID() }, event),
    headlines: () =>
      cloud.slack.messages
        .filter(({ thread }) => thread === undefined)
        .map(({ revisions }) => revisions.at(-1)?.text ?? ""),
    async define(family, container, more) {
      const logConfiguration = {
        logDriver: "awslogs",
        options: {
          "awslogs-group": `/ecs/${family}`,
          "awslogs-stream-prefix": "ecs",
          "awslogs-region": "us-east-1",
        },
      } as const;
      const containers = [
        { name: "app", image: `shop/${family}:1`, logConfiguration, ...container },
        ...(more ? [{ name: "side", image: "side:1", essential: false, ...more }] : []),
      ];
      const { taskDefinition } = await ecs.send(
        new RegisterTaskDefinitionCommand({
          family,
          cpu: "256",
          memory: "512",
          containerDefinitions: containers,
        }),
      );
      return taskDefinition?.taskDefinitionArn ?? "";
    },
    async serve(name, taskDefinition, desiredCount) {
      const request = { cluster: "shop", serviceName: name, taskDefinition, desiredCount };
      await ecs.send(new CreateServiceCommand(request));
    },
    async settle(name) {
      const isSteady = () =>
        events.some(
          (event) =>
            event["detail-type"] === "ECS Service Action" && event.resources[0]?.endsWith(`/${name}`),
        );
      await vi.waitUntil(isSteady, { timeout: 20_000, interval: 20 });
    },
    async stop() {
      for (const one of [ecs, dynamo, metrics, logs]) one.destroy();
      await cloud.stop();
    },
  };
}

/** Prints, and then ends or stays; the marker file makes only the first task of all end. */
export const program = (lines: readonly string[], then: string): Partial<ContainerDefinition> => ({
  command: [
    process.execPath,
    "-e",
    `${lines.map((line) => `console.log(${JSON.stringify(line)});`).join("")}${then}`,
  ],
});

export const STAYS = "process.once('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000)";

export const isStop = (event: EcsEvent): boolean =>
  event["detail-type"] === "ECS Task State Change" && event.detail["lastStatus"] === "STOPPED";
