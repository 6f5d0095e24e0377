/**
 * The local cloud: Secrets Manager, ECS, IAM, CloudTrail, DynamoDB, Lambda, S3 and Slack behind one endpoint on loopback. The
 * code under test reaches it as it reaches AWS, through `AWS_ENDPOINT_URL`; it does not know that it is here.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import dynalite from "dynalite";
import { Trail } from "./cloudTrail.ts";
import { logsService, Metrics } from "./cloudWatch.ts";
import { createEcs, type EcsHandle, type Pace } from "./ecs/ecs.ts";
import { FetchedSecrets } from "./fetchedSecrets.ts";
import { FUNCTION_URLS, functionUrls } from "./functionUrl.ts";
import { Iam } from "./iam.ts";
import { Lambda } from "./lambda.ts";
import type { HistoryOptions } from "./lookupEvents.ts";
import { S3 } from "./s3.ts";
import { secretsManagerService } from "./secretsManager.ts";
import { SecretsModel } from "./secretsModel.ts";
import { Rotations } from "./secretsRotation.ts";
import { type Door, type ServedCall, startServer } from "./server.ts";
import { AwsError, type AwsService, type Caller } from "./service.ts";
import { SlackWorkspace } from "./slack.ts";
import { SLACK_PAGE, SlackPage } from "./slackPage.ts";
import { type StandinTrail, withTrails } from "./trails.ts";

const REGION = "us-east-1";
const ACCOUNT = "123456789012";
const SLACK_CHANNEL = "C0SECURITY";
const SLACK_APP = { teamId: "T0REKEY", appId: "A0REKEY" };
const PEOPLE = [
  { id: "U0ALICE", name: "Alice" },
  { id: "U0BEN", name: "Ben" },
  { id: "U0CHIDI", name: "Chidi" },
];

export interface CloudOptions {
  /** Enforce AWS's documented rates. */
  readonly throttles?: boolean;
  /** Tasks as real processes; otherwise on timers. */
  readonly processes?: boolean;
  readonly pace?: Partial<Pace>;
  readonly allowShadowedKeys?: boolean;
  /** Of CloudTrail's event history: when records turn up, and how long tokens last. */
  readonly history?: HistoryOptions;
}

export interface Cloud {
  readonly endpoint: string;
  /** What points an SDK at this cloud. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: SecretsModel;
  readonly ecs: EcsHandle;
  readonly trail: Trail;
  /** Those that keep files; the event history is there without any. */
  readonly trails: StandinTrail[];
  /** What running programs fetched by themselves, by the session they did it as: a task's is named by its id. */
  readonly fetched: FetchedSecrets;
  readonly slack: SlackWorkspace;
  /** Its channel as people see it, at `slackPageUrl`. Clicks go to the function slackAction until told otherwise. */
  readonly slackPage: SlackPage;
  readonly slackPageUrl: string;
  readonly lambda: Lambda;
  readonly iam: Iam;
  readonly files: S3;
  readonly metrics: Metrics;
  stop(): Promise<void>;
}

export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  const secrets = new SecretsModel(REGION, ACCOUNT);
  const trail = new Trail(REGION, ACCOUNT, options.history);
  const trails: StandinTrail[] = [];
  const slack = new SlackWorkspace(`xoxb-${randomUUID()}`, SLACK_CHANNEL);
  const slackPage = new SlackPage(slack, { ...SLACK_APP, signingSecret: randomUUID() }, PEOPLE);
  const lambda = new Lambda();
  const files = new S3();
  const iam = new Iam(principalOf, (call) => trail.observe(call));
  const rotations = new Rotations(secrets, lambda, (name, arn, token) =>
    trail.publish("secretsmanager.amazonaws.com", name, arn, token),
  );
  const dynamo = dynalite({ createTableMs: 0, deleteTableMs: 0 });
  dynamo.listen(0, "127.0.0.1");
  await once(dynamo, "listening");
  const dynamoAddress = dynamo.address();
  const services: AwsService[] = [];
  const fetched = new FetchedSecrets();
  const observe = (call: ServedCall) => {
    if (!call.service.isDataOnly) trail.observe(call);
    fetched.observe(call);
  };
  const door: Door = await startServer({
    services: () => services,
    routes: {
      "/2015-03-31/functions/": lambda.route,
      "/api/": slack.route,
      [S3.PATH]: files.route,
      [SLACK_PAGE]: slackPage.route,
      [FUNCTION_URLS]: functionUrls(lambda),
      "/": iam.route,
    },
    dynamoPort: typeof dynamoAddress === "object" && dynamoAddress ? dynamoAddress.port : 0,
    principalOf,
    throttles: options.throttles ?? false,
    onCall: observe,
  });
  slackPage.actionUrl = `${door.endpoint}${FUNCTION_URLS}slackAction`;
  const env = {
    AWS_ENDPOINT_URL: door.endpoint,
    AWS_ENDPOINT_URL_S3: `${door.endpoint}${S3.PATH}`,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: "rekey",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_EC2_METADATA_DISABLED: "true",
    PATH: process.env["PATH"] ?? "",
  };
  const secretsManager = secretsManagerService(secrets, rotations);
  /** A call that comes from inside the cloud: served and recorded as one from outside. */
  async function call(
    service: AwsService,
    operation: string,
    input: Record<string, unknown>,
    caller: Caller,
  ) {
    const served: ServedCall = { service, operation, input, caller, requestId: randomUUID(), at: new Date() };
    try {
      const output = await service.operations[operation]?.(input, caller);
      observe({ ...served, output });
      return output;
    } catch (error) {
      observe({
        ...served,
        error: error instanceof AwsError ? error : new AwsError("InternalFailure", ""),
      });
      throw error;
    }
  }
  const ecs = createEcs({
    region: REGION,
    account: ACCOUNT,
    baseEnv: env,
    taskEnv: ({ taskArn }) => ({ AWS_ACCESS_KEY_ID: `task.${taskArn.split("/").at(-1)}` }),
    resolveSecret: async (id, jsonKey, stage, versionId, { executionRoleArn }) => {
      const input = {
        SecretId: id,
        ...(stage ? { VersionStage: stage } : {}),
        ...(versionId ? { VersionId: versionId } : {}),
      };
      const role = executionRoleArn?.split("/").at(-1) ?? "ecsTaskExecutionRole";
      const caller = {
        principalArn: `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/ecs-task`,
        userAgent: "Amazon ECS Agent - v1.99.0 (+http://aws.amazon.com/ecs/)",
      };
      return pick(await call(secretsManager, "GetSecretValue", input, caller), jsonKey);
    },
    ...(options.processes === undefined ? {} : { processes: options.processes }),
    ...(options.pace ? { pace: options.pace } : {}),
    ...(options.allowShadowedKeys ? { allowShadowedKeys: true } : {}),
  });
  const metrics = new Metrics();
  services.push(
    secretsManager,
    withTrails(trail.service(), trails),
    ecs.service,
    logsService(ecs.handle.logStream),
    metrics.service(),
  );
  return {
    endpoint: door.endpoint,
    env: { ...env, SLACK_API_URL: `${door.endpoint}/api/` },
    secrets,
    ecs: ecs.handle,
    trail,
    trails,
    fetched,
    slack,
    slackPage,
    slackPageUrl: `${door.endpoint}${SLACK_PAGE}`,
    lambda,
    iam,
    files,
    metrics,
    async stop() {
      rotations.stop();
      await lambda.stop();
      await ecs.handle.stop();
      await door.stop();
      dynamo.closeAllConnections?.();
      await new Promise((resolve) => dynamo.close(resolve));
    },
  };
}

/** An access key `role`, `role.session` or, of another account, `role.session.account`: who CloudTrail says it was. */
function principalOf(accessKeyId: string): string {
  const [role = "", session = "session", account = ACCOUNT] = accessKeyId.toLowerCase().split(".");
  return `arn:aws:sts::${account}:assumed-role/${role || "anonymous"}/${session}`;
}

/** Empty for what is not a JSON object; the parser's own message would quote the value. */
function parse(text: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(text) };
  } catch {
    return {};
  }
}

/** What ECS makes of a `valueFrom` with a JSON key. */
function pick(output: unknown, jsonKey: string | undefined): { text: string; versionId: string } {
  const {
    SecretString: text,
    VersionId: versionId,
    Name,
  } = output as Record<"SecretString" | "VersionId" | "Name", string>;
  if (!jsonKey) return { text, versionId };
  const value = parse(text)[jsonKey];
  if (value === undefined) {
    throw new AwsError("ResourceInitializationError", `the secret ${Name} has no JSON key ${jsonKey}`);
  }
  return { text: typeof value === "string" ? value : JSON.stringify(value), versionId };
}
