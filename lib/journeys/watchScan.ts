/**
 * scanAccess as it is scheduled: what is known of the account is read afresh, what CloudTrail recorded is looked at by the
 * rules, and people are told. They are told even if the scan fails: what was found before it failed is found.
 */
import type { CursorStore } from "../detection/cursorStore.ts";
import type { Known } from "../detection/known.ts";
import { gatherKnown, type OurSelves } from "./gatherKnown.ts";
import type { Ports } from "./ports.ts";
import { type ScanPorts, type ScanReport, scanAccess } from "./scanAccess.ts";
import { type Telling, tellEpisodes } from "./tellEpisodes.ts";
import { learnRecords, watchRecords } from "./watch.ts";
import type { WatchPorts } from "./watchPorts.ts";

export interface WatchScanPorts extends Omit<ScanPorts, "take"> {
  readonly watch: WatchPorts;
  readonly account: Pick<Ports, "store" | "fleet" | "log" | "tell" | "settings">;
  readonly cursors: CursorStore;
  readonly ourSelves: () => Promise<OurSelves>;
}

export interface WatchReport extends ScanReport {
  readonly told: Telling;
}

/** @throws RekeyError whatever keeps the history from being read, or what was seen from being kept */
export async function watchScan(
  ports: WatchScanPorts,
  { deadline }: { readonly deadline: Date },
): Promise<WatchReport> {
  const { watch } = ports;
  const [account = ""] = (await ports.accessLog.place()).split("/");
  const known = await gatherKnown(ports.account, await ports.ourSelves());
  await watch.store.keepKnown(account, known);
  let told: Telling = { posted: 0, edited: 0, waiting: 0 };
  try {
    const report = await scanAccess({ ...ports, take: takeInto(watch, account, known) }, { deadline });
    // Without a single record, too: what was held back has become ripe, and what should have happened has not.
    await watchRecords(watch, account, [], known);
    const { completeAt } = report.seed;
    if (completeAt !== undefined) await watch.store.seeded(account, Date.parse(completeAt));
    told = await tellEpisodes(watch, account, known);
    return { ...report, told };
  } catch (error) {
    await tellEpisodes(watch, account, known);
    throw error;
  }
}

function takeInto(watch: WatchPorts, account: string, known: Known): ScanPorts["take"] {
  return async (records, { isSeed }) => {
    if (isSeed) return learnRecords(watch, account, records);
    const { principals: _, ...counts } = await watchRecords(watch, account, records, known);
    watch.tell({ event: "access.taken", ...counts });
  };
}
