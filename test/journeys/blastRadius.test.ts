/** The built handlers over the local cloud: records of real calls and records as accounts have them, over HTTP. */
import { setTimeout as sleep } from "node:timers/promises";
import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bucket } from "../../lib/adapters/awsCalls.ts";
import { cloudTrailLog } from "../../lib/adapters/cloudTrail.ts";
import { cloudTrailTrails } from "../../lib/adapters/cloudTrailTrails.ts";
import { dynamoRotationLog } from "../../lib/adapters/dynamoDb.ts";
import { dynamoWatchStore } from "../../lib/adapters/dynamoWatch.ts";
import { ecsFleet } from "../../lib/adapters/ecs.ts";
import { secretPolicies } from "../../lib/adapters/secretPolicies.ts";
import { secretsManagerStore } from "../../lib/adapters/secretsManager.ts";
import { NOTHING_KNOWN } from "../../lib/detection/known.ts";
import type { WeeklyReview } from "../../lib/detection/weeklyReview.ts";
import { readRadiusRequest } from "../../lib/journeys/accessRequest.ts";
import { type BlastRadiusAnswer, blastRadius } from "../../lib/journeys/blastRadius.ts";
import { searchHistory } from "../../lib/journeys/searchHistory.ts";
import { builtHandlers } from "../builtHandlers.ts";
import { createTable, TABLE } from "../demo/world.ts";
import { decrypt, record } from "../detection/records.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const ACCOUNT = "123456789012";
const REGION = "us-east-1";
const NAME = "shop/database";
const HOUR_MS = 3_600_000;
const [OLD, CURRENT] = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];
const VALUE = "canary-value-that-must-never-be-seen";
const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;

let cloud: Cloud;
let arn: string;
let startMs: number;
const lines: string[] = [];

const client = () => ({
  endpoint: cloud.endpoint,
  region: REGION,
  credentials: { accessKeyId: "operator", secretAccessKey: "local" },
});

beforeAll(async () => {
  cloud = await startCloud({ processes: false });
  // Of all clients in this process, the one that asks who we are is made where nothing can be handed to it.
  process.env["AWS_ENDPOINT_URL_STS"] = cloud.endpoint;
  await createTable(client(), TABLE);
  const env = {
    ...cloud.env,
    REKEY_TABLE: TABLE,
    REKEY_SLACK_CHANNEL: cloud.slack.channel,
    REKEY_SLACK_SECRET: "rekey/slack",
  };
  for (const [name, bundle] of Object.entries(await builtHandlers()))
    cloud.lambda.register(name, { bundle, env, timeoutSeconds: 900, memoryMb: 512 });
  cloud.lambda.emitter.on("line", (_name, line) => lines.push(line));
  cloud.secrets.create("rekey/slack", cloud.slack.token);
  const secret = cloud.secrets.create(NAME, VALUE, { tags: { "rekey:strategy": "postgres" }, token: OLD });
  secret.resourcePolicy = JSON.stringify({
    Statement: [
      { Effect: "Allow", Principal: { AWS: role("partner") }, Action: "secretsmanager:GetSecretValue" },
    ],
  });
  cloud.secrets.create("shop/idle", "x", { tags: { "rekey:strategy": "jwt" } });
  cloud.secrets.put(secret, `${VALUE}-2`, CURRENT);
  arn = secret.arn;
  secret.changedAt = new Date(Date.now() - 2 * HOUR_MS);
  await startService();
  startMs = Date.now();
  const dynamo = new DynamoDBClient(client());
  await dynamoWatchStore(TABLE, dynamo).keepKnown(ACCOUNT, {
    ...NOTHING_KNOWN,
    ourRoles: new Set([role("rekey-dev-AdvanceRole")]),
    secrets: new Map([[`${ACCOUNT}/${REGION}/${NAME}`, { retired: new Map([[OLD, startMs - HOUR_MS]]) }]]),
  });
  dynamo.destroy();
  for (const one of past()) plant(one);
  cloud.trails.push({
    Name: "audit",
    TrailARN: `arn:aws:cloudtrail:${REGION}:${ACCOUNT}:trail/audit`,
    HomeRegion: REGION,
    S3BucketName: "audit-files",
    IsMultiRegionTrail: true,
    IsOrganizationTrail: false,
    isLogging: true,
    selectors: {
      EventSelectors: [
        {
          ReadWriteType: "All",
          IncludeManagementEvents: true,
          ExcludeManagementEventSources: ["kms.amazonaws.com"],
        },
      ],
    },
  });
}, 120_000);
afterAll(async () => {
  delete process.env["AWS_ENDPOINT_URL_STS"];
  await cloud?.stop();
});

const plant = (one: Readonly<Record<string, unknown>>) =>
  cloud.trail.plant(one as Parameters<typeof cloud.trail.plant>[0]);

/** A service that has the secret by `valueFrom`, so that its execution role is a possible reader. */
async function startService(): Promise<void> {
  const ecs = new ECSClient(client());
  await ecs.send(new CreateClusterCommand({ clusterName: "shop" }));
  await ecs.send(
    new RegisterTaskDefinitionCommand({
      family: "gateway",
      executionRoleArn: role("shop-execution"),
      containerDefinitions: [
        { name: "app", image: "node:24", secrets: [{ name: "DATABASE_PASSWORD", valueFrom: arn }] },
      ],
    }),
  );
  await ecs.send(
    new CreateServiceCommand({
      cluster: "shop",
      serviceName: "gateway",
      taskDefinition: "gateway",
      desiredCount: 0,
    }),
  );
  ecs.destroy();
}

const by = (name: string, changes: Readonly<Record<string, unknown>> = {}) => ({
  type: "AssumedRole",
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${name}/session`,
  accountId: ACCOUNT,
  accessKeyId: "ASIAEXAMPLE",
  sessionContext: { sessionIssuer: { type: "Role", arn: role(name), userName: name } },
  ...changes,
});

/** Since the start; the label moved two hours ago. */
function past(): Record<string, unknown>[] {
  const at = (seconds: number) => `${new Date(startMs + seconds * 1000).toISOString().slice(0, 19)}Z`;
  const here = { awsRegion: REGION };
  const context = (id: string) => ({ encryptionContext: { SecretARN: arn, SecretVersionId: id } });
  const get = (name: string, seconds: number, changes: Readonly<Record<string, unknown>> = {}) =>
    record({
      ...here,
      userIdentity: by(name),
      eventTime: at(seconds),
      requestParameters: { secretId: NAME },
      ...changes,
    });
  return [
    get("stranger", -3 * 3600, { sourceIPAddress: "198.51.100.7", userAgent: "aws-cli/2.31.0" }),
    decrypt({
      ...here,
      userIdentity: by("stranger", { invokedBy: "secretsmanager.amazonaws.com" }),
      eventTime: at(-3 * 3600 + 1),
      requestParameters: context(OLD),
    }),
    // Another secret's, in the same second.
    decrypt({
      ...here,
      userIdentity: by("stranger"),
      eventTime: at(-3 * 3600),
      requestParameters: {
        encryptionContext: { SecretARN: `${arn.slice(0, -7)}2-AbCd3f`, SecretVersionId: "x" },
      },
    }),
    record({
      ...here,
      userIdentity: by("rekey-dev-AdvanceRole"),
      eventTime: at(-2 * 3600),
      eventName: "UpdateSecretVersionStage",
      requestParameters: {
        secretId: arn,
        versionStage: "AWSCURRENT",
        moveToVersionId: CURRENT,
        removeFromVersionId: OLD,
      },
    }),
    get("shop-execution", -2 * 3600 - 600),
    get("shop-execution", -2 * 3600 + 600),
    get("prying", -1800, {
      requestParameters: null,
      errorCode: "AccessDeniedException",
      errorMessage: `User: ${role("prying")} is not authorized to perform: secretsmanager:GetSecretValue on resource: ${arn} because no identity-based policy allows it`,
    }),
    get("old-timer", -40 * 86_400),
  ];
}

async function invoke<Answer>(name: string, event: unknown): Promise<Answer> {
  const { payload, failure } = await cloud.lambda.invoke(name, event);
  if (failure) throw new Error(`${failure.errorType} ${failure.errorMessage}`);
  return payload as Answer;
}

describe("blastRadius", () => {
  test("tells who was given which version, from where, and how that is known", async () => {
    const answer = await invoke<BlastRadiusAnswer>("blastRadius", { secret: NAME, from: "-24h" });
    expect(answer.totals).toEqual({ principals: 2, reads: 3, denied: 1, otherActions: expect.any(Number) });
    const find = (name: string) => answer.observed.find(({ principal }) => principal === role(name));
    expect(find("stranger")).toMatchObject({
      reads: 1,
      networks: [{ kind: "public", key: "198.51.100.0/24", reads: 1 }],
      clients: [{ client: "cli", reads: 1 }],
      versions: [{ versionId: OLD, known: "proven", by: "kms", reads: 1 }],
    });
    expect(find("stranger")).not.toHaveProperty("knownAs");
    expect(find("shop-execution")).toMatchObject({
      knownAs: "it is the role of the service shop/gateway, which consumes it",
      reads: 2,
    });
    expect(
      new Set(find("shop-execution")?.versions.map(({ versionId, by: how }) => `${versionId} ${how}`)),
    ).toEqual(new Set([`${OLD} timeline`, `${CURRENT} timeline`]));
    expect(find("prying")).toMatchObject({ reads: 0, denied: { count: 1 } });
    expect(find("rekey-dev-AdvanceRole")).toMatchObject({
      knownAs: "it is a role of Rekey's own",
      otherActions: [{ action: "UpdateSecretVersionStage", count: 1 }],
    });
    expect(answer.possible).toEqual([
      { principal: role("partner"), because: "its resource policy allows it" },
      { principal: role("rekey-dev-AdvanceRole"), because: "it is a role of Rekey's own" },
    ]);
    expect(answer.reissue.map(({ id }) => id)).toEqual([CURRENT]);
    expect(answer.versions.find(({ versionId }) => versionId === OLD)?.revokedAt).toBe(
      new Date(startMs - HOUR_MS).toISOString(),
    );
    expect(answer.rotates).toContain(`"emergency":true,"only":["${NAME}"]`);
  }, 60_000);

  test("says what it rests on: the trail, its gaps, and that all of the window was searched", async () => {
    const { coverage, goesOn, markdown, svg } = await invoke<BlastRadiusAnswer>("blastRadius", {
      secret: arn,
      from: new Date(startMs - 6 * HOUR_MS).toISOString(),
      to: new Date(startMs - 60 * 60_000).toISOString(),
    });
    expect(coverage.place).toBe(`${ACCOUNT}/${REGION}`);
    expect(coverage.searched).toEqual(coverage.asked);
    expect(goesOn).toBeUndefined();
    expect(coverage.trails).toEqual([
      {
        name: "audit",
        homeRegion: REGION,
        isMultiRegion: true,
        isOrganization: false,
        isLogging: true,
        bucket: "audit-files",
        logsReads: true,
        logsKms: false,
      },
    ]);
    expect(coverage.gaps).toContain("the files of trails were not searched: audit in audit-files");
    expect(coverage.provable).toEqual({ asked: 3, of: 3 });
    expect(markdown).toMatch(/^# Who read `shop\/database`\n/);
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  }, 60_000);

  test("reads that a program made just now are there, and no value is anywhere", async () => {
    const secrets = new SecretsManagerClient({
      ...client(),
      credentials: { accessKeyId: "intruder", secretAccessKey: "local" },
    });
    await secrets.send(new GetSecretValueCommand({ SecretId: NAME, VersionId: OLD }));
    secrets.destroy();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const answer = await invoke<BlastRadiusAnswer>("blastRadius", { secret: NAME, from: "-5m" });
    const intruder = answer.observed.find(({ principal }) => principal === role("intruder"));
    expect(intruder?.versions).toEqual([{ versionId: OLD, known: "proven", by: "request", reads: 1 }]);
    expect(answer.coverage.gaps.join()).toContain("records arrive up to 15 minutes late");
    expect(JSON.stringify(answer) + lines.join()).not.toContain(VALUE);
  }, 60_000);

  test("of a secret that nobody knows it says so, and finds nothing", async () => {
    const answer = await invoke<BlastRadiusAnswer>("blastRadius", { secret: "shop/mistyped", from: "-1h" });
    expect(answer.totals.reads).toBe(0);
    expect(answer.coverage.gaps.join()).toContain("a mistyped name finds nothing");
  }, 60_000);

  test.each([
    ["no secret", {}, "secret must be the name or the ARN of a secret"],
    ["an unknown field", { secret: NAME, form: "-1h" }, "form is not a field; known are secret, from, to"],
    [
      "a time that is none",
      { secret: NAME, from: "yesterday" },
      "from must be a time as in 2026-11-24T12:00:00Z",
    ],
    ["an end before the beginning", { secret: NAME, from: "-1h", to: "-2h" }, "from must lie before to"],
    ["the future", { secret: NAME, to: "2999-01-01" }, "to lies in the future"],
    [
      "another Region's secret",
      { secret: `arn:aws:secretsmanager:eu-west-1:${ACCOUNT}:secret:shop/x-AbCd3f` },
      "the event history here is that of 123456789012 in us-east-1",
    ],
  ])("%s in the payload is one clear error", async (_what, payload, message) => {
    await expect(invoke("blastRadius", payload)).rejects.toThrow(message);
  });
});

describe("reviewAccess", () => {
  test("tells the channel once who read, who is new, who was refused, and what nobody read", async () => {
    const posted = cloud.slack.messages.length;
    const review = await invoke<WeeklyReview>("reviewAccess", {});
    expect(review.neverRead).toEqual(["shop/idle"]);
    expect(review.denied.map(({ principal }) => principal)).toContain(role("prying"));
    const shop = review.secrets.find(({ secret }) => secret === NAME);
    expect(shop?.readers.map(({ principal }) => principal)).toContain(role("stranger"));
    expect(review.fresh.map(({ principal }) => principal)).toContain(role("stranger"));
    expect(cloud.slack.messages).toHaveLength(posted + 1);
    const text = JSON.stringify(cloud.slack.messages.at(-1));
    expect(text).toContain("Who read secrets this week");
    expect(text).toContain(`${ACCOUNT}:stranger`);
  }, 60_000);

  test("does not call new whoever read before the week", async () => {
    plant(
      record({
        awsRegion: REGION,
        userIdentity: by("old-timer"),
        eventTime: `${new Date(startMs - HOUR_MS).toISOString().slice(0, 19)}Z`,
        requestParameters: { secretId: NAME },
      }),
    );
    const { fresh, secrets } = await invoke<WeeklyReview>("reviewAccess", {});
    const readers = secrets.find(({ secret }) => secret === NAME)?.readers.map(({ principal }) => principal);
    expect(readers).toContain(role("old-timer"));
    expect(fresh.map(({ principal }) => principal)).not.toContain(role("old-timer"));
  }, 60_000);
});

/** What the handlers are given, in this process, with a clock that is a second later with each page. */
function portsOn({ endpoint }: Cloud) {
  const options = { ...client(), endpoint };
  const log = cloudTrailLog(new CloudTrailClient({ ...options, maxAttempts: 1 }), bucket(50, 50));
  let calls = 0;
  return {
    accessLog: {
      ...log,
      page: (...asked: Parameters<typeof log.page>) => {
        calls += 1;
        return log.page(...asked);
      },
    },
    store: secretsManagerStore(undefined, new SecretsManagerClient(options)),
    fleet: ecsFleet([], new ECSClient(options)),
    log: dynamoRotationLog(TABLE, new DynamoDBClient(options)),
    watch: dynamoWatchStore(TABLE, new DynamoDBClient(options)),
    trails: cloudTrailTrails(new CloudTrailClient(options)),
    policies: secretPolicies(new SecretsManagerClient(options)),
    tell: () => {},
    now: () => new Date(startMs + calls * 1000),
    sleep: (ms: number) => sleep(ms),
  };
}

describe("a search that is out of time", () => {
  beforeAll(() => {
    for (let place = 0; place < 260; place++)
      plant(
        record({
          awsRegion: REGION,
          userIdentity: by(`crowd-${place}`),
          eventTime: `${new Date(startMs - 10 * HOUR_MS + place * 1000).toISOString().slice(0, 19)}Z`,
          requestParameters: { secretId: "shop/crowded" },
        }),
      );
  });

  test("counts only what was read to its end, and the command finds the rest from there on", async () => {
    const request = { secret: "shop/crowded", fromMs: startMs - 24 * HOUR_MS, toMs: startMs };
    const first = await blastRadius(portsOn(cloud), request, new Date(startMs + 6_000));
    const edge = new Date(startMs - 6 * HOUR_MS).toISOString();
    expect(first.coverage.searched?.from).toBe(edge);
    expect(first.totals.reads).toBe(0);
    expect(first.coverage.gaps.join()).toContain(`searched from ${edge}`);
    expect(first.goesOn).toBe(
      `npx sls invoke -f blastRadius -d '{"secret":"shop/crowded","from":"${first.from}","to":"${edge}"}'`,
    );
    const payload = JSON.parse(/-d '(.*)'$/.exec(first.goesOn ?? "")?.[1] ?? "");
    const rest = await blastRadius(
      portsOn(cloud),
      readRadiusRequest(payload, new Date(startMs)),
      new Date(startMs + 1000_000),
    );
    expect(rest.goesOn).toBeUndefined();
    expect(rest.totals).toMatchObject({ principals: 260, reads: 260 });
    expect(rest.notListed).toMatchObject({ principals: 60, reads: 60 });
    expect(rest.coverage.searched).toEqual({ from: first.from, to: edge });
  }, 60_000);

  test("before it began says so, and is no answer that there was nothing", async () => {
    const request = { secret: NAME, fromMs: startMs - 24 * HOUR_MS, toMs: startMs };
    const { coverage, goesOn } = await blastRadius(portsOn(cloud), request, new Date(startMs));
    expect(coverage.searched).toBeUndefined();
    expect(coverage.gaps[0]).toContain("nothing was searched to its end");
    expect(goesOn).toContain("blastRadius");
  }, 60_000);
});

test("a search that is throttled waits, and misses nothing", async () => {
  const strict = await startCloud({ processes: false, throttles: true });
  try {
    for (let place = 0; place < 200; place++)
      strict.trail.plant(
        record({
          awsRegion: REGION,
          eventTime: `${new Date(startMs - 60_000).toISOString().slice(0, 19)}Z`,
        }) as Parameters<typeof strict.trail.plant>[0],
      );
    const period = { fromMs: startMs - HOUR_MS, toMs: startMs };
    const found = await searchHistory(portsOn(strict), period, new Date(startMs + 1000_000));
    expect(found.searched).toEqual(period);
    expect(new Set(found.events.map(({ eventId }) => eventId)).size).toBe(200);
    const refused = strict.trail.records.filter(({ errorCode }) => errorCode === "ThrottlingException");
    expect(refused.length).toBeGreaterThan(0);
  } finally {
    await strict.stop();
  }
}, 60_000);
