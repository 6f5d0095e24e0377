/**
 * Cursors of the scan in Rekey's table, beside the rotations' records.
 *
 *     ACCESS#<account>/<region>   CURSOR#live       how far the event history was read
 *     ACCESS#<account>/<region>   CURSOR#seed       the same for what was there before Rekey
 *     ACCESS#<account>/<region>   SEEN#<revision>   a lot of ids that may be met again
 */
import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Cursor, Remembered } from "../detection/cursor.ts";
import { type CursorStore, readCursor } from "../detection/cursorStore.ts";
import { CLIENT_OPTIONS } from "./awsCalls.ts";
import { type Condition, type Key, Table } from "./dynamoTable.ts";

/** Lots are dropped by the scan itself; this is for the account that Rekey leaves. */
const KEEP_LOTS_DAYS = 2;

export function dynamoCursors(name: string, client = new DynamoDBClient(CLIENT_OPTIONS)): CursorStore {
  const table = new Table(name, client);
  return {
    async read(place, kind) {
      const item = await table.get(cursorKey({ place, kind }));
      return item && readCursor(item["cursor"]);
    },

    async save(cursor) {
      const key = cursorKey(cursor);
      const next = { ...cursor, rev: cursor.rev + 1 };
      const write = randomUUID();
      const item = { ...key, cursor: next, rev: next.rev, write };
      const isWritten = await table.put(`save ${key.pk} ${key.sk}`, item, isAt(cursor.rev));
      // The SDK sends a call again whose answer was lost, and then finds its own work in the way.
      return isWritten || (await table.get(key))?.["write"] === write ? next : undefined;
    },

    async file({ place, rev, recent }) {
      const newestMs = Math.max(...Object.values(recent));
      const key = lotKey(place, rev);
      await table.put(`file ${key.pk} ${key.sk}`, {
        ...key,
        ids: recent,
        newestMs,
        expiresAt: Math.ceil(newestMs / 1000) + KEEP_LOTS_DAYS * 86_400,
      });
    },

    async filed(place) {
      const lots = await table.query(pkOf(place), "SEEN#");
      return lots.map(({ ids }) => ids as Remembered);
    },

    async forget(place, beforeMs) {
      const lots = await table.query(pkOf(place), "SEEN#");
      for (const { pk, sk, newestMs } of lots) {
        if (Number(newestMs) >= beforeMs) continue;
        await table.remove(`forget ${pk} ${sk}`, { pk: String(pk), sk: String(sk) });
      }
    },
  };
}

const pkOf = (place: string) => `ACCESS#${place}`;
const cursorKey = ({ place, kind }: Pick<Cursor, "place" | "kind">): Key => ({
  pk: pkOf(place),
  sk: `CURSOR#${kind}`,
});
const lotKey = (place: string, rev: number): Key => ({
  pk: pkOf(place),
  sk: `SEEN#${String(rev).padStart(12, "0")}`,
});

const isAt = (rev: number): Condition =>
  rev === 0
    ? { that: "attribute_not_exists(pk)" }
    : { that: "#rev = :rev", names: { "#rev": "rev" }, values: { ":rev": rev } };
