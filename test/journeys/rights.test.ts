/** What preflight makes of rights that are missing, and of an IAM that cannot be asked. */
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { Report } from "../../lib/rotation/report.ts";
import { builtHandlers } from "../builtHandlers.ts";
import { createTable } from "../demo/world.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const ROLE = "arn:aws:iam::123456789012:role/rekey";
const JWT = { "rekey:not-after": "honoured", "rekey:grace": "1", "rekey:skew": "0" };
const key = (letter: string) => letter.repeat(64);

let cloud: Cloud;
let signing: string;
let bundle: string;
beforeAll(async () => {
  cloud = await startCloud({ processes: false, pace: { startDelayMs: 50, drainMs: 50 } });
  const client = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "operator", secretAccessKey: "local" },
  };
  await createTable(client, "rekey");
  const env = {
    ...cloud.env,
    REKEY_TABLE: "rekey",
    REKEY_ROLLOUT_SECONDS: "6",
    REKEY_POLL_MS: "100",
    REKEY_SETTLE_SECONDS: "0.5",
  };
  const { rotateAll = "" } = await builtHandlers();
  cloud.lambda.register("rotateAll", { bundle: rotateAll, env, timeoutSeconds: 60, memoryMb: 512 });
  const keyset = JSON.stringify({ alg: "HS256", current: key("a"), next: key("b") });
  signing = cloud.secrets.create("shop/signing", keyset, { tags: { "rekey:strategy": "jwt", ...JWT } }).arn;
  const fields = JSON.stringify({ TOKEN_KEY: key("c"), TOKEN_KEY_NEXT: key("d") });
  bundle = cloud.secrets.create("shop/bundle", fields, {
    tags: { "rekey:field:TOKEN_KEY": "jwt", ...JWT },
  }).arn;
  const ecs = new ECSClient(client);
  await ecs.send(new CreateClusterCommand({ clusterName: "shop" }));
  for (const [name, arn] of Object.entries({ gateway: signing, guard: bundle })) {
    const containers = [{ name, image: "node:24", secrets: [{ name: "KEY", valueFrom: arn }] }];
    await ecs.send(new RegisterTaskDefinitionCommand({ family: name, containerDefinitions: containers }));
    await ecs.send(
      new CreateServiceCommand({ cluster: "shop", serviceName: name, taskDefinition: name, desiredCount: 1 }),
    );
  }
  ecs.destroy();
  // Until both services stand on a deployment that has succeeded.
  await vi.waitUntil(
    async () => Object.values(outcomes(await rotate({ dryRun: true }))).every((one) => one === "planned"),
    {
      timeout: 30_000,
      interval: 200,
    },
  );
}, 60_000);
afterAll(() => cloud?.stop());
afterEach(() => {
  cloud.iam.denied.clear();
  cloud.iam.mood = "served";
});

async function rotate(payload: object): Promise<Report> {
  const { payload: report, failure } = await cloud.lambda.invoke("rotateAll", payload);
  if (failure) throw new Error(failure.errorMessage);
  return report as Report;
}
const outcomes = (report: Report) =>
  Object.fromEntries(report.secrets.map(({ name, outcome }) => [name, outcome]));
const errorsOf = (report: Report, name: string) => report.secrets.find((one) => one.name === name)?.errors;
const state = () =>
  JSON.stringify([
    [...cloud.secrets.secrets.values()].map(({ versions }) =>
      [...versions.values()].map(({ versionId, labels }) => [versionId, [...labels]]),
    ),
    cloud.ecs.tasks().map(({ taskArn }) => taskArn),
  ]);

test("a service that Rekey may not redeploy is named before anything changes, and its secrets are refused", async () => {
  cloud.iam.denied.set("ecs:UpdateService", { resource: "/guard" });
  const before = state();
  const report = await rotate({ only: ["shop/bundle"] });
  expect(report.status).toBe("refused");
  expect(errorsOf(report, "shop/bundle")).toEqual([
    {
      code: "MISSING_RIGHTS",
      message: `shop/bundle: ${ROLE} may not ecs:UpdateService on arn:aws:ecs:us-east-1:123456789012:service/shop/guard; allow it in that role's policies`,
    },
  ]);
  expect(state()).toBe(before);
  expect(outcomes(await rotate({ dryRun: true }))).toEqual({
    "shop/bundle": "refused",
    "shop/signing": "planned",
  });
}, 60_000);

test("a right that hangs on a tag is missing where the secret does not carry it, and only there", async () => {
  for (const action of ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"])
    cloud.iam.denied.set(action, { unlessTagged: "rekey:strategy" });
  const plan = await rotate({ dryRun: true });
  expect(outcomes(plan)).toEqual({ "shop/bundle": "refused", "shop/signing": "planned" });
  expect(errorsOf(plan, "shop/bundle")?.map(({ message }) => message)).toEqual([
    `shop/bundle: ${ROLE} may not secretsmanager:PutSecretValue on ${bundle}; allow it in that role's policies`,
    `shop/bundle: ${ROLE} may not secretsmanager:UpdateSecretVersionStage on ${bundle}; allow it in that role's policies`,
  ]);
}, 60_000);

test("a right that hangs on something unknown refuses nothing", async () => {
  // The tags of a service are not read.
  cloud.iam.denied.set("ecs:UpdateService", { unlessTagged: "team" });
  expect(outcomes(await rotate({ dryRun: true }))).toEqual({
    "shop/bundle": "planned",
    "shop/signing": "planned",
  });
}, 60_000);

test("200 secrets, each tagged in its own way, take a handful of calls", async () => {
  cloud.iam.denied.set("secretsmanager:PutSecretValue", { unlessTagged: "rekey:strategy" });
  const made = Array.from({ length: 200 }, (_, number) => {
    const tags = { "rekey:strategy": "jwt", owner: `team-${number}`, ...JWT };
    const keyset = JSON.stringify({ alg: "HS256", current: key("e"), next: key("f") });
    return cloud.secrets.create(`many/${number}`, keyset, { tags });
  });
  const before = cloud.iam.calls;
  const plan = await rotate({ dryRun: true, only: ["many/*"] });
  for (const { arn } of made) cloud.secrets.secrets.delete(arn);
  expect(plan.totals).toMatchObject({ planned: 200, refused: 0 });
  const calls = cloud.iam.calls - before;
  expect(calls).toBeGreaterThanOrEqual(3);
  expect(calls).toBeLessThanOrEqual(8);
}, 60_000);

test.each([
  ["forbidden", "AccessDenied"],
  ["absent", ""],
  ["silent", ""],
] as const)(
  "an IAM that is %s refuses nothing, and a dry run says so",
  async (mood, because) => {
    cloud.iam.mood = mood;
    const plan = await rotate({ dryRun: true });
    expect(outcomes(plan)).toEqual({ "shop/bundle": "planned", "shop/signing": "planned" });
    const note = plan.secrets[0]?.notes?.find((text) => text.includes("could not be asked beforehand"));
    expect(note).toContain("could not simulate the role's policies");
    expect(note).toContain(because);
  },
  60_000,
);

test("without IAM everything rotates as before", async () => {
  cloud.iam.mood = "absent";
  const report = await rotate({ only: ["shop/signing"] });
  expect(outcomes(report)).toEqual({ "shop/signing": "rotated" });
  expect(report.secrets[0]?.notes ?? []).toEqual([]);
}, 60_000);
