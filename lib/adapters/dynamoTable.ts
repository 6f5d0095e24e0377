/** One DynamoDB table with the keys `pk` and `sk`, as reads that see every write and writes that say whether their condition held. */
import { ConditionalCheckFailedException, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { awsError } from "./awsCalls.ts";

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

export interface Condition {
  readonly that: string;
  readonly names?: Record<string, string>;
  readonly values?: Record<string, unknown>;
}

type Item = Readonly<Record<string, unknown>>;

export class Table {
  readonly #name: string;
  readonly #documents: DynamoDBDocumentClient;

  constructor(name: string, client: DynamoDBClient) {
    this.#name = name;
    this.#documents = DynamoDBDocumentClient.from(client, {
      marshallOptions: { removeUndefinedValues: true },
    });
  }

  /** @returns whether the condition held */
  put(doing: string, item: Key & Item, condition?: Condition): Promise<boolean> {
    return held(doing, () =>
      this.#documents.send(
        new PutCommand({ TableName: this.#name, Item: item, ...(condition ? expressionOf(condition) : {}) }),
      ),
    );
  }

  /** @returns whether the condition held */
  remove(doing: string, key: Key, condition?: Condition): Promise<boolean> {
    return held(doing, () =>
      this.#documents.send(
        new DeleteCommand({ TableName: this.#name, Key: key, ...(condition ? expressionOf(condition) : {}) }),
      ),
    );
  }

  /** @returns the item as it was before, or undefined if the condition did not hold */
  async update(doing: string, key: Key, expression: string, condition: Condition): Promise<Item | undefined> {
    let before: Item | undefined;
    const isDone = await held(doing, async () => {
      const got = await this.#documents.send(
        new UpdateCommand({
          TableName: this.#name,
          Key: key,
          UpdateExpression: expression,
          ReturnValues: "ALL_OLD",
          ...expressionOf(condition),
        }),
      );
      before = got.Attributes ?? {};
    });
    return isDone ? before : undefined;
  }

  async get(key: Key): Promise<Item | undefined> {
    const got = await this.#documents
      .send(new GetCommand({ TableName: this.#name, Key: key, ConsistentRead: true }))
      .catch((error: unknown) => {
        throw awsError(error, `read ${key.pk} ${key.sk} from table ${this.#name}`);
      });
    return got.Item;
  }

  async query(pk: string, skPrefix?: string): Promise<Item[]> {
    const items: Item[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const request = new QueryCommand({
        TableName: this.#name,
        ConsistentRead: true,
        KeyConditionExpression: skPrefix ? "pk = :pk and begins_with(sk, :sk)" : "pk = :pk",
        ExpressionAttributeValues: { ":pk": pk, ...(skPrefix ? { ":sk": skPrefix } : {}) },
        ...(start ? { ExclusiveStartKey: start } : {}),
      });
      const page = await this.#documents.send(request).catch((error: unknown) => {
        throw awsError(error, `query ${pk} in table ${this.#name}`);
      });
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start);
    return items;
  }
}

function expressionOf({ that, names, values }: Condition) {
  return {
    ConditionExpression: that,
    ...(names ? { ExpressionAttributeNames: names } : {}),
    ...(values ? { ExpressionAttributeValues: values } : {}),
  };
}

async function held(doing: string, send: () => Promise<unknown>): Promise<boolean> {
  try {
    await send();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw awsError(error, doing);
  }
}
