/**
 * The stand-in's Secrets Manager, through the real SDK client. What is promised here is what a rotation relies on: where
 * labels go, what a repeated write does, and what is refused.
 */
import { randomUUID } from "node:crypto";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandInput,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cloud, startCloud } from "./cloud.ts";
import { AwsError } from "./service.ts";

let cloud: Cloud;
let client: SecretsManagerClient;

const connect = (endpoint: string) =>
  new SecretsManagerClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "operator", secretAccessKey: "local" },
    maxAttempts: 1,
  });

beforeAll(async () => {
  cloud = await startCloud({ processes: false });
  client = connect(cloud.endpoint);
});
afterAll(async () => {
  client.destroy();
  await cloud.stop();
});

const token = (letter: string) => letter.repeat(36);
const refusal = (type: string) => ({ name: type, $metadata: { httpStatusCode: 400 } });

/** A secret of its own for each test, with version AAA current. */
async function secretWithOne() {
  const Name = `app/${randomUUID()}`;
  const request = { Name, SecretString: "first", ClientRequestToken: token("a") };
  const { ARN = "" } = await client.send(new CreateSecretCommand(request));
  return { Name, ARN };
}

const put = (SecretId: string, letter: string, SecretString: string, VersionStages?: string[]) =>
  client.send(
    new PutSecretValueCommand({
      SecretId,
      ClientRequestToken: token(letter),
      SecretString,
      ...(VersionStages ? { VersionStages } : {}),
    }),
  );
const move = (SecretId: string, VersionStage: string, from: string | undefined, to: string | undefined) =>
  client.send(
    new UpdateSecretVersionStageCommand({
      SecretId,
      VersionStage,
      ...(from ? { RemoveFromVersionId: token(from) } : {}),
      ...(to ? { MoveToVersionId: token(to) } : {}),
    }),
  );
const read = async (SecretId: string, which: Omit<GetSecretValueCommandInput, "SecretId"> = {}) =>
  (await client.send(new GetSecretValueCommand({ SecretId, ...which }))).SecretString;

/** `{ AWSCURRENT: "a" }`, by the letter that its token repeats. */
async function labels(SecretId: string) {
  const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
  return Object.fromEntries(
    Object.entries(VersionIdsToStages).flatMap(([id, stages]) => stages.map((stage) => [stage, id[0]])),
  );
}

describe("labels", () => {
  test("the first value is current whatever it was put as", async () => {
    const Name = `app/${randomUUID()}`;
    await client.send(new CreateSecretCommand({ Name }));
    await expect(read(Name)).rejects.toMatchObject(refusal("ResourceNotFoundException"));
    await put(Name, "a", "first", ["AWSPENDING"]);
    expect(await labels(Name)).toEqual({ AWSCURRENT: "a", AWSPENDING: "a" });
  });

  test("a put that names no label becomes current, and AWSPREVIOUS follows", async () => {
    const { Name } = await secretWithOne();
    await put(Name, "b", "second");
    expect(await labels(Name)).toEqual({ AWSCURRENT: "b", AWSPREVIOUS: "a" });
    await put(Name, "c", "third");
    expect(await labels(Name)).toEqual({ AWSCURRENT: "c", AWSPREVIOUS: "b" });
    expect([await read(Name), await read(Name, { VersionStage: "AWSPREVIOUS" })]).toEqual([
      "third",
      "second",
    ]);
  });

  test("a pending put leaves the current value alone", async () => {
    const { Name } = await secretWithOne();
    await put(Name, "b", "second", ["AWSPENDING"]);
    expect(await labels(Name)).toEqual({ AWSCURRENT: "a", AWSPENDING: "b" });
    expect(await read(Name)).toBe("first");
  });

  test("a label sits on one version: a second pending put takes it from the first", async () => {
    const { Name } = await secretWithOne();
    await put(Name, "b", "second", ["AWSPENDING"]);
    await put(Name, "c", "third", ["AWSPENDING"]);
    expect(await labels(Name)).toEqual({ AWSCURRENT: "a", AWSPENDING: "c" });
  });

  test("moving AWSCURRENT there and back moves AWSPREVIOUS along, and AWSPENDING stays", async () => {
    const { Name } = await secretWithOne();
    await put(Name, "b", "second", ["AWSPENDING"]);
    await move(Name, "AWSCURRENT", "a", "b");
    expect(await labels(Name)).toEqual({ AWSCURRENT: "b", AWSPENDING: "b", AWSPREVIOUS: "a" });
    await move(Name, "AWSCURRENT", "b", "a");
    expect(await labels(Name)).toEqual({ AWSCURRENT: "a", AWSPENDING: "b", AWSPREVIOUS: "b" });
  });

  test("AWSCURRENT moves only from the version that is named as its holder", async () => {
    const { Name } = await secretWithOne();
    await put(Name, "b", "second", ["AWSPENDING"]);
    const before = await labels(Name);
    for (const from of [undefined, "b"]) {
      await expect(move(Name, "AWSCURRENT", from, "b")).rejects.toMatchObject(
        refusal("InvalidParameterException"),
      );
    }
    await expect(move(Name, "AWSCURRENT", "a", "z")).rejects.toMatchObject(
      refusal("ResourceNotFoundException"),
    );
    expect(await labels(Name)).toEqual(before);
  });

  test("of two movers with the same expectation one wins", async () => {
    const { Name } = await secretWithOne();
    await put(Name, "b", "second", ["AWSPENDING"]);
    await put(Name, "c", "third", ["OTHER"]);
    const outcomes = await Promise.allSettled([
      move(Name, "AWSCURRENT", "a", "b"),
      move(Name, "AWSCURRENT", "a", "c"),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect((await labels(Name))["AWSPREVIOUS"]).toBe("a");
  });

  test("AWSCURRENT cannot be taken away, AWSPENDING can, once", async () => {
    const { Name } = await secretWithOne();
    await put(Name, "b", "second", ["AWSPENDING"]);
    await expect(move(Name, "AWSCURRENT", "a", undefined)).rejects.toMatchObject(
      refusal("InvalidParameterException"),
    );
    await move(Name, "AWSPENDING", "b", undefined);
    expect(await labels(Name)).toEqual({ AWSCURRENT: "a" });
    await expect(move(Name, "AWSPENDING", "b", undefined)).rejects.toMatchObject(
      refusal("InvalidParameterException"),
    );
  });

  test("a version without a label is not described, listed only as deprecated, and still read by its id", async () => {
    const { Name } = await secretWithOne();
    await put(Name, "b", "second", ["AWSPENDING"]);
    await move(Name, "AWSPENDING", "b", undefined);
    const list = async (IncludeDeprecated: boolean) => {
      const request = { SecretId: Name, IncludeDeprecated };
      const { Versions = [] } = await client.send(new ListSecretVersionIdsCommand(request));
      return Versions.map(({ VersionId }) => VersionId?.[0]).sort();
    };
    expect([await list(false), await list(true)]).toEqual([["a"], ["a", "b"]]);
    expect(await read(Name, { VersionId: token("b") })).toBe("second");
  });
});

describe("writes", () => {
  test("the same token with the same value changes nothing the second time", async () => {
    const { Name } = await secretWithOne();
    await put(Name, "b", "second", ["AWSPENDING"]);
    await move(Name, "AWSCURRENT", "a", "b");
    await move(Name, "AWSPENDING", "b", undefined);
    await put(Name, "b", "second", ["AWSPENDING"]);
    expect(await labels(Name)).toEqual({ AWSCURRENT: "b", AWSPREVIOUS: "a" });
  });

  test("the same token with another value is refused and keeps the first", async () => {
    const { Name } = await secretWithOne();
    await expect(put(Name, "a", "other")).rejects.toMatchObject(refusal("ResourceExistsException"));
    expect(await read(Name)).toBe("first");
  });

  test("a token that is too short is refused", async () => {
    const { Name } = await secretWithOne();
    const request = { SecretId: Name, SecretString: "second", ClientRequestToken: "a".repeat(31) };
    await expect(client.send(new PutSecretValueCommand(request))).rejects.toMatchObject(
      refusal("InvalidParameterException"),
    );
  });

  test("a name is taken once", async () => {
    const { Name } = await secretWithOne();
    await expect(client.send(new CreateSecretCommand({ Name, SecretString: "x" }))).rejects.toMatchObject(
      refusal("ResourceExistsException"),
    );
  });

  test("tags are added, replaced and taken away", async () => {
    const { Name } = await secretWithOne();
    const tag = (Key: string, Value: string) =>
      client.send(new TagResourceCommand({ SecretId: Name, Tags: [{ Key, Value }] }));
    await tag("rekey:strategy", "jwt");
    await tag("owner", "app");
    await tag("rekey:strategy", "redis");
    await client.send(new UntagResourceCommand({ SecretId: Name, TagKeys: ["owner"] }));
    const { Tags } = await client.send(new DescribeSecretCommand({ SecretId: Name }));
    expect(Tags).toEqual([{ Key: "rekey:strategy", Value: "redis" }]);
  });
});

describe("reads", () => {
  test("a secret is found by name, by ARN, and by ARN without its random end", async () => {
    const { Name, ARN } = await secretWithOne();
    expect(ARN).toMatch(
      new RegExp(`^arn:aws:secretsmanager:us-east-1:123456789012:secret:${Name}-[A-Za-z0-9]{6}$`),
    );
    for (const id of [Name, ARN, ARN.slice(0, -7)]) expect(await read(id)).toBe("first");
    for (const id of [ARN.slice(0, -1), Name.slice(0, -1), `${Name}-x`]) {
      await expect(read(id)).rejects.toMatchObject(refusal("ResourceNotFoundException"));
    }
  });

  test("a label and an id given together must agree", async () => {
    const { Name } = await secretWithOne();
    await put(Name, "b", "second", ["AWSPENDING"]);
    expect(await read(Name, { VersionId: token("b"), VersionStage: "AWSPENDING" })).toBe("second");
    await expect(read(Name, { VersionId: token("b"), VersionStage: "AWSCURRENT" })).rejects.toMatchObject(
      refusal("InvalidRequestException"),
    );
  });

  test("an absent label or version is not found", async () => {
    const { Name } = await secretWithOne();
    for (const which of [{ VersionStage: "AWSPENDING" }, { VersionId: token("z") }]) {
      await expect(read(Name, which)).rejects.toMatchObject(refusal("ResourceNotFoundException"));
    }
  });

  test("a secret scheduled for deletion is neither read nor written, is listed only on request, and comes back", async () => {
    const { Name, ARN } = await secretWithOne();
    await client.send(new DeleteSecretCommand({ SecretId: Name, RecoveryWindowInDays: 7 }));
    const attempts = [
      () => read(Name),
      () => put(Name, "b", "second"),
      () => move(Name, "X", undefined, "a"),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject(refusal("InvalidRequestException"));
    }
    const isListed = async (IncludePlannedDeletion: boolean) =>
      (await listAll({ IncludePlannedDeletion })).includes(ARN);
    expect([await isListed(false), await isListed(true)]).toEqual([false, true]);
    await client.send(new RestoreSecretCommand({ SecretId: Name }));
    expect(await read(Name)).toBe("first");
  });

  test("a right that was taken away answers as denied until it is given back", async () => {
    const { Name } = await secretWithOne();
    const { faults } = cloud.secrets.find(Name);
    faults.set("GetSecretValue", new AwsError("AccessDeniedException", "Access to KMS is not allowed"));
    await expect(read(Name)).rejects.toMatchObject(refusal("AccessDeniedException"));
    faults.clear();
    expect(await read(Name)).toBe("first");
  });
});

async function listAll(request: { IncludePlannedDeletion?: boolean; MaxResults?: number; prefix?: string }) {
  const { prefix, ...rest } = request;
  const arns: string[] = [];
  let NextToken: string | undefined;
  do {
    const Filters = prefix ? { Filters: [{ Key: "name" as const, Values: [prefix] }] } : {};
    const page = await client.send(
      new ListSecretsCommand({ ...rest, ...Filters, ...(NextToken ? { NextToken } : {}) }),
    );
    expect(page.SecretList?.length ?? 0).toBeLessThanOrEqual(request.MaxResults ?? 100);
    arns.push(...(page.SecretList ?? []).map(({ ARN = "" }) => ARN));
    NextToken = page.NextToken;
  } while (NextToken);
  return arns;
}

test("pages together list every secret once", async () => {
  for (let index = 0; index < 7; index++) {
    await client.send(new CreateSecretCommand({ Name: `paged/${index}`, SecretString: "x" }));
  }
  const arns = await listAll({ MaxResults: 3, prefix: "paged/" });
  expect(arns.map((arn) => arn.slice(0, -7).split("/").pop()).sort()).toEqual([
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
  ]);
});

test("writes beyond AWS's rate are throttled, and the client's own retries get them through", async () => {
  const throttled = await startCloud({ processes: false, throttles: true });
  const eager = connect(throttled.endpoint);
  const patient = new SecretsManagerClient({
    endpoint: throttled.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "operator", secretAccessKey: "local" },
    retryMode: "standard",
    maxAttempts: 6,
  });
  try {
    throttled.secrets.create("hot", "x");
    const burst = await Promise.allSettled(
      Array.from({ length: 90 }, (_, index) =>
        eager.send(new PutSecretValueCommand({ SecretId: "hot", SecretString: `v${index}` })),
      ),
    );
    const refused = burst.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
    expect(refused.length).toBeGreaterThan(5);
    for (const { reason } of refused) expect(reason).toMatchObject(refusal("ThrottlingException"));
    await patient.send(new PutSecretValueCommand({ SecretId: "hot", SecretString: "last" }));
    const got = await patient.send(new GetSecretValueCommand({ SecretId: "hot" }));
    expect(got.SecretString).toBe("last");
  } finally {
    eager.destroy();
    patient.destroy();
    await throttled.stop();
  }
});
