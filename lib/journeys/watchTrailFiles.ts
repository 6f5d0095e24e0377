/**
 * What a trail wrote, a file at a time: fetched, searched for what concerns secrets, and handed to the rules in pieces. A file
 * that comes twice, or whose records came by another road, changes nothing. A file that cannot be read is told of and stops
 * nothing; one that S3 does not give is asked for again with the whole event.
 */

import { scan } from "../detection/scan.ts";
import type { TrailFiles } from "../detection/trailFiles.ts";
import { type TrailObject, trailObjectsIn } from "../detection/trailObjects.ts";
import type { WatchStore } from "../detection/watchStore.ts";
import { RekeyError } from "../errors.ts";
import { fieldsOf, textOf } from "../fields.ts";
import type { Telling } from "./tellEpisodes.ts";
import { watchOwned } from "./watchEvent.ts";
import type { WatchPorts } from "./watchPorts.ts";

export interface TrailFilePorts extends WatchPorts {
  readonly files: TrailFiles;
  /** Whose history the scan has read. */
  readonly region: string;
}

export interface TrailFileReport {
  /** Read to the end, or as far as they go. */
  readonly files: number;
  /** In these files, whatever they are about. */
  readonly records: number;
  readonly events: number;
  /** Why something is not looked at -> how often; for files that cannot be opened, and for records that cannot be read. */
  readonly ignored: Readonly<Record<string, number>>;
  readonly broken: Readonly<Record<string, number>>;
  readonly malformed: Readonly<Record<string, number>>;
  readonly told: Telling;
}

/** What is kept of a principal is written once for each piece, and must stay within what one item may hold. */
const PIECE = 500;

/**
 * @throws RekeyError PAYLOAD_INVALID if this is no event of S3; AWS_* if a file was not given, or what was seen could not be
 * kept, after the other files of the event
 */
export async function watchTrailFiles(ports: TrailFilePorts, event: unknown): Promise<TrailFileReport> {
  const found = trailObjectsIn(event);
  if (found === undefined)
    throw new RekeyError(
      "PAYLOAD_INVALID",
      "event: neither detail of an Object Created nor Records with s3; this is for what S3 says of a trail's bucket",
    );
  const sum = new Sum();
  const failures: RekeyError[] = [];
  for (const object of found.objects) {
    try {
      await watchFile(ports, object, sum);
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      failures.push(error);
      const { code, message } = error;
      ports.tell({ event: "trail.failed", ...object, code, message });
    }
  }
  const report = { ...sum.report(), ignored: found.ignored };
  ports.tell({ event: "trail.read", ...report, failed: failures.length });
  if (failures[0] !== undefined) throw failures[0];
  return report;
}

async function watchFile(ports: TrailFilePorts, object: TrailObject, sum: Sum): Promise<void> {
  const file = await ports.files.read(object.bucket, object.key);
  if ("broken" in file) {
    ports.tell({ event: "trail.broken", ...object, why: file.broken });
    sum.count(sum.broken, file.broken);
    return;
  }
  const { records, total, malformed } = scan(file.bytes);
  sum.files++;
  sum.records += total;
  for (const [why, times] of malformed) {
    ports.tell({ event: "trail.malformed", ...object, why, times });
    sum.count(sum.malformed, why, times);
  }
  const elsewhere = { ...ports, store: withoutHistory(ports.store) };
  const isHere = (record: unknown) => fieldsOf(record)["awsRegion"] === ports.region;
  for (const [account, own] of Map.groupBy(records, (record) => ownerOf(record) ?? object.account))
    for (const [here, some] of Map.groupBy(own, isHere))
      for (let from = 0; from < some.length; from += PIECE)
        sum.add(await watchOwned(here ? ports : elsewhere, account, some.slice(from, from + PIECE)));
}

/** Nobody read the ninety days of another Region, so that whoever comes from there is not new for having never been seen. */
function withoutHistory(store: WatchStore): WatchStore {
  return {
    ...store,
    usual: async (...asked) => {
      const { seededAtMs: _, ...usual } = await store.usual(...asked);
      return usual;
    },
  };
}

/** The one to whom CloudTrail told it. Whoever called may be of another account. */
function ownerOf(record: unknown): string | undefined {
  const account = textOf(fieldsOf(record)["recipientAccountId"]);
  return account !== undefined && /^\d{12}$/.test(account) ? account : undefined;
}

class Sum {
  files = 0;
  records = 0;
  readonly broken: Record<string, number> = {};
  readonly malformed: Record<string, number> = {};
  #events = 0;
  #told: Telling = { posted: 0, edited: 0, waiting: 0 };

  count(into: Record<string, number>, why: string, times = 1): void {
    into[why] = (into[why] ?? 0) + times;
  }

  add({ events, malformed, told }: Awaited<ReturnType<typeof watchOwned>>): void {
    this.#events += events;
    for (const [why, times] of Object.entries(malformed)) this.count(this.malformed, why, times);
    const { posted, edited } = this.#told;
    // What waits is all that waits, and not what waits more.
    this.#told = { posted: posted + told.posted, edited: edited + told.edited, waiting: told.waiting };
  }

  report(): Omit<TrailFileReport, "ignored"> {
    const { files, records, broken, malformed } = this;
    return { files, records, events: this.#events, broken, malformed, told: this.#told };
  }
}
