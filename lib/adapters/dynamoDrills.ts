/**
 * Drills, in Rekey's one table:
 *
 *     DRILLS   <run>   when it began, with which secret, and what came of it
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { readDrill } from "../incident/drillRecord.ts";
import type { Drills } from "../incident/drills.ts";
import { CLIENT_OPTIONS } from "./awsCalls.ts";
import { Table } from "./dynamoTable.ts";

const PK = "DRILLS";

export function dynamoDrills(name: string, client = new DynamoDBClient(CLIENT_OPTIONS)): Drills {
  const table = new Table(name, client);
  return {
    async all() {
      return (await table.query(PK)).map(({ drill }) => readDrill(drill));
    },
    begin: (drill) =>
      table.put(
        `keep the drill ${drill.run}`,
        { pk: PK, sk: drill.run, drill },
        { that: "attribute_not_exists(pk)" },
      ),
    async settle(run, result) {
      const before = await table.update(
        `keep what came of the drill ${run}`,
        { pk: PK, sk: run },
        "set #drill.#result = :result",
        {
          that: "attribute_exists(pk) and attribute_not_exists(#drill.#result)",
          names: { "#drill": "drill", "#result": "result" },
          values: { ":result": result },
        },
      );
      return before !== undefined;
    },
  };
}
