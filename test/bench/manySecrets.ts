/**
 * Many secrets at once, under AWS's documented rates: 200 keysets used by 40 services. What must happen can go no faster
 * than Secrets Manager takes writes; the bench says how much slower Rekey is, whether it was ever throttled, and how much
 * memory its process came to hold. The call that rotates goes home when only the old keys' time is left to wait for, and
 * `advance` finishes when that time is over: the wait between the two is nobody's work and is not counted.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import type { Report } from "../../lib/rotation/report.ts";
import { Credential, SecretDocument } from "../../lib/secret.ts";
import { newKey, writeKeyset } from "../../lib/strategies/keyset.ts";
import { builtHandlers } from "../builtHandlers.ts";
import { createTable } from "../demo/world.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const SERVICES = 40;
const SECRETS_PER_SERVICE = 5;
const CLUSTER = "production";
const TABLE = "rekey";
const TAGS = {
  "rekey:strategy": "jwt",
  "rekey:not-after": "honoured",
  "rekey:grace": "1",
  "rekey:skew": "0",
};

const START_MS = 300;
const DRAIN_MS = 200;
const ROLLOUT_SECONDS = 40;
/** The handler stays until half of it has passed, less than the old keys live and more than all deployments take. */
const ROTATE_TIMEOUT_PER_ROLLOUT = 1.75;
const MEMORY_MB = 512;

/** Put, promote, and take AWSPENDING off; 50 a second after a burst of 50. The 40 redeployments are one ECS burst. */
const floorOf = (secrets: number) => Math.max(0, 3 * secrets - 50) / 50 + (START_MS + DRAIN_MS) / 1000;
/** UpdateService and CreateService share a bucket of 50, filled at 5 a second. */
const REFILL_MS = 10_000;

export const MANY_LIMIT = 1.3;
export const PEAK_LIMIT_MIB = 256;

export interface ManySecrets {
  readonly floorSeconds: number;
  /** Both handlers, their cold starts included, and not the wait between them. */
  readonly rekeySeconds: number;
  readonly rotateSeconds: number;
  readonly finishSeconds: number;
  readonly ratio: number;
  /** Calls that AWS would have throttled. The SDK retries them, so that they cost time and no rotation. */
  readonly retried: number;
  /** Whether a ThrottlingException showed in a report or in the log. */
  readonly throttled: boolean;
  readonly peakMiB: number;
  /** Name of the call -> how often Rekey made it, all secrets together. */
  readonly calls: Readonly<Record<string, number>>;
}

interface Size {
  /** Each with five secrets. */
  readonly services: number;
  readonly rolloutSeconds: number;
  /** Without them only the calls are worth looking at. */
  readonly throttles: boolean;
}

const WHOLE: Size = { services: SERVICES, rolloutSeconds: ROLLOUT_SECONDS, throttles: true };

/** @throws Error if a secret was not rotated */
export async function manySecrets(size = WHOLE): Promise<ManySecrets> {
  const { services, throttles } = size;
  const cloud = await startCloud({
    throttles,
    processes: false,
    pace: { startDelayMs: START_MS, drainMs: DRAIN_MS },
  });
  const secrets = services * SECRETS_PER_SERVICE;
  const floorSeconds = floorOf(secrets);
  try {
    await furnish(cloud, size);
    const before = cloud.trail.records.length;
    const rotated = await timed(cloud, "rotateAll", { reason: "bench" });
    await untilOldKeysDied(cloud);
    const finished = await timed(cloud, "advance", {});
    const [report] = finished.payload as [Report];
    if (report.totals["rotated"] !== secrets)
      throw new Error(`${report.summary}; ${report.open[0] ?? "none open"}`);
    const served = cloud.trail.records.slice(before);
    const ours = served.filter(({ userIdentity }) => !isTask(userIdentity));
    const calls = Map.groupBy(ours, ({ eventName }) => eventName);
    const rekeySeconds = rotated.seconds + finished.seconds;
    const told = JSON.stringify([rotated.log, rotated.payload, finished.log, finished.payload]);
    return {
      floorSeconds,
      rekeySeconds,
      rotateSeconds: rotated.seconds,
      finishSeconds: finished.seconds,
      ratio: rekeySeconds / floorSeconds,
      retried: served.filter(({ errorCode }) => errorCode === "ThrottlingException").length,
      throttled: /throttl|TooManyRequests|Rate exceeded/i.test(told),
      peakMiB: Math.max(rotated.peakMiB, finished.peakMiB),
      calls: Object.fromEntries([...calls].map(([name, every]) => [name, every.length])),
    };
  } finally {
    await cloud.stop();
  }
}

/** ECS reads secrets for the tasks that it starts. */
const isTask = (identity: unknown) => JSON.stringify(identity).includes("/ecs-task");

interface Timed {
  readonly payload: unknown;
  readonly log: readonly string[];
  readonly seconds: number;
  readonly peakMiB: number;
}

async function timed(cloud: Cloud, name: string, event: object): Promise<Timed> {
  const begun = performance.now();
  const running = cloud.lambda.start(name, event);
  let peakMiB = 0;
  const looking = setInterval(() => {
    void peakOf(running.pid).then((peak) => {
      peakMiB = Math.max(peakMiB, peak);
    });
  }, 100);
  try {
    const { payload, failure, log } = await running.result;
    if (failure) throw new Error(`${name} failed: ${failure.errorType}: ${failure.errorMessage}`);
    return { payload, log, seconds: (performance.now() - begun) / 1000, peakMiB };
  } finally {
    clearInterval(looking);
  }
}

/** @returns the most MiB that the process ever had resident; 0 once it is gone */
async function peakOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

async function untilOldKeysDied(cloud: Cloud): Promise<void> {
  const times = [...cloud.secrets.secrets.values()].map((secret) =>
    Number(JSON.parse(cloud.secrets.read(secret, undefined, undefined).text).previousNotAfter),
  );
  await sleep(Math.max(0, Math.max(...times) * 1000 + 200 - Date.now()));
}

async function furnish(cloud: Cloud, { services, rolloutSeconds, throttles }: Size): Promise<void> {
  const client = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "operator", secretAccessKey: "local" },
  };
  await createTable(client, TABLE);
  const env = {
    ...cloud.env,
    REKEY_TABLE: TABLE,
    REKEY_CLUSTERS: CLUSTER,
    REKEY_ROLLOUT_SECONDS: String(rolloutSeconds),
    // Far longer still, against deployments of half a second, than the defaults are against deployments of minutes.
    REKEY_SETTLE_SECONDS: "0.1",
    REKEY_POLL_MS: "200",
  };
  for (const [name, bundle] of Object.entries(await builtHandlers())) {
    const timeoutSeconds = name === "rotateAll" ? rolloutSeconds * ROTATE_TIMEOUT_PER_ROLLOUT : 900;
    cloud.lambda.register(name, { bundle, env, timeoutSeconds, memoryMb: MEMORY_MB });
  }
  const ecs = new ECSClient({ ...client, maxAttempts: 10 });
  try {
    await ecs.send(new CreateClusterCommand({ clusterName: CLUSTER }));
    for (let number = 1; number <= services; number++) {
      await createService(cloud, ecs, `service-${number}`);
      // Task definitions are registered at one a second after a burst of twenty, by whomever.
      if (throttles && number >= 20) await sleep(1_000);
    }
    for (let number = 1; number <= services; number++) await untilSteady(ecs, `service-${number}`);
  } finally {
    ecs.destroy();
  }
  if (throttles) await sleep(REFILL_MS);
}

/** A service whose tasks are still to start is refused, and nothing of it is measured. */
async function untilSteady(ecs: ECSClient, service: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { services = [] } = await ecs.send(
      new DescribeServicesCommand({ cluster: CLUSTER, services: [service] }),
    );
    const [{ runningCount = 0, desiredCount, deployments } = {}] = services;
    if (runningCount === desiredCount && deployments?.length === 1) return;
    await sleep(200);
  }
  throw new Error(`${service} does not become steady`);
}

async function createService(cloud: Cloud, ecs: ECSClient, name: string): Promise<void> {
  const secrets: { name: string; valueFrom: string }[] = [];
  for (let number = 1; number <= SECRETS_PER_SERVICE; number++) {
    const { arn } = cloud.secrets.create(`${name}/key-${number}`, await keyset(), { tags: TAGS });
    secrets.push({ name: `KEY_${number}`, valueFrom: arn });
  }
  const registered = await ecs.send(
    new RegisterTaskDefinitionCommand({
      family: name,
      containerDefinitions: [{ name, image: "node:24", secrets }],
    }),
  );
  await ecs.send(
    new CreateServiceCommand({
      cluster: CLUSTER,
      serviceName: name,
      taskDefinition: registered.taskDefinition?.taskDefinitionArn,
      desiredCount: 2,
      deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 200 },
    }),
  );
}

/** With its next key out there already, so that one wave is enough. */
async function keyset(): Promise<string> {
  const blank = new Credential(SecretDocument.of({}), "bench");
  const written = await writeKeyset(blank, { alg: "HS256", current: newKey("HS256"), next: newKey("HS256") });
  return written.document.toText().reveal();
}
