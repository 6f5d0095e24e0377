/**
 * Verdicts and episodes of stops, in Rekey's one table. An episode is changed by reading it and writing it back only if
 * nobody wrote in between.
 *
 *     STOP#<event or task>      VERDICT            what was made of it, and of which version
 *     STOPS#<cluster/service>   EPISODE#<cause>    the last episode of that cause, with its message
 *     STOPS#<cluster/service>   RECOVERED          when the service last said that it was well
 */
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { RekeyError } from "../errors.ts";
import { type EpisodeLog, readEpisode, readSettled, type Settled } from "../incident/episodeLog.ts";
import { graver } from "../incident/verdict.ts";
import { CLIENT_OPTIONS } from "./awsCalls.ts";
import { type Condition, type Key, Table } from "./dynamoTable.ts";

/** ECS and EventBridge repeat an event for a day. */
const KEEP_VERDICT_DAYS = 7;
const KEEP_EPISODE_DAYS = 90;
/** Each of them is won by somebody, so that so many are lost only to a crowd. */
const TRIES = 100;

export function dynamoEpisodes(name: string, client = new DynamoDBClient(CLIENT_OPTIONS)): EpisodeLog {
  const table = new Table(name, client);

  /** @returns whether it was written; false also where an answer was lost and the SDK sent the same write twice */
  const write = (key: Key, fields: Readonly<Record<string, unknown>>, rev: number, days: number) =>
    table.put(
      `save ${key.pk} ${key.sk}`,
      { ...key, ...fields, rev: rev + 1, expiresAt: Math.floor(Date.now() / 1000) + days * 86_400 },
      rev === 0 ? IS_NEW : { that: "#rev = :rev", names: { "#rev": "rev" }, values: { ":rev": rev } },
    );

  async function trying<T>(what: string, once: () => Promise<{ readonly is: T } | undefined>): Promise<T> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const done = await once();
      if (done) return done.is;
      await sleep(Math.random() * Math.min(500, 10 * 2 ** tries));
    }
    throw new RekeyError("LEASE_LOST", `others kept writing ${what}`);
  }

  const keptOf = async (id: string) => {
    const item = await table.get(verdictKey(id));
    return (
      item && {
        version: Number(item["version"]),
        rev: Number(item["rev"]),
        verdict: readSettled(item["verdict"]),
      }
    );
  };

  return {
    settle: (id, version, verdict) =>
      trying(`the verdict of ${id}`, async () => {
        const kept = await keptOf(id);
        if (kept && kept.version > version) return { is: undefined };
        if (kept && kept.version === version && !isGraver(verdict, kept.verdict)) return { is: kept.verdict };
        const written = await write(verdictKey(id), { version, verdict }, kept?.rev ?? 0, KEEP_VERDICT_DAYS);
        return written ? { is: verdict } : undefined;
      }),

    async settled(id, version) {
      const kept = await keptOf(id);
      if (kept === undefined || kept.version < version) return undefined;
      return kept.version > version ? "history" : kept.verdict;
    },

    async episodes(service) {
      const items = await table.query(`STOPS#${service}`, "EPISODE#");
      return items.map((item) => readEpisode(item["record"]));
    },

    change: (service, episode, change) =>
      trying(`episode ${episode} of ${service}`, async () => {
        const key = { pk: `STOPS#${service}`, sk: `EPISODE#${episode}` };
        const item = await table.get(key);
        const before = item && readEpisode(item["record"]);
        const after = change(before);
        if (after === before || after === undefined) return { is: before };
        const written = await write(key, { record: after }, Number(item?.["rev"] ?? 0), KEEP_EPISODE_DAYS);
        return written ? { is: after } : undefined;
      }),

    async recover(service, atMs) {
      await table.put(
        `mark ${service} as well again`,
        { pk: `STOPS#${service}`, sk: "RECOVERED", atMs },
        { that: `${IS_NEW.that} or #at < :at`, names: { "#at": "atMs" }, values: { ":at": atMs } },
      );
    },

    async recoveredAt(service) {
      const item = await table.get({ pk: `STOPS#${service}`, sk: "RECOVERED" });
      return item && Number(item["atMs"]);
    },
  };
}

const IS_NEW: Condition = { that: "attribute_not_exists(pk)" };

const verdictKey = (id: string): Key => ({ pk: `STOP#${id}`, sk: "VERDICT" });

function isGraver(now: Settled, before: Settled): boolean {
  if (now.kind !== "alert" || before.kind !== "alert") return false;
  return now.severity !== before.severity && graver(now.severity, before.severity) === now.severity;
}
