/** Verdicts and episodes in the table: nothing is judged twice, and no count is lost to another writer. */
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dynamoEpisodes } from "../../lib/adapters/dynamoEpisodes.ts";
import type { EpisodeLog, Settled } from "../../lib/incident/episodeLog.ts";
import { countStop } from "../../lib/incident/stopEpisode.ts";
import { type Alert, alert, planned } from "../../lib/incident/verdict.ts";
import { createTable } from "../demo/world.ts";
import { stopOf } from "../incident/stops.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

let cloud: Cloud;
let client: DynamoDBClient;
let log: EpisodeLog;
beforeAll(async () => {
  cloud = await startCloud({ processes: false });
  const options = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  };
  client = new DynamoDBClient(options);
  await createTable(options, "stops");
  log = dynamoEpisodes("stops", client);
});
afterAll(async () => {
  client?.destroy();
  await cloud?.stop();
});

const crash = (severity: Alert["severity"]): Alert =>
  alert({ severity, cause: "application error", container: "app", says: "it ended", lookAt: ["logs"] });

test("the first verdict of a version stays, a graver one takes its place, a later version takes both", async () => {
  const quiet: Settled = planned("a deployment");
  expect(await log.settled("t1", 5)).toBeUndefined();
  expect(await log.settle("t1", 5, crash("P3"))).toEqual(crash("P3"));
  expect(await log.settle("t1", 5, quiet)).toEqual(crash("P3"));
  expect(await log.settle("t1", 5, crash("P4"))).toEqual(crash("P3"));
  expect(await log.settle("t1", 5, crash("P2"))).toEqual(crash("P2"));
  expect(await log.settled("t1", 5)).toEqual(crash("P2"));
  expect(await log.settled("t1", 6)).toBeUndefined();
  expect(await log.settle("t1", 6, quiet)).toEqual(quiet);
  expect(await log.settled("t1", 5)).toBe("history");
  expect(await log.settle("t1", 5, crash("P1"))).toBeUndefined();
});

test("of twenty that judge the same stop at once, all go by one verdict", async () => {
  const verdicts = Array.from({ length: 20 }, (_, nth): Settled => planned(`reason ${nth}`));
  const settled = await Promise.all(verdicts.map((verdict) => log.settle("t2", 1, verdict)));
  expect(new Set(settled.map((one) => JSON.stringify(one))).size).toBe(1);
});

test("of thirty that count at once, none is lost", async () => {
  const counting = Array.from({ length: 30 }, (_, task) =>
    log.change("shop/a", "x", (before) => ({
      replies: 0,
      ...before,
      episode: countStop(before?.episode, stopOf({ task }), crash("P3")),
    })),
  );
  await Promise.all(counting);
  expect((await log.episodes("shop/a")).map(({ episode }) => episode.stops.length)).toEqual([30]);
});

test("a service is well again as of the latest word, whichever came last", async () => {
  expect(await log.recoveredAt("shop/a")).toBeUndefined();
  await log.recover("shop/a", 2_000);
  await log.recover("shop/a", 1_000);
  expect(await log.recoveredAt("shop/a")).toBe(2_000);
});

test("a record that does not read back whole is not acted upon", async () => {
  const Item = { pk: { S: "STOPS#shop/b" }, sk: { S: "EPISODE#x" }, record: { M: { replies: { N: "0" } } } };
  await client.send(new PutItemCommand({ TableName: "stops", Item }));
  await expect(log.episodes("shop/b")).rejects.toMatchObject({ code: "RECORD_INVALID" });
});
