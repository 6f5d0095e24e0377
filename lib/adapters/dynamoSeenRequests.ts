/** Remembers Slack's requests by their signature (`SEEN#<signature>`, `SLACK`), for as long as one could be sent again. */
import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { REMEMBER_SECONDS } from "../incident/slackSignature.ts";
import type { SeenRequests } from "../incident/slackWork.ts";
import { HURRIED } from "./awsCalls.ts";
import { Table } from "./dynamoTable.ts";

export function dynamoSeenRequests(name: string, client = new DynamoDBClient(HURRIED)): SeenRequests {
  const table = new Table(name, client);
  return {
    async isFirst(signature, now) {
      const key = { pk: `SEEN#${signature}`, sk: "SLACK" };
      const write = randomUUID();
      const expiresAt = Math.floor(now.getTime() / 1000) + REMEMBER_SECONDS;
      const isNew = { that: "attribute_not_exists(pk)" };
      if (await table.put("remember a request of Slack's", { ...key, write, expiresAt }, isNew)) return true;
      // The SDK sends a call again whose answer was lost, and then finds its own work in the way.
      return (await table.get(key))?.["write"] === write;
    },
  };
}
