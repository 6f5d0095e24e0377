/**
 * What comes by itself, a record at a time by EventBridge or a file at a time by S3. The scan sees the same records minutes
 * later, and says whether any is missing; what is known of the account is as the last scan left it.
 */

import { RekeyError } from "../errors.ts";
import { fieldsOf, listOf, textOf } from "../fields.ts";
import { type Telling, tellEpisodes } from "./tellEpisodes.ts";
import { type Watched, watchRecords } from "./watch.ts";
import type { WatchPorts } from "./watchPorts.ts";

export interface EventReport extends Omit<Watched, "principals"> {
  readonly told: Telling;
}

/**
 * As EventBridge sends them, by way of a queue that gathers those of some seconds: hundreds of reads are looked at together.
 * What is no event is counted and dropped, because it would come back for ever.
 *
 * @throws RekeyError what keeps them from being looked at; then all come again, which does no harm
 */
export async function watchQueued(ports: WatchPorts, batch: unknown): Promise<readonly EventReport[]> {
  const messages = listOf(fieldsOf(batch)["Records"]);
  if (messages.length === 0) return [await watchEvent(ports, batch)];
  const events = messages.map((message) => eventIn(fieldsOf(message)["body"]));
  const broken = events.filter((event) => event === undefined).length;
  if (broken > 0) ports.tell({ event: "access.broken", messages: broken });
  const owned = Map.groupBy(
    events.filter((event) => event !== undefined),
    ({ owner }) => owner,
  );
  const reports: EventReport[] = [];
  for (const [owner, own] of owned)
    reports.push(
      await watchOwned(
        ports,
        owner,
        own.map(({ detail }) => detail),
      ),
    );
  return reports;
}

function eventIn(body: unknown): { readonly owner: string; readonly detail: unknown } | undefined {
  try {
    const { account, detail } = fieldsOf(JSON.parse(String(body)));
    const owner = textOf(account);
    return owner === undefined || detail === undefined ? undefined : { owner, detail };
  } catch {
    return undefined;
  }
}

/** @throws RekeyError PAYLOAD_INVALID if the event carries no record */
export async function watchEvent(ports: WatchPorts, event: unknown): Promise<EventReport> {
  const { account, detail } = fieldsOf(event);
  const owner = textOf(account);
  if (owner === undefined || fieldsOf(detail)["eventName"] === undefined)
    throw new RekeyError(
      "PAYLOAD_INVALID",
      "event: account and detail.eventName are missing; this is for EventBridge's events of CloudTrail",
    );
  return watchOwned(ports, owner, [detail]);
}

export async function watchOwned(
  ports: WatchPorts,
  account: string,
  records: readonly unknown[],
): Promise<EventReport> {
  const known = await ports.store.known(account);
  const { principals: _, ...watched } = await watchRecords(ports, account, records, known);
  const told = await tellEpisodes(ports, account, known);
  ports.tell({ event: "access.seen", ...watched, told });
  return { ...watched, told };
}
