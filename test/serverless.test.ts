/**
 * What `sls` makes of serverless.yml: the bundles, the zips, the compiled template. The real CLI in its own process, without
 * an account; where it calls AWS, a Lambda endpoint on loopback answers.
 */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GUARDS } from "../lib/detection/concerns.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SLS = join(ROOT, "node_modules", ".bin", "serverless");
const COPIED = [
  "handlers",
  "lib",
  "build.ts",
  "package.json",
  "runbooks",
  "serverless.plugin.cjs",
  "serverless.yml",
  "tsconfig.json",
];

interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Of the surroundings only what programs need to run, so that no account, proxy or region of the machine's is used. */
function sls(
  cwd: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const clean = {
    PATH: process.env["PATH"] ?? "",
    HOME: cwd,
    AWS_EC2_METADATA_DISABLED: "true",
    SLS_TELEMETRY_DISABLED: "1",
  };
  return new Promise((resolve) => {
    const child = execFile(
      SLS,
      [...words],
      { cwd, env: { ...clean, ...env }, timeout: 150_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, output: stdout + stderr });
      },
    );
    child.stdin?.end();
  });
}

/** A copy of the project, so that nothing here can disturb the tree that other tests build from. */
async function copyOfProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-sls-"));
  for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  // The template is data without a schema here; each test looks at the few fields it is about.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly Properties: any;
}
type Resources = Readonly<Record<string, Resource>>;

let project: string;
let packaged: Ran;
let resources: Resources;
let conditions: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  project = await copyOfProject();
  packaged = await sls(project, ["package"]);
  if (packaged.code !== 0) throw new Error(packaged.output);
  const template = await readFile(
    join(project, ".serverless", "cloudformation-template-update-stack.json"),
    "utf8",
  );
  ({ Resources: resources, Conditions: conditions } = JSON.parse(template));
});

afterAll(() => rm(project, { recursive: true, force: true }));

const get = (id: string): Resource => {
  const resource = resources[id];
  if (!resource) throw new Error(`the template has no ${id}`);
  return resource;
};

const statements = (
  id: string,
): { Action: string | string[]; Resource: unknown; Effect: string; Condition?: unknown }[] => {
  const { Properties } = get(id);
  const documents = Properties.PolicyDocument
    ? [Properties.PolicyDocument]
    : Properties.Policies.map((policy: { PolicyDocument: unknown }) => policy.PolicyDocument);
  return documents.flatMap((document: { Statement: unknown }) => document.Statement);
};

const rulesOf = (id: string) =>
  Object.values(resources).filter(
    ({ Type, Properties }) =>
      Type === "AWS::Events::Rule" && Properties.Targets[0].Arn["Fn::GetAtt"][0] === id,
  );

/** Every logical id that is referred to, by Ref, Fn::GetAtt, Fn::Sub or DependsOn. */
function references(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(references);
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) => {
    if (key === "Ref") return [String(value)];
    if (key === "Fn::GetAtt")
      return [Array.isArray(value) ? String(value[0]) : (String(value).split(".")[0] ?? "")];
    if (key === "DependsOn") return [value].flat().map(String);
    if (key === "Fn::Sub" && typeof value === "string") {
      return [...value.matchAll(/\$\{([^}!]+)\}/g)].map(([, name = ""]) => name.split(".")[0] ?? "");
    }
    return references(value);
  });
}

describe("sls package without an account", () => {
  test("uploads one small zip for each function, with nothing but its bundle and the drivers", async () => {
    const files = (await readdir(join(project, ".serverless")))
      .filter((name) => name.endsWith(".zip"))
      .sort();
    expect(files).toEqual([
      "accessEvent.zip",
      "advance.zip",
      "advanceIncidents.zip",
      "blastRadius.zip",
      "containerStopped.zip",
      "drill.zip",
      "postMortem.zip",
      "respond.zip",
      "reviewAccess.zip",
      "rotateAll.zip",
      "rotateSecret.zip",
      "scanAccess.zip",
      "sendOutbox.zip",
      "slackAction.zip",
      "suppress.zip",
      "trailFile.zip",
      "verify.zip",
      "verifyAudit.zip",
    ]);
    for (const name of files) {
      const zip = await readFile(join(project, ".serverless", name));
      const text = zip.toString("latin1");
      const own = name.replace(".zip", "");
      const within = new Set(text.match(/\.build\/handlers\/[\w-]+\.cjs/g));
      const bundle = await readFile(join(project, ".build", "handlers", `${own}.cjs`), "utf8");
      const loaded = bundle.match(/driver-[\w-]+\.cjs/g) ?? [];
      expect(within, name).toEqual(
        new Set([`${own}.cjs`, ...loaded].map((file) => `.build/handlers/${file}`)),
      );
      const isRotating = ["advance", "rotateAll", "rotateSecret", "verify"].includes(own);
      expect(within.has(".build/handlers/driver-pg.cjs"), name).toBe(isRotating);
      // The end record's count of entries: nothing else is in it.
      expect(zip.readUInt16LE(zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1")) + 10)).toBe(within.size);
      expect(zip.length).toBeLessThan(1024 * 1024);
    }
  });

  test("names handlers where the zips have them", () => {
    expect(get("RotateAllLambdaFunction").Properties.Handler).toBe(".build/handlers/rotateAll.handler");
    expect(get("AdvanceLambdaFunction").Properties.Handler).toBe(".build/handlers/advance.handler");
    expect(get("ContainerStoppedLambdaFunction").Properties.Handler).toBe(
      ".build/handlers/containerStopped.handler",
    );
    expect(get("VerifyLambdaFunction").Properties.Handler).toBe(".build/handlers/verify.handler");
    expect(get("BlastRadiusLambdaFunction").Properties.Handler).toBe(".build/handlers/blastRadius.handler");
    expect(get("ReviewAccessLambdaFunction").Properties.Handler).toBe(".build/handlers/reviewAccess.handler");
    expect(get("RotateSecretLambdaFunction").Properties.Handler).toBe(".build/handlers/rotateSecret.handler");
    expect(get("ScanAccessLambdaFunction").Properties.Handler).toBe(".build/handlers/scanAccess.handler");
  });

  test("refers to nothing that the template does not have", () => {
    const known = new Set([
      ...Object.keys(resources),
      "AWS::AccountId",
      "AWS::Partition",
      "AWS::Region",
      "AWS::URLSuffix",
    ]);
    const used = references(resources);
    expect(used.length).toBeGreaterThan(30);
    expect(used.filter((id) => !known.has(id))).toEqual([]);
    expect(references({ a: { Ref: "Nowhere" } })).toEqual(["Nowhere"]);
  });

  test("gives every function the newest Node on arm64, Lambda's whole time, and each a role of its own", () => {
    for (const [id, role] of [
      ["RotateAllLambdaFunction", "RotateAllRole"],
      ["AdvanceLambdaFunction", "AdvanceRole"],
      ["ContainerStoppedLambdaFunction", "ContainerStoppedRole"],
      ["VerifyLambdaFunction", "VerifyRole"],
      ["RotateSecretLambdaFunction", "RotateSecretRole"],
      ["BlastRadiusLambdaFunction", "BlastRadiusRole"],
      ["ReviewAccessLambdaFunction", "ReviewAccessRole"],
    ] as const) {
      expect(get(id).Properties).toMatchObject({
        Runtime: "nodejs24.x",
        Architectures: ["arm64"],
        Timeout: 900,
        MemorySize: 512,
        Role: { "Fn::GetAtt": [role, "Arn"] },
      });
    }
  });

  test("gives a scan a role of its own, and less time than passes until the next one", () => {
    const { Properties } = get("ScanAccessLambdaFunction");
    expect(Properties).toMatchObject({
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Timeout: 300,
      MemorySize: 512,
      Role: { "Fn::GetAtt": ["ScanAccessRole", "Arn"] },
    });
    expect(Properties.VpcConfig).toBeUndefined();
  });

  test("starts a run every quarter and keeps what could not be started", () => {
    const { Properties } = get("QuarterlyRotation");
    expect(Properties.ScheduleExpression).toBe("cron(0 4 1 1,4,7,10 ? *)");
    expect(JSON.parse(Properties.Target.Input)).toEqual({
      "detail-type": "Scheduled Event",
      id: "<aws.scheduler.execution-id>",
    });
    expect(Properties.Target.RetryPolicy).toEqual({
      MaximumRetryAttempts: 10,
      MaximumEventAgeInSeconds: 21600,
    });
    expect(Properties.Target.DeadLetterConfig).toEqual({ Arn: { "Fn::GetAtt": ["DeadLetters", "Arn"] } });
    const lambdaDestination = get("RotateAllLambdaEvConf").Properties.DestinationConfig.OnFailure.Destination;
    expect(lambdaDestination).toEqual({ "Fn::GetAtt": ["DeadLetters", "Arn"] });
  });

  test("verifies every day, may start it, keeps what could not be started, and says when it failed or fell silent", () => {
    const { Properties } = get("DailyVerification");
    expect(Properties.ScheduleExpression).toBe("cron(0 6 * * ? *)");
    expect(Properties.Target).toEqual({
      Arn: { "Fn::GetAtt": ["VerifyLambdaFunction", "Arn"] },
      RoleArn: { "Fn::GetAtt": ["SchedulerRole", "Arn"] },
      Input: "{}",
      RetryPolicy: { MaximumRetryAttempts: 10, MaximumEventAgeInSeconds: 21600 },
      DeadLetterConfig: { Arn: { "Fn::GetAtt": ["DeadLetters", "Arn"] } },
    });
    const started = statements("SchedulerRole").find(({ Action }) => Action === "lambda:InvokeFunction");
    expect(started?.Resource).toContainEqual({ "Fn::GetAtt": ["VerifyLambdaFunction", "Arn"] });
    const lost = get("VerifyLambdaEvConf").Properties.DestinationConfig.OnFailure.Destination;
    expect(lost).toEqual({ "Fn::GetAtt": ["DeadLetters", "Arn"] });
    for (const [alarm, metric, missing] of [
      ["VerifyErrors", "Errors", "notBreaching"],
      ["VerifySilent", "Invocations", "breaching"],
    ] as const) {
      expect(get(alarm).Properties).toMatchObject({
        MetricName: metric,
        TreatMissingData: missing,
        Dimensions: [{ Name: "FunctionName", Value: { Ref: "VerifyLambdaFunction" } }],
        AlarmActions: [{ Ref: "AlarmTopic" }],
      });
    }
  });

  test("wakes sendOutbox every minute", () => {
    const rules = Object.values(resources).filter(
      ({ Type, Properties }) =>
        Type === "AWS::Events::Rule" &&
        Properties.Targets[0].Arn["Fn::GetAtt"][0] === "SendOutboxLambdaFunction",
    );
    expect(rules.map(({ Properties }) => Properties.ScheduleExpression)).toEqual(["rate(1 minute)"]);
    const { Timeout, Environment } = get("SendOutboxLambdaFunction").Properties;
    expect(Timeout).toBe(120);
    expect(Environment.Variables.REKEY_FALLBACK_TOPIC).toEqual({ Ref: "AlarmTopic" });
  });

  test("lets anybody call slackAction's URL, few at a time, and outside of any VPC", () => {
    expect(get("SlackActionLambdaFunctionUrl").Properties).toMatchObject({ AuthType: "NONE" });
    const { Properties } = get("SlackActionLambdaFunction");
    expect(Properties).toMatchObject({ Timeout: 10, ReservedConcurrentExecutions: 10 });
    expect(Properties.Environment.Variables.REKEY_RESPOND_FUNCTION).toBe("rekey-dev-respond");
    for (const id of ["SlackActionLambdaFunction", "SendOutboxLambdaFunction"])
      expect(get(id).Properties.VpcConfig ?? { SubnetIds: [] }).toMatchObject({ SubnetIds: [] });
  });

  test("reviews access every Monday, may start it, keeps what could not be started, and says when it failed", () => {
    const { Properties } = get("WeeklyReview");
    expect(Properties.ScheduleExpression).toBe("cron(0 7 ? * MON *)");
    expect(Properties.Target).toEqual({
      Arn: { "Fn::GetAtt": ["ReviewAccessLambdaFunction", "Arn"] },
      RoleArn: { "Fn::GetAtt": ["SchedulerRole", "Arn"] },
      Input: "{}",
      RetryPolicy: { MaximumRetryAttempts: 10, MaximumEventAgeInSeconds: 21600 },
      DeadLetterConfig: { Arn: { "Fn::GetAtt": ["DeadLetters", "Arn"] } },
    });
    const started = statements("SchedulerRole").find(({ Action }) => Action === "lambda:InvokeFunction");
    expect(started?.Resource).toContainEqual({ "Fn::GetAtt": ["ReviewAccessLambdaFunction", "Arn"] });
    const lost = get("ReviewAccessLambdaEvConf").Properties.DestinationConfig.OnFailure.Destination;
    expect(lost).toEqual({ "Fn::GetAtt": ["DeadLetters", "Arn"] });
    for (const [alarm, watched] of [
      ["ReviewAccessErrors", "ReviewAccessLambdaFunction"],
      ["BlastRadiusErrors", "BlastRadiusLambdaFunction"],
    ] as const) {
      expect(get(alarm).Properties).toMatchObject({
        MetricName: "Errors",
        TreatMissingData: "notBreaching",
        Dimensions: [{ Name: "FunctionName", Value: { Ref: watched } }],
        AlarmActions: [{ Ref: "AlarmTopic" }],
      });
    }
  });

  test("wakes advance every minute and when an ECS deployment changes, and the scan every five minutes", () => {
    const rules = [...rulesOf("AdvanceLambdaFunction"), ...rulesOf("ScanAccessLambdaFunction")];
    expect(rules.map(({ Properties }) => Properties.ScheduleExpression ?? Properties.EventPattern)).toEqual([
      "rate(1 minute)",
      { source: ["aws.ecs"], "detail-type": ["ECS Deployment State Change"] },
      "rate(5 minutes)",
    ]);
  });

  test("wakes containerStopped when a task stops or will, and with what a service says; nothing undelivered is lost", () => {
    const rules = rulesOf("ContainerStoppedLambdaFunction");
    expect(rules.map(({ Properties }) => Properties.EventPattern)).toEqual([
      { source: ["aws.ecs"], "detail-type": ["ECS Task State Change"], detail: { lastStatus: ["STOPPED"] } },
      {
        source: ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        detail: { lastStatus: ["RUNNING"], stopCode: ["TerminationNotice"] },
      },
      { source: ["aws.ecs"], "detail-type": ["ECS Service Action", "ECS Deployment State Change"] },
    ]);
    for (const { Properties } of rules) {
      expect(Properties.Targets[0]).toMatchObject({
        DeadLetterConfig: { Arn: { "Fn::GetAtt": ["DeadLetters", "Arn"] } },
        RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 60 },
      });
    }
    const [kept] = statements("DeadLettersPolicy");
    expect(kept).toMatchObject({ Action: "sqs:SendMessage", Principal: { Service: "events.amazonaws.com" } });
    const lost = get("ContainerStoppedLambdaEvConf").Properties.DestinationConfig.OnFailure.Destination;
    expect(lost).toEqual({ "Fn::GetAtt": ["DeadLetters", "Arn"] });
  });

  test("hands every call that concerns secrets to accessEvent, reads among them", () => {
    const { Properties } = get("SecretCalls");
    // In any other state a rule never sees a read.
    expect(Properties.State).toBe("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
    for (const rule of ["SecretCalls", "GuardCalls"])
      expect(get(rule).Properties.Targets[0].Arn).toEqual({ "Fn::GetAtt": ["AccessEvents", "Arn"] });
    const [sent] = statements("AccessEventsPolicy");
    expect(sent).toMatchObject({
      Action: "sqs:SendMessage",
      Principal: { Service: "events.amazonaws.com" },
      Condition: {
        ArnEquals: {
          "aws:SourceArn": [
            { "Fn::GetAtt": ["SecretCalls", "Arn"] },
            { "Fn::GetAtt": ["GuardCalls", "Arn"] },
          ],
        },
      },
    });
    const [mapping] = Object.values(resources).filter(
      ({ Type }) => Type === "AWS::Lambda::EventSourceMapping",
    );
    expect(mapping?.Properties).toMatchObject({
      EventSourceArn: { "Fn::GetAtt": ["AccessEvents", "Arn"] },
      MaximumBatchingWindowInSeconds: 5,
    });
    const names = get("GuardCalls").Properties.EventPattern.detail.eventName;
    const isSent = (action: string) =>
      names.some((name: string | { prefix: string }) =>
        typeof name === "string" ? name === action : action.startsWith(name.prefix),
      );
    const guards = [...GUARDS].flatMap(([, actions]) => actions);
    expect(guards.filter((action) => !isSent(action)).sort()).toEqual([
      // Asked by tools, and told by the scan in time for what it excuses.
      "CreateGrant",
      "DeleteRolePermissionsBoundary",
      "DeleteRolePolicy",
      "GetInsightSelectors",
      "PublishLayerVersion20181031",
    ]);
  });

  test("wakes trailFile by the trail's bucket, and has none of it without one", () => {
    const ofBucket = Object.entries(resources).filter(([, { Condition }]) => Condition === "HasTrailBucket");
    expect(ofBucket.map(([id]) => id).sort()).toEqual([
      "ReadTrailFiles",
      "TrailBucketPermission",
      "TrailFiles",
      "TrailFilesPermission",
    ]);
    // As the parameter stands: empty.
    expect(conditions["HasTrailBucket"]).toEqual({ "Fn::Not": [{ "Fn::Equals": ["", ""] }] });
    const { EventPattern, Targets } = get("TrailFiles").Properties;
    expect(EventPattern).toMatchObject({
      source: ["aws.s3"],
      "detail-type": ["Object Created"],
      detail: { object: { key: [{ prefix: "AWSLogs/" }] } },
    });
    expect(Targets[0]).toMatchObject({
      Arn: { "Fn::GetAtt": ["TrailFileLambdaFunction", "Arn"] },
      DeadLetterConfig: { Arn: { "Fn::GetAtt": ["DeadLetters", "Arn"] } },
    });
    expect(get("TrailFilesPermission").Properties.SourceArn).toEqual({ "Fn::GetAtt": ["TrailFiles", "Arn"] });
    expect(get("TrailBucketPermission").Properties).toMatchObject({
      Principal: "s3.amazonaws.com",
      SourceAccount: { Ref: "AWS::AccountId" },
    });
    expect(get("TrailFileLambdaFunction").Properties).toMatchObject({
      MemorySize: 1024,
      Timeout: 300,
      Role: { "Fn::GetAtt": ["TrailFileRole", "Arn"] },
    });
    expect(get("TrailFileLambdaEvConf").Properties.DestinationConfig.OnFailure.Destination).toEqual({
      "Fn::GetAtt": ["DeadLetters", "Arn"],
    });
  });

  test("counts every role that may read a secret among Rekey's own", () => {
    const { REKEY_ROLES } = get("ScanAccessLambdaFunction").Properties.Environment.Variables;
    const [, ours] = REKEY_ROLES["Fn::Join"];
    const readers = Object.entries(resources)
      .filter(
        ([, { Type, Properties }]) =>
          Type === "AWS::IAM::Role" &&
          (JSON.stringify(Properties).includes("secretsmanager:GetSecretValue") ||
            JSON.stringify(Properties.ManagedPolicyArns ?? "").includes("RotationPolicy")),
      )
      .map(([id]) => id);
    expect(readers).toContain("TrailFileRole");
    expect(ours.map((one: { "Fn::GetAtt": [string, string] }) => one["Fn::GetAtt"][0]).sort()).toEqual(
      readers.sort(),
    );
  });

  test("raises an alarm when the scan falls behind, fails or falls silent", () => {
    const [behind, filter] = [get("ScanAccessBehind").Properties, get("ScansBehind").Properties];
    const [counted] = filter.MetricTransformations;
    expect(filter).toMatchObject({
      LogGroupName: { Ref: "ScanAccessLogGroup" },
      FilterPattern: '"access.behind"',
    });
    expect([behind.Namespace, behind.MetricName]).toEqual([counted.MetricNamespace, counted.MetricName]);
    expect([behind.Statistic, behind.Threshold, counted.MetricValue]).toEqual(["Sum", 1, "1"]);
    for (const [alarm, metric, missing] of [
      ["ScanAccessErrors", "Errors", "notBreaching"],
      ["ScanAccessSilent", "Invocations", "breaching"],
    ] as const) {
      expect(get(alarm).Properties).toMatchObject({
        MetricName: metric,
        TreatMissingData: missing,
        Dimensions: [{ Name: "FunctionName", Value: { Ref: "ScanAccessLambdaFunction" } }],
        AlarmActions: [{ Ref: "AlarmTopic" }],
      });
    }
  });

  test("lets Secrets Manager of this account call rotateSecret, and nobody else", () => {
    const permissions = Object.values(resources).filter(
      ({ Type, Properties }) =>
        Type === "AWS::Lambda::Permission" &&
        Properties.FunctionName["Fn::GetAtt"][0] === "RotateSecretLambdaFunction",
    );
    expect(permissions.map(({ Properties }) => Properties)).toEqual([
      {
        FunctionName: { "Fn::GetAtt": ["RotateSecretLambdaFunction", "Arn"] },
        Action: "lambda:InvokeFunction",
        Principal: "secretsmanager.amazonaws.com",
        SourceAccount: { Ref: "AWS::AccountId" },
      },
    ]);
  });

  test("tells every function the name of the one that Secrets Manager may ask", () => {
    const { FunctionName } = get("RotateSecretLambdaFunction").Properties;
    for (const id of ["RotateAllLambdaFunction", "AdvanceLambdaFunction", "RotateSecretLambdaFunction"])
      expect(get(id).Properties.Environment.Variables.REKEY_ROTATION_FUNCTION).toBe(FunctionName);
  });

  test("raises an alarm when a function fails, and when advance keeps silent", () => {
    const alarms = Object.values(resources).filter(({ Type }) => Type === "AWS::CloudWatch::Alarm");
    const watched = alarms.flatMap(({ Properties }) =>
      (Properties.Dimensions ?? []).map(({ Value }: { Value: { Ref?: string } }) => [
        Value.Ref,
        Properties.MetricName,
      ]),
    );
    expect(watched).toEqual(
      expect.arrayContaining([
        ["RotateAllLambdaFunction", "Errors"],
        ["AdvanceLambdaFunction", "Errors"],
        ["RotateSecretLambdaFunction", "Errors"],
        ["ContainerStoppedLambdaFunction", "Errors"],
        ["TrailFileLambdaFunction", "Errors"],
        ["DrillLambdaFunction", "Errors"],
        ["AdvanceLambdaFunction", "Invocations"],
        ["SlackActionLambdaFunction", "Errors"],
        ["RespondLambdaFunction", "Errors"],
        ["SendOutboxLambdaFunction", "Errors"],
        ["SendOutboxLambdaFunction", "Invocations"],
      ]),
    );
  });

  test("keeps the table when the stack goes, restorable to any second", () => {
    const table = get("Table");
    expect(table).toMatchObject({ DeletionPolicy: "RetainExceptOnCreate", UpdateReplacePolicy: "Retain" });
    expect(table.Properties.PointInTimeRecoverySpecification).toEqual({ PointInTimeRecoveryEnabled: true });
    expect(table.Properties.TableName).toBe("rekey-dev");
    expect(get("RotateAllLambdaFunction").Properties.Environment.Variables.REKEY_TABLE).toBe("rekey-dev");
  });
});

describe("the bucket of the post-mortems", () => {
  test("is private, encrypted, keeps every version, and stays when the stack goes", () => {
    const bucket = get("PostMortems");
    expect(bucket).toMatchObject({ DeletionPolicy: "RetainExceptOnCreate", UpdateReplacePolicy: "Retain" });
    expect(bucket.Properties).toEqual({
      VersioningConfiguration: { Status: "Enabled" },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
    });
    expect(get("PostMortemsPolicy").Properties.PolicyDocument.Statement).toMatchObject([
      { Effect: "Deny", Principal: "*", Condition: { Bool: { "aws:SecureTransport": "false" } } },
    ]);
  });

  test("is named to the two functions that write pages, which can neither delete one nor read a value", () => {
    for (const id of ["PostMortem", "Drill"]) {
      const { Variables } = get(`${id}LambdaFunction`).Properties.Environment;
      expect(Variables.REKEY_POST_MORTEMS).toEqual({ Ref: "PostMortems" });
      const actions = statements(`${id}Role`).flatMap(({ Action }) => [Action].flat());
      expect(actions.filter((action) => action.startsWith("s3:"))).toEqual([
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
      ]);
      expect(actions).not.toContain("secretsmanager:GetSecretValue");
      expect(actions).not.toContain("dynamodb:DeleteItem");
    }
  });

  test("has the drill begun once a month, and looked at every hour", () => {
    const { ScheduleExpression, Target } = get("MonthlyDrill").Properties;
    expect(ScheduleExpression).toBe("cron(0 9 ? * TUE#2 *)");
    expect(Target.Arn).toEqual({ "Fn::GetAtt": ["DrillLambdaFunction", "Arn"] });
    expect(JSON.parse(Target.Input)["detail-type"]).toBe("Scheduled Event");
    const [rule] = rulesOf("DrillLambdaFunction");
    expect(rule?.Properties.ScheduleExpression).toBe("rate(1 hour)");
    expect(JSON.parse(rule?.Properties.Targets[0].Input)).toEqual({ look: true });
    expect(statements("SchedulerRole").flatMap(({ Resource }) => [Resource].flat())).toContainEqual({
      "Fn::GetAtt": ["DrillLambdaFunction", "Arn"],
    });
  });
});

describe("the rights", () => {
  const allowed = (id: string, action: string) =>
    statements(id).filter(({ Effect, Action }) => Effect === "Allow" && [Action].flat().includes(action));

  test("write only secrets that are tagged or named as bundles", () => {
    for (const action of ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]) {
      const [tagged, named, ...more] = allowed("RotationPolicy", action);
      expect(more).toEqual([]);
      expect(tagged?.Condition).toEqual({ Null: { "aws:ResourceTag/rekey:strategy": "false" } });
      expect(named?.Resource).toEqual({
        "Fn::Sub":
          // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation fills it in
          "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*/production-??????",
      });
    }
  });

  test("can redeploy a service and cannot give it another task definition", () => {
    const [update, ...more] = allowed("RotationPolicy", "ecs:UpdateService");
    expect(more).toEqual([]);
    expect(update?.Condition).toEqual({ Null: { "ecs:task-definition": "true" } });
  });

  test("of verify read, and can write nothing but its log, who looked, and what was lost", () => {
    expect(get("VerifyRole").Properties.ManagedPolicyArns).toBeUndefined();
    const actions = statements("VerifyRole")
      .filter(({ Effect }) => Effect === "Allow")
      .flatMap(({ Action }) => [Action].flat())
      // Lambda's own, for the VPC; what runs in the function is denied them.
      .filter((action) => !action.startsWith("ec2:"));
    const reading = /:(Get|List|Describe|Query|Decrypt)/;
    expect(allowed("VerifyRole", "dynamodb:PutItem")[0]?.Condition).toEqual({
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["INVOCATIONS"] },
    });
    expect(actions.filter((action) => !reading.test(action)).sort()).toEqual([
      "dynamodb:PutItem",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "sqs:SendMessage",
    ]);
    for (const action of ["secretsmanager:GetSecretValue", "secretsmanager:ListSecrets", "ecs:DescribeTasks"])
      expect(actions).toContain(action);
  });

  test("of blastRadius read what happened, and no value", () => {
    const actions = statements("BlastRadiusRole")
      .filter(({ Effect }) => Effect === "Allow")
      .flatMap(({ Action }) => [Action].flat())
      .filter((action) => !action.startsWith("ec2:"));
    expect(actions.filter((action) => !/:(Get|List|Describe|Query|Lookup)/.test(action)).sort()).toEqual([
      "logs:CreateLogStream",
      "logs:PutLogEvents",
    ]);
    expect(actions).toContain("cloudtrail:LookupEvents");
    expect(actions).not.toContain("secretsmanager:GetSecretValue");
    expect(actions.some((action) => action.startsWith("kms:"))).toBe(false);
  });

  test("of the scan change nothing, and write only its own records in the table", () => {
    const open = statements("ScanAccessRole");
    expect(open.flatMap(({ Action }) => [Action].flat()).sort()).toEqual([
      "cloudtrail:LookupEvents",
      "dynamodb:DeleteItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "ecs:DescribeServiceDeployments",
      "ecs:DescribeServices",
      "ecs:DescribeTaskDefinition",
      "ecs:DescribeTasks",
      "ecs:ListClusters",
      "ecs:ListServiceDeployments",
      "ecs:ListServices",
      "ecs:ListTasks",
      "kms:Decrypt",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "secretsmanager:GetSecretValue",
      "secretsmanager:ListSecrets",
    ]);
    for (const role of ["ScanAccessRole", "AccessEventRole", "TrailFileRole"])
      expect(JSON.stringify(allowed(role, "dynamodb:PutItem")[0]?.Condition)).not.toMatch(
        /RUN#|OPEN|CLAIM|HISTORY/,
      );
  });

  test("of trailFile read files of the trail's bucket, keep what the scan keeps of them, and no more", () => {
    const actions = (id: string) =>
      statements(id)
        .flatMap(({ Action }) => [Action].flat())
        .sort();
    expect(actions("TrailFileRole")).toEqual([
      "dynamodb:DeleteItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "kms:Decrypt",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "secretsmanager:GetSecretValue",
      "sqs:SendMessage",
    ]);
    expect(allowed("TrailFileRole", "dynamodb:PutItem")).toEqual(
      allowed("AccessEventRole", "dynamodb:PutItem"),
    );
    expect(actions("ReadTrailFiles")).toEqual(["kms:Decrypt", "s3:GetObject"]);
    const [file] = allowed("ReadTrailFiles", "s3:GetObject");
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation fills it in
    expect(file?.Resource).toEqual({ "Fn::Sub": "arn:${AWS::Partition}:s3:::/AWSLogs/*" });
    const [key] = allowed("ReadTrailFiles", "kms:Decrypt");
    expect(key?.Condition).toMatchObject({
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation fills it in
      StringEquals: { "kms:ViaService": { "Fn::Sub": "s3.${AWS::Region}.amazonaws.com" } },
    });
  });

  test("of containerStopped look, and write nothing but its records, its log, and what was lost", () => {
    const actions = statements("ContainerStoppedRole")
      .filter(({ Effect }) => Effect === "Allow")
      .flatMap(({ Action }) => [Action].flat())
      .filter((action) => !action.startsWith("ec2:"));
    expect(actions.filter((action) => !/:(Get|List|Describe|Query|Decrypt)/.test(action)).sort()).toEqual([
      "dynamodb:PutItem",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "sqs:SendMessage",
    ]);
    expect(allowed("ContainerStoppedRole", "dynamodb:PutItem").map(({ Condition }) => Condition)).toEqual([
      { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["STOP#*", "STOPS#*", "INVOCATIONS"] } },
    ]);
  });

  test("of slackAction reach one secret, requests it remembers, one function and its log", () => {
    expect(get("SlackActionRole").Properties.ManagedPolicyArns).toBeUndefined();
    const granted = statements("SlackActionRole");
    expect(granted.flatMap(({ Action }) => [Action].flat()).sort()).toEqual([
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:PutItem",
      "kms:Decrypt",
      "lambda:InvokeFunction",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "secretsmanager:DescribeSecret",
      "secretsmanager:GetSecretValue",
    ]);
    expect(allowed("SlackActionRole", "dynamodb:PutItem").map(({ Condition }) => Condition)).toEqual([
      { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["INVOCATIONS"] } },
      { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["SEEN#*"] } },
    ]);
    expect(allowed("SlackActionRole", "lambda:InvokeFunction")[0]?.Resource).toEqual({
      "Fn::Sub":
        // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation fills it in
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:rekey-dev-respond",
    });
  });

  test("of respond change keys, named roles, services and its own records, and no secret and no rotation", () => {
    const actions = statements("RespondRole")
      .flatMap(({ Action }) => [Action].flat())
      .filter((action) => !/:(Get|List|Describe|Query|Lookup|Decrypt|Simulate)/.test(action));
    expect([...new Set(actions)].sort()).toEqual([
      "dynamodb:DeleteItem",
      "dynamodb:PutItem",
      "ecs:UpdateService",
      "iam:DeleteRolePolicy",
      "iam:PutRolePolicy",
      "iam:UpdateAccessKey",
      "lambda:InvokeFunction",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "s3:PutObject",
      "sqs:SendMessage",
    ]);
    const keysFor = (action: string) =>
      allowed("RespondRole", action)
        .flatMap(
          ({ Condition }) =>
            (Condition as Record<string, Record<string, string[]>>)["ForAllValues:StringLike"]?.[
              "dynamodb:LeadingKeys"
            ] ?? ["*"],
        )
        .sort();
    expect(keysFor("dynamodb:PutItem")).toEqual([
      ...["ANSWER#*", "AUDIT", "AUDIT#*", "INCIDENT#*", "INCIDENTS", "INVOCATIONS", "OUTBOX"],
      ...["SUPPRESSED#*", "THREAD#*"],
    ]);
    expect(keysFor("dynamodb:DeleteItem"), "nothing of the audit log").toEqual(["ANSWER#*", "INCIDENTS"]);
    const functions = ["rotateAll", "verify"].map((name) => ({
      "Fn::Sub": `arn:\${AWS::Partition}:lambda:\${AWS::Region}:\${AWS::AccountId}:function:rekey-dev-${name}`,
    }));
    expect(allowed("RespondRole", "lambda:InvokeFunction")[0]?.Resource).toEqual(functions);
    expect(allowed("RespondRole", "iam:PutRolePolicy")[0]?.Resource).toEqual({
      "Fn::Sub":
        // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation fills it in
        "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/rekey-may-contain-no-role",
    });
    expect(get("VerifyLambdaFunction").Properties.FunctionName).toBe("rekey-dev-verify");
    expect(get("RotateAllLambdaFunction").Properties.FunctionName).toBe("rekey-dev-rotateAll");
    expect(get("RespondLambdaFunction").Properties.FunctionName).toBe("rekey-dev-respond");
  });

  test("of suppress keep rules quiet, and nothing else", () => {
    expect(statements("SuppressRole").flatMap(({ Action }) => [Action].flat())).toEqual([
      "dynamodb:PutItem",
      "dynamodb:Query",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
    ]);
  });

  test("of sendOutbox reach outboxes and no other record, and one topic", () => {
    const own = { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["OUTBOX", "THREAD#*"] } };
    for (const action of ["dynamodb:Query", "dynamodb:DeleteItem"])
      expect(allowed("SendOutboxRole", action).map(({ Condition }) => Condition)).toEqual([own]);
    expect(allowed("SendOutboxRole", "dynamodb:PutItem").map(({ Condition }) => Condition)).toEqual([
      { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["INVOCATIONS"] } },
      own,
    ]);
    expect(allowed("SendOutboxRole", "sns:Publish").map(({ Resource }) => Resource)).toEqual([
      { Ref: "AlarmTopic" },
    ]);
  });

  test("hold no wildcard action, and a wildcard resource only where AWS knows no other or a condition narrows it", () => {
    const open = [
      "RotationPolicy",
      "RotateAllRole",
      "AdvanceRole",
      "RotateSecretRole",
      "VerifyRole",
      "ContainerStoppedRole",
      "BlastRadiusRole",
      "ReviewAccessRole",
      "ScanAccessRole",
      "AccessEventRole",
      "TrailFileRole",
      "ReadTrailFiles",
      "SchedulerRole",
      "SlackActionRole",
      "SendOutboxRole",
      "PostMortemRole",
      "DrillRole",
      "RespondRole",
      "SuppressRole",
    ].flatMap(statements);
    const isAllow = ({ Effect }: { Effect: string }) => Effect === "Allow";
    expect(
      open.filter(isAllow).filter(({ Action }) => [Action].flat().some((name) => name.includes("*"))),
    ).toEqual([]);
    const everywhere = open
      .filter(isAllow)
      .filter((one) => one.Resource === "*" && one.Condition === undefined);
    expect(
      everywhere
        .flatMap(({ Action }) => [Action].flat())
        .filter(
          (name) =>
            !/^(ecs:(List|Describe)|cloudtrail:(LookupEvents|DescribeTrails|GetEventSelectors|GetTrailStatus)$|ec2:\w*(NetworkInterface|Subnets|PrivateIp)|secretsmanager:ListSecrets$|cloudwatch:GetMetricData$)/.test(
              name,
            ),
        ),
    ).toEqual([]);
  });

  test("cover every call that the adapters make", async () => {
    const folder = join(ROOT, "lib", "adapters");
    const text = (
      await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), "utf8")))
    ).join("\n");
    const calls = new Set([...text.matchAll(/new (\w+)Command\(/g)].map(([, name = ""]) => name));
    expect(calls.size).toBeGreaterThan(10);
    const items: Readonly<Record<string, string>> = {
      Get: "GetItem",
      Put: "PutItem",
      Delete: "DeleteItem",
      Update: "UpdateItem",
      Invoke: "InvokeFunction",
    };
    const granted = new Set(
      [
        "RotationPolicy",
        "AskForRightsPolicy",
        "RotateAllRole",
        "BlastRadiusRole",
        "ScanAccessRole",
        "ReadTrailFiles",
        "ContainerStoppedRole",
        "SlackActionRole",
        "SendOutboxRole",
        "PostMortemRole",
        "RespondRole",
      ]
        .flatMap(statements)
        .flatMap(({ Action }) => [Action].flat().map((name) => name.split(":")[1])),
    );
    // Everybody may ask who they are; no policy can take that away.
    calls.delete("GetCallerIdentity");
    expect([...calls].map((name) => items[name] ?? name).filter((name) => !granted.has(name))).toEqual([]);
  });
});

describe("sls as people use it", () => {
  test("invoke local answers with the handler's own sentence and exit code", async () => {
    const { code, output } = await sls(project, ["invoke", "local", "-f", "rotateAll", "-d", '{"nope":1}']);
    expect(output).toContain("nope is not a field");
    expect(code).toBe(1);
  });

  test("a mistake in a handler ends at once with its file and line", async () => {
    const broken = await copyOfProject();
    try {
      await writeFile(join(broken, "handlers", "advance.ts"), "export const handler = 1;\n\nconst = 2;\n");
      const { code, output } = await sls(broken, ["package"]);
      expect(output).toContain("handlers/advance.ts:3:6: ERROR:");
      expect(code).toBe(1);
    } finally {
      await rm(broken, { recursive: true, force: true });
    }
  });

  test("a mistake in a runbook ends at once with its file, line and mend", async () => {
    const broken = await copyOfProject();
    try {
      const page = join(broken, "runbooks", "drill.md");
      const text = await readFile(page, "utf8");
      await writeFile(page, text.replace("run: rotateEmergency", "run: rotateEmergncy"));
      const { code, output } = await sls(broken, ["package"]);
      expect(output).toMatch(
        /runbooks\/drill\.md:22:0: ERROR: .*there is no action "rotateEmergncy"; there are: /,
      );
      expect(code).toBe(1);
    } finally {
      await rm(broken, { recursive: true, force: true });
    }
  });

  test("invoke reaches the endpoint of AWS_ENDPOINT_URL, once", async () => {
    await using lambda = await lambdaThatAnswersAfter(0);
    const { code, output } = await sls(project, INVOKE, lambda.env);
    expect(output).toContain('"runId": "run-1"');
    expect(code).toBe(0);
    expect(lambda.seen).toEqual([
      'POST /2015-03-31/functions/rekey-dev-rotateAll/invocations {"dryRun":true}',
    ]);
  });

  test("invoke waits as long as the plugin says before it invokes again", async () => {
    const impatient = await copyOfProject();
    try {
      const plugin = join(impatient, "serverless.plugin.cjs");
      const text = await readFile(plugin, "utf8");
      expect(text).toContain('"900000"');
      await writeFile(plugin, text.replace('"900000"', '"400"'));
      await using lambda = await lambdaThatAnswersAfter(2_000);
      expect((await sls(impatient, INVOKE, lambda.env)).code).toBe(1);
      // The first and four more: what would happen to a run that outlasts the CLI's own 120 seconds.
      expect(lambda.seen.length).toBe(5);
      const patient = { ...lambda.env, AWS_CLIENT_TIMEOUT: "5000" };
      expect((await sls(impatient, INVOKE, patient)).output).toContain('"runId": "run-1"');
      expect(lambda.seen.length).toBe(6);
    } finally {
      await rm(impatient, { recursive: true, force: true });
    }
  });
});

const INVOKE = ["invoke", "-f", "rotateAll", "-d", '{"dryRun":true}'];

async function lambdaThatAnswersAfter(delayMs: number) {
  const seen: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    seen.push(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`);
    await sleep(delayMs);
    response.end('{"runId":"run-1"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    seen,
    env: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
