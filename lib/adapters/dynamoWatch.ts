/**
 * What the detection knows, in the same table as the rotations:
 *
 *     WATCHED#<account>          <principal>        what is kept of a principal, packed
 *     WAITING#<account>          <principal>        of whom something is held back, or still to be told
 *     USUAL#<account>#<subject>  <fact>             first and last sighting, for ninety days
 *     ACCOUNT#<account>          SEEDED, KNOWN      when the history was read whole; what is known besides records
 *     SUPPRESSED#<account>       <digest>           what somebody said is expected
 */
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KEPT_MS, merged, type Sighting, type Usual } from "../detection/history.ts";
import { pack, packKnown, unpack, unpackKnown } from "../detection/packed.ts";
import { NOBODY_WATCHED } from "../detection/state.ts";
import type { Suppression } from "../detection/suppression.ts";
import type { Kept, WatchStore } from "../detection/watchStore.ts";
import { RekeyError } from "../errors.ts";
import { CLIENT_OPTIONS } from "./awsCalls.ts";
import { type Condition, type Key, Table } from "./dynamoTable.ts";

/** The longest that a rule looks back, and the delay of records, with room to spare. */
const KEEP_SECONDS = 3 * 86_400;
/** Of what is seen all day long, the last time need not be known to the minute, except where a read is waited for. */
const COARSE_MS = 3_600_000;
const AT_ONCE = 16;
const MOST_TRIES = 20;

export function dynamoWatchStore(tableName: string, client = new DynamoDBClient(CLIENT_OPTIONS)): WatchStore {
  const table = new Table(tableName, client);
  const secondsFrom = (ms: number) => Math.floor(ms / 1000);

  return {
    async kept(account, principal) {
      const item = await table.get({ pk: `WATCHED#${account}`, sk: principal });
      if (item === undefined) return { watched: NOBODY_WATCHED, told: [], rev: 0 };
      const body = gunzipSync(item["body"] as Uint8Array).toString("utf8");
      return { ...unpack(body), rev: Number(item["rev"]) };
    },

    async keep(account, principal, { watched, told, rev }: Kept, isWaiting) {
      const key = { pk: `WATCHED#${account}`, sk: principal };
      const waiting = { pk: `WAITING#${account}`, sk: principal };
      const expiresAt = secondsFrom(Date.now()) + KEEP_SECONDS;
      // On the list before, and off it afterwards: whoever dies in between is looked at once too often.
      if (isWaiting) await table.put("list who is waited for", { ...waiting, expiresAt });
      const body = gzipSync(pack(watched, told));
      const isKept = await table.put(
        "keep what was seen",
        { ...key, rev: rev + 1, body, expiresAt },
        rev === 0
          ? { that: "attribute_not_exists(pk)" }
          : { that: "#rev = :rev", names: { "#rev": "rev" }, values: { ":rev": rev } },
      );
      if (isKept && !isWaiting) await table.remove("take off the list", waiting);
      return isKept;
    },

    async waiting(account) {
      const items = await table.query(`WAITING#${account}`);
      return items.map(({ sk }) => String(sk));
    },

    async usual(account, subjects) {
      const seen = new Map<string, ReadonlyMap<string, Sighting>>();
      await inTurns([...new Set(subjects)], async (subject) => {
        const items = await table.query(`USUAL#${account}#${subject}`);
        seen.set(subject, new Map(items.map((item) => [String(item["sk"]), sightingOf(item)])));
      });
      const seededAtMs = await this.seededAtMs(account);
      return { seen, ...(seededAtMs === undefined ? {} : { seededAtMs }) } satisfies Usual;
    },

    async learn(account, news) {
      const rows = [...news].flatMap(([subject, facts]) =>
        [...facts].map(([fact, sighting]) => ({
          key: { pk: `USUAL#${account}#${subject}`, sk: fact },
          sighting,
        })),
      );
      await inTurns(rows, ({ key, sighting }) => learnOne(key, sighting));
    },

    async seededAtMs(account) {
      const item = await table.get({ pk: `ACCOUNT#${account}`, sk: "SEEDED" });
      return item && Number(item["atMs"]);
    },

    async seeded(account, atMs) {
      await table.put("say that the history was read", { pk: `ACCOUNT#${account}`, sk: "SEEDED", atMs });
    },

    async known(account) {
      const item = await table.get({ pk: `ACCOUNT#${account}`, sk: "KNOWN" });
      return item && unpackKnown(gunzipSync(item["body"] as Uint8Array).toString("utf8"));
    },

    async keepKnown(account, known) {
      const body = gzipSync(packKnown(known));
      await table.put("keep what is known", { pk: `ACCOUNT#${account}`, sk: "KNOWN", body });
    },

    async suppressions(account) {
      const items = await table.query(`SUPPRESSED#${account}`);
      return items.map((item) => item["record"] as Suppression);
    },

    async suppress(account, suppression) {
      const { principal, secret, rule } = suppression;
      const sk = createHash("sha256")
        .update(JSON.stringify([principal, secret, rule]))
        .digest("base64url");
      const expiresAt = secondsFrom(suppression.untilMs) + 8 * 86_400;
      await table.put("keep a rule quiet", {
        pk: `SUPPRESSED#${account}`,
        sk,
        record: suppression,
        expiresAt,
      });
    },
  };

  /** Merged with what stands there by then, and again if somebody was quicker. */
  async function learnOne(key: Key, news: Sighting): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const item = await table.get(key);
      const before = item && sightingOf(item);
      const next = merged(before, news);
      if (before && isAsGood(key.sk, before, next)) return;
      const isLearnt = await table.put(
        "learn what is usual",
        { ...key, ...next, expiresAt: secondsFrom(next.lastMs + KEPT_MS) },
        before ? unchangedSince(before) : { that: "attribute_not_exists(pk)" },
      );
      if (isLearnt) return;
    }
    throw new RekeyError(
      "AWS_FAILED",
      `${key.pk} ${key.sk} was changed by others ${MOST_TRIES} times in a row`,
    );
  }
}

function isAsGood(fact: string, before: Sighting, next: Sighting): boolean {
  const isExact = fact.startsWith("reads ");
  return (
    before.firstMs === next.firstMs &&
    before.most === next.most &&
    next.lastMs - before.lastMs < (isExact ? 1 : COARSE_MS)
  );
}

const unchangedSince = ({ firstMs, lastMs, most }: Sighting): Condition => ({
  that: `firstMs = :first and lastMs = :last and ${most === undefined ? "attribute_not_exists(most)" : "most = :most"}`,
  values: { ":first": firstMs, ":last": lastMs, ...(most === undefined ? {} : { ":most": most }) },
});

function sightingOf(item: Readonly<Record<string, unknown>>): Sighting {
  const { firstMs, lastMs, most } = item as { firstMs: number; lastMs: number; most?: number };
  return { firstMs, lastMs, ...(most === undefined ? {} : { most }) };
}

async function inTurns<Of>(all: readonly Of[], work: (one: Of) => Promise<void>): Promise<void> {
  for (let start = 0; start < all.length; start += AT_ONCE)
    await Promise.all(all.slice(start, start + AT_ONCE).map(work));
}
