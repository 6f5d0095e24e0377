/** Who is at what was asked for in Slack, and what was done: `ANSWER#<digest of what>`, `SLACK`. */
import { createHash } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Answers } from "../incident/answers.ts";
import { CLIENT_OPTIONS } from "./awsCalls.ts";
import { Table } from "./dynamoTable.ts";

/** A second click after this long is meant. */
const DONE_MS = 10 * 60_000;
const KEEP_SECONDS = 86_400;

export function dynamoAnswers(name: string, client = new DynamoDBClient(CLIENT_OPTIONS)): Answers {
  const table = new Table(name, client);
  const keyOf = (key: string) => ({
    pk: `ANSWER#${createHash("sha256").update(key).digest("base64url")}`,
    sk: "SLACK",
  });
  const expiresAt = () => Math.floor(Date.now() / 1000) + KEEP_SECONDS;
  return {
    begin: (key, workId, until) =>
      table.put(
        "take what was asked for in Slack",
        { ...keyOf(key), workId, untilMs: until.getTime(), isDone: false, expiresAt: expiresAt() },
        {
          that: "attribute_not_exists(pk) or untilMs < :now or (workId = :work and isDone = :no)",
          values: { ":now": Date.now(), ":work": workId, ":no": false },
        },
      ),
    async finish(key, workId) {
      const done = { workId, untilMs: Date.now() + DONE_MS, isDone: true, expiresAt: expiresAt() };
      await table.put("say that it was done", { ...keyOf(key), ...done }, own(workId));
    },
    async giveUp(key, workId) {
      await table.remove("give back what was asked for in Slack", keyOf(key), own(workId));
    },
  };
}

const own = (workId: string) => ({ that: "workId = :work", values: { ":work": workId } });
