/**
 * The local cloud: Secrets Manager, ECS, CloudTrail, DynamoDB, Lambda and Slack behind one endpoint on loopback. The code
 * under test reaches it as it reaches AWS, through `AWS_ENDPOINT_URL`; it does not know that it is here.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import dynalite from "dynalite";
import { Trail } from "./cloudTrail.ts";
import { createEcs, type EcsHandle, type Pace } from "../standin/ecs.ts";
import { Lambda } from "./lambda.ts";
import { secretsManagerService } from "./secretsManager.ts";
import { SecretsModel } from "./secretsModel.ts";
import { type Door, startServer } from "./server.ts";
import { AwsError, type AwsService } from "../standin/service.ts";
import { SlackWorkspace } from "./slack.ts";

const REGION = "us-east-1";
const ACCOUNT = "123456789012";
const SLACK_CHANNEL = "C0SECURITY";

export interface CloudOptions {
  /** Enforce AWS's documented rates. */
  readonly throttles?: boolean;
  /** Tasks as real processes; otherwise on timers. */
  readonly processes?: boolean;
  readonly pace?: Partial<Pace>;
  readonly allowShadowedKeys?: boolean;
}

export interface Cloud {
  readonly endpoint: string;
  /** What points an SDK at this cloud. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: SecretsModel;
  readonly ecs: EcsHandle;
  readonly trail: Trail;
  readonly slack: SlackWorkspace;
  readonly lambda: Lambda;
  stop(): Promise<void>;
}

export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  const secrets = new SecretsModel(REGION, ACCOUNT);
  const trail = new Trail(REGION, ACCOUNT);
  const slack = new SlackWorkspace(`xoxb-${randomUUID()}`, SLACK_CHANNEL);
  const lambda = new Lambda();
  const dynamo = dynalite({ createTableMs: 0, deleteTableMs: 0 });
  dynamo.listen(0, "127.0.0.1");
  await once(dynamo, "listening");
  const dynamoAddress = dynamo.address();
  const services: AwsService[] = [];
  const door: Door = await startServer({
    services: () => services,
    routes: { "/2015-03-31/functions/": lambda.route, "/api/": slack.route },
    dynamoPort: typeof dynamoAddress === "object" && dynamoAddress ? dynamoAddress.port : 0,
    principalOf: (key) => `arn:aws:sts::${ACCOUNT}:assumed-role/${key.toLowerCase() || "anonymous"}/session`,
    throttles: options.throttles ?? false,
    onCall: (call) => trail.observe(call),
  });
  const env = {
    AWS_ENDPOINT_URL: door.endpoint,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: "rekey",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_EC2_METADATA_DISABLED: "true",
    PATH: process.env["PATH"] ?? "",
  };
  const ecs = createEcs({
    region: REGION,
    account: ACCOUNT,
    baseEnv: { ...env, AWS_ACCESS_KEY_ID: "task" },
    resolveSecret: async (id, jsonKey, stage, versionId) => readFor(secrets, id, jsonKey, stage, versionId),
    ...(options.processes === undefined ? {} : { processes: options.processes }),
    ...(options.pace ? { pace: options.pace } : {}),
    ...(options.allowShadowedKeys ? { allowShadowedKeys: true } : {}),
  });
  services.push(secretsManagerService(secrets), trail.service(), ecs.service);
  return {
    endpoint: door.endpoint,
    env: { ...env, SLACK_API_URL: `${door.endpoint}/api/` },
    secrets,
    ecs: ecs.handle,
    trail,
    slack,
    lambda,
    async stop() {
      await lambda.stop();
      await ecs.handle.stop();
      await door.stop();
      dynamo.closeAllConnections?.();
      await new Promise((resolve) => dynamo.close(resolve));
    },
  };
}

/** What ECS does for a `valueFrom` when a task starts. */
function readFor(model: SecretsModel, id: string, jsonKey?: string, stage?: string, versionId?: string) {
  const secret = model.find(id);
  const version = model.read(secret, versionId || undefined, stage || undefined);
  if (!jsonKey) return { text: version.text, versionId: version.versionId };
  const value = JSON.parse(version.text)[jsonKey];
  if (value === undefined) {
    throw new AwsError("ResourceInitializationError", `the secret ${secret.name} has no JSON key ${jsonKey}`);
  }
  return { text: typeof value === "string" ? value : JSON.stringify(value), versionId: version.versionId };
}
