/**
 * Writes an invocation of ours down before it reads a secret, and marks each of its calls, so that whoever watches CloudTrail
 * can tell them from calls that somebody else makes with our credentials:
 *
 *     INVOCATIONS   <time>#<invocation>   until when it may run
 *
 * The mark stands in the user agent because that is the one thing of a call that CloudTrail shows and the caller chooses.
 * Request ids would need no mark, but are known only after the call, when a process may have died.
 */
import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Span } from "../detection/known.ts";
import { CLIENT_OPTIONS } from "./awsCalls.ts";
import { Table } from "./dynamoTable.ts";

/** The longest that Lambda lets an invocation run. */
const LONGEST_MS = 900_000;
/** Records are a few minutes late, seldom an hour. */
const KEEP_SECONDS = 2 * 86_400;

export interface CallLedger {
  /** Done once for each invocation. @throws RekeyError AWS_*: then nothing may be read */
  open(): Promise<void>;
  /** Another one for each call. */
  mark(): string;
}

export function callLedger(tableName: string, client = new DynamoDBClient(CLIENT_OPTIONS)): CallLedger {
  const table = new Table(tableName, client);
  const invocation = randomUUID();
  let opened: Promise<unknown> | undefined;
  let calls = 0;
  return {
    async open() {
      const from = new Date();
      const until = from.getTime() + LONGEST_MS;
      opened ??= table.put("write this invocation down", {
        pk: "INVOCATIONS",
        sk: `${from.toISOString()}#${invocation}`,
        fromMs: from.getTime(),
        toMs: until,
        expiresAt: Math.floor(until / 1000) + KEEP_SECONDS,
      });
      await opened;
    },
    mark: () => `rekey/${invocation}.${++calls}`,
  };
}

export async function invocationsIn(
  tableName: string,
  client = new DynamoDBClient(CLIENT_OPTIONS),
): Promise<ReadonlyMap<string, Span>> {
  const items = await new Table(tableName, client).query("INVOCATIONS");
  return new Map(
    items.map(({ sk, fromMs, toMs }) => [
      String(sk).split("#")[1] ?? "",
      { fromMs: Number(fromMs), toMs: Number(toMs) },
    ]),
  );
}
