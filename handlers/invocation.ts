/** What a Lambda invocation says about itself. */
import { randomUUID } from "node:crypto";
import type { Context } from "aws-lambda";
import type { Invocation } from "../lib/journeys/rotateAll.ts";

/** Time to give the lease back and to answer, before Lambda ends the process. */
const RESERVE_MS = 60_000;

export function invocationOf(event: unknown, context: Context): Invocation {
  const id = typeof event === "object" && event !== null && "id" in event ? event.id : undefined;
  const left = context.getRemainingTimeInMillis();
  return {
    ...(typeof id === "string" && id !== "" ? { eventId: id } : {}),
    // A retry has the request id of the invocation it repeats, while the first may still be running.
    holder: `${context.awsRequestId}/${randomUUID()}`,
    deadline: new Date(Date.now() + Math.max(left - RESERVE_MS, left / 2)),
  };
}
