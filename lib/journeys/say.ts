/**
 * Something is to be said in the channel: it is written into its thread's outbox, from where `sendOutbox` brings it out.
 * The same words under the same name again are one message, so a journey that is repeated after a crash may say all it
 * said before.
 */
import { RekeyError } from "../errors.ts";
import type { OutboxStore } from "../incident/channel.ts";
import { type Wanted, want } from "../incident/outbox.ts";

/** Each try loses only to somebody else's success. */
const MOST_TRIES = 30;

export interface SayPorts {
  readonly outbox: OutboxStore;
  readonly now: () => Date;
  readonly newId: () => string;
}

/** @throws RekeyError AWS_* if it is not certain that it will be said, LEASE_LOST if too many wrote at once */
export async function say({ outbox, now, newId }: SayPorts, wanted: Wanted): Promise<void> {
  const { threadId, priority } = wanted;
  const fresh = { sendId: newId(), mark: newId() };
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    // Before each try, and not once: an announcement that stays without words is taken down some time later.
    await outbox.announce({ threadId, priority, mark: fresh.mark, at: now() });
    if (await outbox.save(want(await outbox.read(threadId), wanted, fresh, now()))) return;
  }
  throw new RekeyError(
    "LEASE_LOST",
    `the outbox of ${wanted.threadId} was written by others ${MOST_TRIES} times`,
  );
}
