/** A small world with a door in front of everything, processes to run in it, and the monitor on. */

import { watchInvariant } from "./monitor.ts";
import { Injector } from "./points.ts";
import { postgresConversation } from "./postgresWire.ts";
import { Records } from "./records.ts";
import { redisConversation } from "./redisWire.ts";
import { type Fronts, type Scenario, startSmallWorld, TABLE } from "./smallWorld.ts";
import { StaleReads } from "./staleReads.ts";
import { startTcpDoor } from "./tcpDoor.ts";
import type { Arena } from "./trial.ts";
import { startWebDoor } from "./webDoor.ts";
import { Workers } from "./workers.ts";

export interface OpenArena extends Arena {
  stop(): Promise<void>;
}

const WATCH_EVERY_MS = 200;

/** @param bundles as `builtHandlers` returns them */
export async function openArena(
  scenario: Scenario,
  bundles: Readonly<Record<string, string>>,
): Promise<OpenArena> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  const injector = new Injector();
  const keep = <T extends { stop(): Promise<void> }>(door: T): T => {
    stops.push(() => door.stop());
    return door;
  };
  const fronts: Fronts = {
    async http(cloud) {
      return keep(await startWebDoor(cloud.endpoint, injector, new StaleReads(cloud.secrets))).endpoint;
    },
    postgres: async (upstream) =>
      keep(await startTcpDoor("postgres", upstream, injector, postgresConversation)),
    redis: async (upstream) => keep(await startTcpDoor("redis", upstream, injector, redisConversation)),
  };
  try {
    const world = keep(await startSmallWorld(scenario, fronts));
    const { cloud, postgres, redis } = world;
    const workers = keep(new Workers(bundles, world.env));
    const records = new Records(world.client, TABLE);
    stops.push(async () => records.stop());
    const watch = watchInvariant(
      { cloud, redis, ...(postgres ? { postgres } : {}) },
      { everyMs: WATCH_EVERY_MS },
    );
    stops.push(() => watch.stop());
    return { world, injector, workers, records, watch, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
