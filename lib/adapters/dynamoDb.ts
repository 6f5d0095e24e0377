/**
 * Intents, leases and histories in one DynamoDB table (`pk`, `sk`), every write conditional. A run and its rotations
 * share a partition, so that one query loads them; what is open stands under `OPEN`, which is empty on a quiet day.
 *
 *     RUN#<run id>   RUN                    the run
 *     RUN#<run id>   ROTATION#<secret arn>  one rotation of it
 *     RUN#<run id>   LEASE                  who drives it, until when
 *     OPEN           RUN#<run id>           runs that are not done
 *     OPEN           ACTIVE                 the one run that others must not start beside
 *     CLAIM          <secret arn>           the run that has this secret's rotation open
 *     HISTORY        <secret arn>           what outlives the runs
 */
import { ConditionalCheckFailedException, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { RekeyError } from "../errors.ts";
import { type Rotation, type RotationLog, type Run, readRecord } from "../rotation/intent.ts";
import { awsError, CLIENT_OPTIONS } from "./awsCalls.ts";

/** Finished runs are kept for the post-mortem and the audit, then DynamoDB's TTL removes them. */
const KEEP_DAYS = 400;
const ACTIVE = { pk: "OPEN", sk: "ACTIVE" } as const;

interface Key {
  readonly pk: string;
  readonly sk: string;
}

export function dynamoRotationLog(table: string, client = new DynamoDBClient(CLIENT_OPTIONS)): RotationLog {
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });

  /** @returns whether the condition held */
  async function attempt(doing: string, send: () => Promise<unknown>): Promise<boolean> {
    try {
      await send();
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw awsError(error, doing);
    }
  }

  const put = (
    doing: string,
    item: Key & Readonly<Record<string, unknown>>,
    condition?: string,
    names?: Record<string, string>,
    values?: Record<string, unknown>,
  ) =>
    attempt(doing, () =>
      documents.send(
        new PutCommand({
          TableName: table,
          Item: item,
          ...(condition ? { ConditionExpression: condition } : {}),
          ...(names ? { ExpressionAttributeNames: names } : {}),
          ...(values ? { ExpressionAttributeValues: values } : {}),
        }),
      ),
    );

  const remove = (
    doing: string,
    key: Key,
    names: Record<string, string>,
    condition: string,
    values: Record<string, unknown>,
  ) =>
    attempt(doing, () =>
      documents.send(
        new DeleteCommand({
          TableName: table,
          Key: key,
          ConditionExpression: condition,
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: values,
        }),
      ),
    );

  async function get(key: Key): Promise<Record<string, unknown> | undefined> {
    const got = await documents
      .send(new GetCommand({ TableName: table, Key: key, ConsistentRead: true }))
      .catch((error: unknown) => {
        throw awsError(error, `read ${key.pk} ${key.sk} from table ${table}`);
      });
    return got.Item;
  }

  async function query(pk: string, skPrefix?: string): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const request = new QueryCommand({
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: skPrefix ? "pk = :pk and begins_with(sk, :sk)" : "pk = :pk",
        ExpressionAttributeValues: { ":pk": pk, ...(skPrefix ? { ":sk": skPrefix } : {}) },
        ...(start ? { ExclusiveStartKey: start } : {}),
      });
      const page = await documents.send(request).catch((error: unknown) => {
        throw awsError(error, `query ${pk} in table ${table}`);
      });
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start);
    return items;
  }

  /** Writes the record only if nobody wrote it since it was read. */
  async function save<Record_ extends { readonly rev: number }>(
    key: Key,
    record: Record_,
    expiresAt?: number,
  ): Promise<Record_> {
    const next = { ...record, rev: record.rev + 1 };
    const written = await put(
      `save ${key.sk}`,
      { ...key, record: next, rev: next.rev, ...(expiresAt === undefined ? {} : { expiresAt }) },
      record.rev === 0 ? "attribute_not_exists(pk)" : "#rev = :rev",
      record.rev === 0 ? undefined : { "#rev": "rev" },
      record.rev === 0 ? undefined : { ":rev": record.rev },
    );
    if (!written) throw new RekeyError("LEASE_LOST", `another worker wrote ${key.sk} first; this one stops`);
    return next;
  }

  return {
    async begin(run) {
      const known = await get({ pk: `RUN#${run.runId}`, sk: "RUN" });
      if (known) return { begun: false, runId: run.runId };
      // The pointer before the run: the other order could leave a run that nobody is told to advance.
      const won = await put(
        "begin a run",
        { ...ACTIVE, runId: run.runId, since: run.createdAt },
        "attribute_not_exists(pk)",
      );
      if (!won) {
        const active = await get(ACTIVE);
        const runId = String(active?.["runId"] ?? "");
        const record = runId === "" ? undefined : await get({ pk: `RUN#${runId}`, sk: "RUN" });
        if (record || runId === "" || isRecent(active?.["since"], run.createdAt))
          return { begun: false, runId };
        // A process died between the pointer and its run. The pointer promises nothing, so it is taken over.
        await this.closeRun(runId);
        await remove("clear a pointer without a run", ACTIVE, { "#run": "runId" }, "#run = :run", {
          ":run": runId,
        });
        return this.begin(run);
      }
      await put(`open run ${run.runId}`, { pk: "OPEN", sk: `RUN#${run.runId}` });
      await save({ pk: `RUN#${run.runId}`, sk: "RUN" }, run);
      return { begun: true };
    },

    async run(runId) {
      const item = await get({ pk: `RUN#${runId}`, sk: "RUN" });
      return item && readRecord("run", item["record"]);
    },

    async openRuns() {
      const items = await query("OPEN", "RUN#");
      return items.map(({ sk }) => String(sk).slice("RUN#".length));
    },

    async rotations(runId) {
      const items = await query(`RUN#${runId}`, "ROTATION#");
      return items.map((item) => readRecord("rotation", item["record"]));
    },

    async saveRun(run: Run) {
      const over = run.status === "done" || run.status === "refused";
      const expiresAt = over ? Math.floor(Date.parse(run.createdAt) / 1000) + KEEP_DAYS * 86_400 : undefined;
      const saved = await save({ pk: `RUN#${run.runId}`, sk: "RUN" }, run, expiresAt);
      if (over || run.status === "waiting") {
        await remove("clear the way for other runs", ACTIVE, { "#run": "runId" }, "#run = :run", {
          ":run": run.runId,
        });
      }
      return saved;
    },

    async closeRun(runId) {
      await attempt(`close run ${runId}`, () =>
        documents.send(new DeleteCommand({ TableName: table, Key: { pk: "OPEN", sk: `RUN#${runId}` } })),
      );
    },

    async saveRotation(rotation: Rotation) {
      return save({ pk: `RUN#${rotation.runId}`, sk: `ROTATION#${rotation.secretArn}` }, rotation);
    },

    async claim(rotation) {
      const key = { pk: "CLAIM", sk: rotation.secretArn };
      const won = await put(
        `claim ${rotation.secretArn}`,
        { ...key, runId: rotation.runId },
        "attribute_not_exists(pk) or #run = :run",
        { "#run": "runId" },
        { ":run": rotation.runId },
      );
      return won ? undefined : String((await get(key))?.["runId"] ?? "unknown");
    },

    async claims() {
      const items = await query("CLAIM");
      return new Map(items.map((item) => [String(item["sk"]), String(item["runId"])]));
    },

    async release(rotation) {
      await remove(
        `release ${rotation.secretArn}`,
        { pk: "CLAIM", sk: rotation.secretArn },
        { "#run": "runId" },
        "#run = :run",
        { ":run": rotation.runId },
      );
    },

    async remember(secretArn, history) {
      await put(`remember ${secretArn}`, { pk: "HISTORY", sk: secretArn, record: history });
    },

    async history(secretArn) {
      const item = await get({ pk: "HISTORY", sk: secretArn });
      return item ? readRecord("history", item["record"]) : { credentials: {} };
    },

    async histories() {
      const items = await query("HISTORY");
      return new Map(items.map((item) => [String(item["sk"]), readRecord("history", item["record"])]));
    },

    async lease(runId, holder, now, seconds) {
      return put(
        `lease run ${runId}`,
        { pk: `RUN#${runId}`, sk: "LEASE", holder, until: now.getTime() + seconds * 1000 },
        "attribute_not_exists(pk) or #holder = :holder or #until < :now",
        { "#holder": "holder", "#until": "until" },
        { ":holder": holder, ":now": now.getTime() },
      );
    },

    async unlease(runId, holder) {
      await remove(
        `give back the lease of run ${runId}`,
        { pk: `RUN#${runId}`, sk: "LEASE" },
        { "#holder": "holder" },
        "#holder = :holder",
        { ":holder": holder },
      );
    },
  };
}

/** How long a run's record may take to follow its pointer. */
const POINTER_GRACE_MS = 60_000;

function isRecent(since: unknown, now: string): boolean {
  return typeof since === "string" && Date.parse(now) - Date.parse(since) < POINTER_GRACE_MS;
}
