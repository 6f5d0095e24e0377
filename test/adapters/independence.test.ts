/**
 * Rekey's built handler against clouds that share no code with the local one: another Secrets Manager, an ECS that has no
 * service deployments, and neither IAM nor Slack. What a live task holds is tried at the real PostgreSQL all the time.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";
import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Report } from "../../lib/rotation/report.ts";
import { builtHandlers } from "../builtHandlers.ts";
import { type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { ClassicEcs, type Manners } from "./classicEcs.ts";
import { ClassicSecrets, Refusal } from "./classicSecrets.ts";

const TABLE = "rotations";
const FIRST = "first-Password-0123456789-0123456789-012345";
const CREDENTIALS = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "any", AWS_SECRET_ACCESS_KEY: "any" };

let postgres: PostgresServer;
let rotateAll: string;
beforeAll(async () => {
  const [server, bundles] = await Promise.all([startPostgres(), builtHandlers()]);
  postgres = server;
  rotateAll = bundles["rotateAll"] ?? "";
});
afterAll(async () => {
  await postgres?.stop();
});
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startCloud(manners: Manners) {
  const secrets = new ClassicSecrets();
  const ecs = new ClassicEcs(manners, (arn) => secrets.current(arn));
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const [service = "", operation = ""] = String(request.headers["x-amz-target"] ?? "").split(".");
    const say = (status: number, body: string) =>
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(body);
    const one = { secretsmanager: secrets, AmazonEC2ContainerServiceV20141113: ecs }[service];
    try {
      const answered = one?.answer(operation, JSON.parse(Buffer.concat(chunks).toString("utf8")));
      if (answered) say(200, JSON.stringify(answered));
      else say(manners.unknown.status, manners.unknown.body);
    } catch (error) {
      const type = error instanceof Refusal ? error.type : "ServerException";
      say(400, JSON.stringify({ __type: type, message: String(error) }));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  const dynamo = dynalite({ createTableMs: 0 });
  dynamo.listen(0, "127.0.0.1");
  await once(dynamo, "listening");
  closers.push(
    () => dynamo.close(),
    () => dynamo.closeAllConnections?.(),
  );
  const env = {
    ...CREDENTIALS,
    AWS_ENDPOINT_URL: urlOf(server.address()),
    AWS_ENDPOINT_URL_DYNAMODB: urlOf(dynamo.address()),
  };
  await createTable(env.AWS_ENDPOINT_URL_DYNAMODB);
  return { secrets, ecs, env };
}

const urlOf = (address: unknown) => `http://127.0.0.1:${(address as { port: number }).port}`;

async function createTable(endpoint: string): Promise<void> {
  const credentials = { accessKeyId: "any", secretAccessKey: "any" };
  const client = new DynamoDBClient({ endpoint, region: "us-east-1", credentials });
  const keys = ["pk", "sk"];
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: keys.map((AttributeName, place) => ({
        AttributeName,
        KeyType: place === 0 ? "HASH" : "RANGE",
      })),
    }),
  );
  client.destroy();
}

/** The handler as Lambda runs it: its bundle in a process of its own, an event in, a report out. */
async function invoke(env: Readonly<Record<string, string>>, event: object): Promise<Report> {
  const program = `
    const { handler } = require(process.argv[1]);
    const context = { awsRequestId: "one", getRemainingTimeInMillis: () => 600_000 };
    process.once("message", (event) => handler(event, context).then(
      (report) => process.send({ report }), (error) => process.send({ error: error.code + ": " + error.message }),
    ).finally(() => process.disconnect()));`;
  const child = spawn(process.execPath, ["-e", program, rotateAll], {
    env: {
      ...env,
      REKEY_TABLE: TABLE,
      REKEY_ROLLOUT_SECONDS: "12",
      REKEY_POLL_MS: "200",
      REKEY_SETTLE_SECONDS: "1",
    },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  closers.push(() => child.kill("SIGKILL"));
  const answered = once(child, "message");
  child.send(event);
  const [{ report, error }] = await answered;
  if (error) throw new Error(error);
  return report;
}

async function isRefused({ username, password }: { username: string; password: string }): Promise<boolean> {
  const { host, port } = postgres;
  const client = new pg.Client({ host, port, user: username, password, database: "postgres" });
  client.on("error", () => {});
  try {
    await client.connect();
    return false;
  } catch {
    return true;
  } finally {
    await client.end().catch(() => {});
  }
}

const html = "<html><body><h1>Not Found</h1></body></html>";
const clouds: Record<string, Manners> = {
  "a terse one, its clock two seconds behind, that answers 404 to what it does not know": {
    clockMs: -2_000,
    unknown: { status: 404, body: html },
    isTerse: true,
  },
  "one with its clock two seconds ahead, that answers InvalidAction": {
    clockMs: 2_000,
    unknown: { status: 400, body: '{"__type":"InvalidAction","message":"Could not find operation"}' },
    isTerse: false,
  },
  "one that answers 501 without a word": { clockMs: 0, unknown: { status: 501, body: "" }, isTerse: true },
};

test.each(Object.entries(clouds))(
  "everything rotates in a cloud that is not ours: %s",
  async (_kind, manners) => {
    await postgres.query(`
    drop role if exists app_a; drop role if exists app_b; drop role if exists app;
    create role app nologin; create role app_b nologin;
    create role app_a login password '${FIRST}'; grant app to app_a, app_b; alter role app_a set role = app`);
    const { secrets, ecs, env } = await startCloud(manners);
    secrets.add("town/admin", postgres.admin);
    const key = (letter: string) => letter.repeat(64);
    const token = secrets.add(
      "town/token",
      { alg: "HS256", current: key("a"), next: key("b") },
      { "rekey:strategy": "jwt", "rekey:grace": "1", "rekey:skew": "0", "rekey:not-after": "honoured" },
    );
    const database = secrets.add(
      "town/database",
      { host: postgres.host, port: postgres.port, dbname: "postgres", username: "app_a", password: FIRST },
      { "rekey:strategy": "postgres", "rekey:admin": "town/admin" },
    );
    ecs.add("shop", 2, [token, database]);
    ecs.add("mill", 1, [token]);
    await expect
      .poll(() => [...ecs.services.values()].every(({ deployments }) => deployments[0]?.isDone))
      .toBe(true);
    const plan = await invoke(env, { dryRun: true });
    expect(plan.secrets.map(({ name, outcome }) => [name, outcome])).toEqual([
      ["town/database", "planned"],
      ["town/token", "planned"],
    ]);

    const cutOff: string[] = [];
    let tries = 0;
    const watch = setInterval(async () => {
      for (const { arn, held } of ecs.live) {
        const text = held.get(database);
        const wasRefused = text !== undefined && (await isRefused(JSON.parse(text)));
        tries += 1;
        // One that ended while its login was tried is nobody's loss.
        if (wasRefused && ecs.live.some((task) => task.arn === arn)) cutOff.push(arn);
      }
    }, 150);
    closers.push(() => clearInterval(watch));
    const deploymentsBefore = ecs.deploymentsMade;
    const report = await invoke(env, {});
    clearInterval(watch);

    expect(report.secrets.map(({ name, outcome, oldRefused }) => [name, outcome, oldRefused])).toEqual([
      ["town/database", "rotated", true],
      ["town/token", "rotated", true],
    ]);
    expect(
      report.services.map(({ service, status, tasksReplaced }) => [service, status, tasksReplaced]),
    ).toEqual([
      ["old-town/mill", "succeeded", 1],
      ["old-town/shop", "succeeded", 2],
    ]);
    expect(ecs.deploymentsMade - deploymentsBefore).toBe(2);
    expect(JSON.parse(secrets.current(database))).toMatchObject({ username: "app_b", host: postgres.host });
    expect(JSON.parse(secrets.current(token))).toMatchObject({ current: key("b"), previous: key("a") });
    expect(await isRefused({ username: "app_a", password: FIRST })).toBe(true);
    expect(secrets.vaults.filter(({ holderOf }) => holderOf.has("AWSPENDING"))).toEqual([]);
    expect(tries).toBeGreaterThan(10);
    expect(cutOff).toEqual([]);
  },
  90_000,
);
