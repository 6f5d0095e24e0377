/**
 * The pools of a real service: PostgreSQL connections that are recycled after some use, and a Redis connection that is
 * renewed every few seconds. New logins happen all the time, and old sessions live on.
 */
import { createClient } from "@redis/client";
import pg from "pg";
import { type Settings, setting } from "./settings.ts";

const RENEW_REDIS_MS = 3_000;

export function openDatabase(settings: Settings): pg.Pool {
  const pool = new pg.Pool({
    host: setting(settings, "DATABASE_HOST"),
    port: Number(setting(settings, "DATABASE_PORT")),
    user: setting(settings, "DATABASE_USER"),
    password: setting(settings, "DATABASE_PASSWORD"),
    database: setting(settings, "DATABASE_NAME"),
    application_name: settings["SERVICE"] ?? "backend",
    max: 3,
    maxUses: 200,
    // Requests that queue up behind refused logins must not outlive their clients, who wait for five seconds, nor keep a task
    // from stopping. A second is too little on a machine on which twelve tasks start at once.
    connectionTimeoutMillis: 3_000,
  });
  // An idle connection that the server ends is replaced by the pool; the next query tells if that fails.
  pool.on("error", () => {});
  return pool;
}

type Client = ReturnType<typeof createClient>;

export interface Cache {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, seconds: number): Promise<void>;
  close(): Promise<void>;
}

export async function openCache(settings: Settings): Promise<Cache> {
  const username = settings["REDIS_USER"];
  const connect = async (): Promise<Client> => {
    const client = createClient({
      socket: {
        host: setting(settings, "REDIS_HOST"),
        port: Number(setting(settings, "REDIS_PORT")),
        reconnectStrategy: false,
      },
      password: setting(settings, "REDIS_PASSWORD"),
      // A command on a connection that was ended fails; queued, it would wait for ever and hold its request open.
      disableOfflineQueue: true,
      ...(username ? { username } : {}),
    });
    client.on("error", () => {});
    await client.connect();
    return client as Client;
  };
  let client = await connect();
  let failure: Error | undefined;
  const renewal = setInterval(async () => {
    try {
      const fresh = await connect();
      const old = client;
      client = fresh;
      failure = undefined;
      await old.close();
    } catch (error) {
      failure = error as Error;
    }
  }, RENEW_REDIS_MS);
  const use = () => {
    if (failure) throw failure;
    return client;
  };
  return {
    get: (key) => use().get(key),
    put: async (key, value, seconds) => void (await use().set(key, value, { EX: seconds })),
    async close() {
      clearInterval(renewal);
      await client.close();
    },
  };
}
