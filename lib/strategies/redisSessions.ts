/**
 * Who is connected to a Redis node. Removing a password or switching a user off does not end a session, so that is done by
 * hand; links between nodes are left alone, and so is the connection that asks.
 */
import type { Straggler } from "../rotation/strategy.ts";
import type { Redis } from "./redisConnection.ts";

export interface Session {
  readonly id: string;
  readonly user: string;
  readonly from: string;
  readonly name: string;
  readonly ageSeconds: number;
}

/** Sessions of clients: not of replicas (S), the primary (M), or ourselves. */
export async function sessions(redis: Redis): Promise<Session[]> {
  const own = String(await redis.send<number>("CLIENT", "ID"));
  const text = await redis.send("CLIENT", "LIST");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => new Map(line.split(" ").map((part) => part.split(/=(.*)/s, 2) as [string, string])))
    .filter((part) => !/[SM]/.test(part.get("flags") ?? "") && part.get("id") !== own)
    .map((part) => ({
      id: part.get("id") ?? "",
      user: part.get("user") ?? "",
      from: part.get("addr") ?? "",
      name: part.get("name") || (part.get("lib-name") ?? ""),
      ageSeconds: Number(part.get("age")),
    }));
}

export async function sessionsOf(redis: Redis, user: string): Promise<Session[]> {
  return (await sessions(redis)).filter((session) => session.user === user);
}

/**
 * Ends a user's sessions that began before `startedBefore`. Redis tells an age as the difference of two whole seconds, so
 * one that began within two seconds after is ended too.
 */
export async function endSessionsOf(
  redis: Redis,
  user: string,
  startedBefore: Date,
  now: Date,
): Promise<void> {
  for (const { id, ageSeconds } of await sessionsOf(redis, user)) {
    const startedAt = now.getTime() - (ageSeconds + 1) * 1000;
    // One that ended meanwhile is answered with 0, not with an error.
    if (startedAt <= startedBefore.getTime()) await redis.send("CLIENT", "KILL", "ID", id);
  }
}

export function asStraggler({ user, from, name }: Session): Straggler {
  return { login: user, from, ...(name === "" ? {} : { program: name }) };
}
