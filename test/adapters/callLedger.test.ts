import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, test } from "vitest";
import { callLedger, invocationsIn } from "../../lib/adapters/callLedger.ts";
import { secretsManagerStore } from "../../lib/adapters/secretsManager.ts";
import { extract } from "../../lib/detection/extract.ts";
import { createTable } from "../demo/world.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const TABLE = "ledger";
let cloud: Cloud;
let dynamo: DynamoDBClient;
let secrets: SecretsManagerClient;
let newClient: () => SecretsManagerClient;

beforeAll(async () => {
  cloud = await startCloud({ processes: false });
  const options = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  };
  dynamo = new DynamoDBClient(options);
  newClient = () => new SecretsManagerClient(options);
  secrets = newClient();
  await createTable(options, TABLE);
  await secrets.send(new CreateSecretCommand({ Name: "one", SecretString: "value-1" }));
});
afterAll(async () => {
  dynamo?.destroy();
  secrets?.destroy();
  await cloud?.stop();
});

test("whoever reads is written down before, and CloudTrail shows which of its calls a read was", async () => {
  expect([...(await invocationsIn(TABLE, dynamo))]).toEqual([]);
  const store = secretsManagerStore(callLedger(TABLE, dynamo), newClient());
  await store.read("one", { label: "AWSCURRENT" });
  await store.read("one", { label: "AWSCURRENT" });

  const [[invocation] = [], ...others] = [...(await invocationsIn(TABLE, dynamo))];
  expect(others).toEqual([]);
  const reads = cloud.trail.records.filter(({ eventName }) => eventName === "GetSecretValue").map(extract);
  const marks = reads.map((read) => ("event" in read ? read.event.ourMark : undefined));
  expect(marks).toEqual([
    { invocation, call: 1 },
    { invocation, call: 2 },
  ]);
});

test("who cannot be written down reads nothing", async () => {
  const before = cloud.trail.records.length;
  const store = secretsManagerStore(callLedger("no-such-table", dynamo), newClient());
  await expect(store.read("one", { label: "AWSCURRENT" })).rejects.toMatchObject({ name: "RekeyError" });
  const after = cloud.trail.records.slice(before);
  expect(after.filter(({ eventName }) => eventName === "GetSecretValue")).toEqual([]);
});
