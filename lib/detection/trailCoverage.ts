/**
 * What an answer about the past rests on, said beside every answer: what was searched, which trails keep more, and what no
 * record of CloudTrail shows.
 */
import type { Period } from "./accessLog.ts";

export interface TrailFacts {
  readonly name: string;
  readonly homeRegion: string;
  readonly isMultiRegion: boolean;
  readonly isOrganization: boolean;
  readonly isLogging: boolean;
  /** Where its files lie. */
  readonly bucket?: string;
  /** Undefined where nobody could tell. */
  readonly logsReads?: boolean;
  readonly logsKms?: boolean;
}

/** What CloudTrail is set up to keep. */
export interface TrailCoverage {
  /** @throws RekeyError AWS_DENIED, AWS_FAILED, AWS_THROTTLED */
  readonly trails: () => Promise<readonly TrailFacts[]>;
}

export interface Searched {
  /** `account/Region`. */
  readonly place: string;
  readonly asked: Span;
  /** Undefined if nothing was searched to its end. */
  readonly searched?: Span;
  /** Pages that were read. */
  readonly pages: number;
  /** Reads whose moment was looked up in the records of KMS, of all that do not name their version. */
  readonly provable: { readonly asked: number; readonly of: number };
  /** Records that could not be understood. */
  readonly malformed: number;
}

/** ISO 8601, the end excluded. */
export interface Span {
  readonly from: string;
  readonly to: string;
}

export interface Coverage extends Searched {
  readonly trails: readonly TrailFacts[];
  /** What is missing from this answer and could be had, each with what to do about it. */
  readonly gaps: readonly string[];
  /** What no answer from CloudTrail can hold. */
  readonly cannotShow: readonly string[];
}

export const HISTORY_DAYS = 90;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** CloudTrail promises no time; fifteen minutes is the longest that its own documentation has named. */
const DELIVERY_MS = 15 * 60_000;

const CANNOT_SHOW: readonly string[] = [
  "a value that a client keeps in memory or in a cache, and every use of it after the first read",
  "a copy: in a file, a log, an image, a backup, another secret store",
  "the use of the value where it opens something; look at the log of the database or the service itself",
  "which field of a secret the reader was after: every read gives all of it",
  "a read through a replica in another Region, or in that Region's event history",
  "who stands behind an assumed role, beyond the name of the session; follow AssumeRole in the account that the role was assumed from",
];

/** As far back as the event history goes; what is asked for an hour earlier, as a default of 90 days is, loses nothing that matters. */
export function reachOf({ fromMs }: Pick<Period, "fromMs">, nowMs: number): number {
  const reachMs = nowMs - HISTORY_DAYS * DAY_MS;
  return fromMs < reachMs - HOUR_MS ? reachMs : fromMs;
}

/**
 * @param trails or why they could not be read
 * @param now when the search began
 */
export function coverageOf(
  searched: Searched,
  trails: readonly TrailFacts[] | string,
  now: Date,
  more: readonly string[] = [],
): Coverage {
  const { asked, searched: done, provable, malformed } = searched;
  const known = typeof trails === "string" ? [] : trails;
  const reachMs = reachOf({ fromMs: Date.parse(asked.from) }, now.getTime());
  const [, region = ""] = searched.place.split("/");
  const gaps = [
    done === undefined
      ? "nothing was searched to its end before the time was over; ask for less at once"
      : "",
    done !== undefined && Date.parse(done.from) > reachMs
      ? `searched from ${done.from} to ${done.to}, not before; the command in goesOn searches the rest`
      : "",
    reachMs > Date.parse(asked.from)
      ? `event history ends ${HISTORY_DAYS} days ago, at ${new Date(reachMs).toISOString()}; what is older lies in a trail's files, if anywhere`
      : "",
    now.getTime() - Date.parse(asked.to) < DELIVERY_MS
      ? "records arrive up to 15 minutes late; ask again for what happened just now"
      : "",
    provable.asked < provable.of
      ? `the records of KMS were read for ${provable.asked} of ${provable.of} reads that do not name their version; versions of the others are inferred or unknown`
      : "",
    malformed > 0 ? `${malformed} records could not be understood` : "",
    ...trailGaps(trails, region),
    ...more,
  ];
  return {
    ...searched,
    trails: known,
    gaps: gaps.filter((gap) => gap !== ""),
    cannotShow: CANNOT_SHOW,
  };
}

function trailGaps(trails: readonly TrailFacts[] | string, region: string): readonly string[] {
  const only = `only the event history of ${region} was searched; reads in other Regions, and by roles of this account of other accounts' secrets, stand in theirs`;
  if (typeof trails === "string") return [only, `which trails there are could not be asked: ${trails}`];
  const keeping = trails.filter(({ isLogging, logsReads }) => isLogging && logsReads !== false);
  if (keeping.length === 0)
    return [only, `no trail keeps reads, so that what is older than ${HISTORY_DAYS} days is lost`];
  const files = keeping.flatMap(({ name, bucket }) => (bucket === undefined ? [] : [`${name} in ${bucket}`]));
  const withoutKms = keeping.every(({ logsKms }) => logsKms === false);
  return [
    only,
    files.length === 0 ? "" : `the files of trails were not searched: ${files.join(", ")}`,
    withoutKms ? "no trail keeps the records of KMS, so that its files do not prove versions" : "",
  ];
}
