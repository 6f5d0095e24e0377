/** The longest of the lines that mend something, pasted into a real shell against the local cloud. */
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Trap } from "../../lib/rotation/consumers.ts";
import { disarm, printing, printingCurrent } from "../../lib/rotation/mend.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";
import { openShell, type Shell } from "../standin/shell.ts";
import { ARN, service, task } from "./facts.ts";

let cloud: Cloud;
let shell: Shell;
let ecs: ECSClient;
const stops: (() => unknown)[] = [];

beforeAll(async () => {
  cloud = await startCloud({ processes: false, allowShadowedKeys: true });
  shell = await openShell(cloud.env);
  const credentials = { accessKeyId: "operator", secretAccessKey: "local" };
  ecs = new ECSClient({ endpoint: cloud.endpoint, region: "us-east-1", credentials });
  stops.push(
    () => cloud.stop(),
    () => shell.stop(),
    () => ecs.destroy(),
  );
  await ecs.send(new CreateClusterCommand({ clusterName: "shop" }));
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

async function runs(name: string, container: object): Promise<string> {
  const { taskDefinition } = await ecs.send(
    new RegisterTaskDefinitionCommand({
      family: name,
      cpu: "256",
      containerDefinitions: [
        { name: "app", image: "app:1", ...container },
        { name: "it's beside", image: "beside:1", ...container },
      ],
    }),
  );
  const arn = taskDefinition?.taskDefinitionArn ?? "";
  const request = { cluster: "shop", serviceName: name, taskDefinition: arn, desiredCount: 1 };
  await ecs.send(new CreateServiceCommand(request));
  return arn;
}

async function definitionOf(name: string) {
  const described = await ecs.send(new DescribeServicesCommand({ cluster: "shop", services: [name] }));
  const taskDefinition = described.services?.[0]?.taskDefinition ?? "";
  const { taskDefinition: found } = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
  return { arn: taskDefinition, cpu: found?.cpu, containers: found?.containerDefinitions ?? [] };
}

const trapIn = (
  name: string,
  arn: string,
  trap: Pick<Trap, "code" | "container" | "variable" | "value">,
): Trap => ({
  ...trap,
  message: "",
  holder: { service: service(name, { taskDefinitions: [arn] }) },
});

test("a pin is taken off in the container that has it, and the service is on the new definition", async () => {
  const { arn: secret } = cloud.secrets.create("shop/database", '{"password":"a"}');
  const value = `${secret}:password:AWSCURRENT:`;
  const arn = await runs("pinned", { secrets: [{ name: "DATABASE_PASSWORD", valueFrom: value }] });
  const trap = { code: "PINNED_VERSION", container: "app", variable: "DATABASE_PASSWORD", value } as const;
  await shell.paste(disarm(trapIn("pinned", arn, trap)));
  const now = await definitionOf("pinned");
  expect(now.arn).not.toBe(arn);
  expect(now.cpu).toBe("256");
  expect(now.containers.map(({ name, image, secrets }) => [name, image, secrets?.[0]?.valueFrom])).toEqual([
    ["app", "app:1", `${secret}:password::`],
    ["it's beside", "beside:1", value],
  ]);
}, 60_000);

test("a plain value is taken out of a container whose name a shell would stumble over", async () => {
  const environment = [
    { name: "DATABASE_PASSWORD", value: "plain" },
    { name: "LOG_LEVEL", value: "info" },
  ];
  const arn = await runs("shadowed", { environment });
  const trap = {
    code: "SHADOWED_KEY",
    container: "it's beside",
    variable: "DATABASE_PASSWORD",
    value: "",
  } as const;
  await shell.paste(disarm(trapIn("shadowed", arn, trap)));
  const { containers } = await definitionOf("shadowed");
  expect(containers.map((one) => one.environment?.map(({ name }) => name))).toEqual([
    ["DATABASE_PASSWORD", "LOG_LEVEL"],
    ["LOG_LEVEL"],
  ]);
}, 60_000);

const plain = { code: "SHADOWED_KEY", container: "app", variable: "DATABASE_PASSWORD", value: "" } as const;

test.each<[string, () => string, string]>([
  [
    "prints a field of a version",
    () => printing(ARN, "version-1", "password"),
    `aws secretsmanager get-secret-value --secret-id arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/database-AbCdEf --version-id version-1 --query SecretString --output text | node -e 'process.stdout.write(String(JSON.parse(fs.readFileSync(0))["password"]))'`,
  ],
  [
    "prints a field of the value in use",
    () => printingCurrent(ARN, "password"),
    `aws secretsmanager get-secret-value --secret-id arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/database-AbCdEf --query SecretString --output text | node -e 'process.stdout.write(String(JSON.parse(fs.readFileSync(0))["password"]))'`,
  ],
  [
    "stops a task of its own that has a trap, for there is no service to deploy",
    () => disarm({ ...plain, message: "", holder: { task: task() } }),
    "aws ecs stop-task --cluster shop --task t1 --reason 'holds an old secret'",
  ],
])("the line that %s", (_what, line, expected) => {
  expect(line()).toBe(expected);
});

test("the line that takes a trap out of a service without a definition reads none, and so fails", () => {
  const holder = { service: service("gateway", { taskDefinitions: [] }) };
  expect(disarm({ ...plain, message: "", holder })).toContain(
    "aws ecs describe-task-definition --output json --task-definition '' | node",
  );
});

test("the value in use is printed as it is, from a field whose name a shell would stumble over", async () => {
  const { arn } = cloud.secrets.create("shop/printed", '{"it\'s":"a  b"}');
  expect(await shell.paste(printingCurrent(arn, "it's"))).toBe("a  b");
}, 60_000);
