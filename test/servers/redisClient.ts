/** One connection that nothing reopens. What goes wrong is told by the call that fails. */
import { createClient } from "@redis/client";

/** Never connected: for each other set of options `createClient` builds a class of all commands, in 20 ms. */
const blank = createClient({ RESP: 2, disableClientInfo: true });

export interface RedisOptions {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  /** For the connection, and for each answer. */
  readonly timeoutMs?: number;
}

export async function withRedisClient<T>(
  { host, port, timeoutMs, ...login }: RedisOptions,
  work: (client: typeof blank) => Promise<T>,
): Promise<T> {
  const patience = timeoutMs === undefined ? {} : { connectTimeout: timeoutMs, socketTimeout: timeoutMs };
  const client = blank.duplicate({
    ...login,
    socket: { host, port, reconnectStrategy: false, ...patience },
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    if (client.isOpen) client.destroy();
  }
}
