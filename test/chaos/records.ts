/** Rekey's own records, read past its code: what is still open, and what a run came to. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Rotation, Run } from "../../lib/rotation/intent.ts";
import type { SmallWorld } from "./smallWorld.ts";

type Item = Readonly<Record<string, unknown>>;

export class Records {
  readonly #client: DynamoDBClient;
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: SmallWorld["client"], table: string) {
    this.#table = table;
    this.#client = new DynamoDBClient(client);
    this.#documents = DynamoDBDocumentClient.from(this.#client);
  }

  /** Everything that a finished run must have given free. */
  async open(): Promise<{ readonly runIds: readonly string[]; readonly held: readonly string[] }> {
    const [open, claims] = await Promise.all([this.#query("OPEN"), this.#query("CLAIM")]);
    const names = open.map(({ sk }) => String(sk));
    return {
      runIds: names.filter((name) => name.startsWith("RUN#")).map((name) => name.slice("RUN#".length)),
      held: [...names.map((name) => `OPEN ${name}`), ...claims.map(({ sk }) => `CLAIM ${sk}`)],
    };
  }

  async run(runId: string): Promise<{ readonly run?: Run; readonly rotations: readonly Rotation[] }> {
    const items = await this.#query(`RUN#${runId}`);
    const run = items.find(({ sk }) => sk === "RUN")?.["record"] as Run | undefined;
    const rotations = items.filter(({ sk }) => String(sk).startsWith("ROTATION#"));
    return { ...(run ? { run } : {}), rotations: rotations.map(({ record }) => record as Rotation) };
  }

  /** As if the minute had passed for which a pointer is trusted without its run. @returns whether there was one */
  async agePointer(): Promise<boolean> {
    const pointer = (await this.#query("OPEN")).find(({ sk }) => sk === "ACTIVE");
    if (!pointer) return false;
    const Item = { ...pointer, since: new Date(Date.now() - 61_000).toISOString() };
    await this.#documents.send(new PutCommand({ TableName: this.#table, Item }));
    return true;
  }

  /** As if the lease of a worker that died had run out. */
  async ageLease(runId: string): Promise<void> {
    const lease = (await this.#query(`RUN#${runId}`)).find(({ sk }) => sk === "LEASE");
    if (lease?.["until"] === undefined) return;
    await this.#documents.send(new PutCommand({ TableName: this.#table, Item: { ...lease, until: 0 } }));
  }

  stop(): void {
    this.#client.destroy();
  }

  async #query(pk: string): Promise<readonly Item[]> {
    const { Items = [] } = await this.#documents.send(
      new QueryCommand({
        TableName: this.#table,
        ConsistentRead: true,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": pk },
      }),
    );
    return Items;
  }
}
