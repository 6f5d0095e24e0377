/**
 * What the function that answers Slack hands to the one that does the work. Slack waits for three seconds, so the first
 * only checks who asks, and what is asked for; everything that could take longer happens behind this message.
 */
import * as z from "zod/mini";
import { RekeyError } from "../errors.ts";
import { slackRequest } from "./slackRequest.ts";

const slackWork = z.object({
  from: z.literal("slack"),
  /** Made of the request's signature, so that one request that is delivered twice is seen to be one. */
  workId: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
  receivedAt: z.iso.datetime(),
  request: slackRequest,
});
export type SlackWork = z.infer<typeof slackWork>;

/** Where the work goes. It may arrive twice, and late. */
export interface SlackWorkQueue {
  /** @throws RekeyError AWS_* when it is not certain that the work will be done */
  enqueue(work: SlackWork): Promise<void>;
}

/** Remembers which requests were here. */
export interface SeenRequests {
  /** @returns whether this is the first time. @throws RekeyError AWS_* */
  isFirst(signature: string, now: Date): Promise<boolean>;
}

/** Whether an event is meant for this door at all; the worker has others. */
export const isSlackWork = (event: unknown): boolean =>
  typeof event === "object" && event !== null && "from" in event && event.from === "slack";

/** @throws RekeyError PAYLOAD_INVALID */
export function readSlackWork(event: unknown): SlackWork {
  const read = slackWork.safeParse(event);
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`);
  throw new RekeyError("PAYLOAD_INVALID", `work from Slack: ${problems.join("; ")}`);
}
