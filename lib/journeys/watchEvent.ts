/**
 * What comes by itself, a record at a time by EventBridge or a file at a time by S3. The scan sees the same records minutes
 * later, and says whether any is missing; what is known of the account is as the last scan left it.
 */
import { fieldsOf, textOf } from "../detection/fields.ts";
import { RekeyError } from "../errors.ts";
import { type Telling, tellEpisodes } from "./tellEpisodes.ts";
import { type Watched, watchRecords } from "./watch.ts";
import type { WatchPorts } from "./watchPorts.ts";

export interface EventReport extends Omit<Watched, "principals"> {
  readonly told: Telling;
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
