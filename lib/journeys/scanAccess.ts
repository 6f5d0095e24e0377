/**
 * scanAccess: every five minutes, reads what CloudTrail recorded of Secrets Manager since the last look, and what of the
 * history before Rekey is still unread. What happens now goes first. Two scans at once do no harm: the one that comes second
 * to the cursor stops.
 */
import type { Period } from "../detection/accessLog.ts";
import { gapsBetween, isBehind, lagSeconds, seededShare } from "../detection/coverage.ts";
import { HISTORY_MS, newCursor, newSeed } from "../detection/cursor.ts";
import type { Tell } from "./ports.ts";
import { begin, type Ending, type Progress, readWindows, type WindowPorts } from "./readWindows.ts";

export interface ScanPorts extends WindowPorts {
  readonly tell: Tell;
}

interface Span {
  readonly from: string;
  readonly to: string;
}

interface Counts {
  /** Windows that were read to their end, each with what all scans together found in it. */
  readonly windows: readonly (Span & {
    readonly pages: number;
    readonly records: number;
    readonly fresh: number;
  })[];
  /** The window that the next scan goes on with. */
  readonly open?: Span & { readonly pages: number };
  readonly pages: number;
  readonly records: number;
  readonly fresh: number;
  /** Met before, in the time that windows share. */
  readonly repeated: number;
  readonly calls: number;
  readonly throttled: number;
  readonly refusedTokens: number;
}

export interface ScanReport extends Counts {
  /** `overtaken`: another scan is at it, and goes on from where this one stopped. */
  readonly outcome: Ending | "failed";
  readonly place: string;
  readonly coveredFrom: string;
  readonly coveredTo: string;
  /** Within what is covered; empty is the proof that the windows chain. */
  readonly gaps: readonly Span[];
  readonly lagSeconds: number;
  readonly isBehind: boolean;
  readonly seed: Counts & {
    /** Undefined if there was no time for it. */
    readonly outcome?: Ending;
    readonly coveredFrom: string;
    readonly gaps: readonly Span[];
    /** Of the ninety days, 0 to 1. */
    readonly share: number;
    /** `seedCompleteAt`: since when a baseline may be trusted. */
    readonly completeAt?: string;
  };
}

/**
 * @throws RekeyError whatever keeps the history from being read, after it was told how far the scan came; and what `take`
 * throws
 */
export async function scanAccess(
  ports: ScanPorts,
  { deadline }: { readonly deadline: Date },
): Promise<ScanReport> {
  const place = await ports.accessLog.place();
  const stored = await ports.cursors.read(place, "live");
  const live = begin(stored ?? newCursor(place, ports.now().getTime()));
  const seed = begin((await ports.cursors.read(place, "seed")) ?? newSeed(live.cursor));
  const endings: Endings = {};
  try {
    endings.live = await readWindows(ports, live, deadline);
    if (endings.live === "caught up") endings.seed = await readWindows(ports, seed, deadline);
  } catch (error) {
    reportOn(ports, { ...endings, live: "failed" }, live, seed);
    throw error;
  }
  return reportOn(ports, endings, live, seed);
}

interface Endings {
  live?: ScanReport["outcome"];
  seed?: Ending;
}

/** One line in any case. It goes by another name when the scan falls behind: an alarm listens for that. */
function reportOn(
  { tell, now }: ScanPorts,
  { live: outcome = "failed", ...endings }: Endings,
  live: Progress,
  seed: Progress,
): ScanReport {
  const nowMs = now().getTime();
  const { cursor } = live;
  const { completeAtMs } = seed.cursor;
  const report: ScanReport = {
    outcome,
    place: cursor.place,
    coveredFrom: iso(cursor.fromMs),
    coveredTo: iso(cursor.toMs),
    gaps: gapsOf(live).map(span),
    lagSeconds: lagSeconds(cursor, nowMs),
    // Whoever is at it will tell.
    isBehind: outcome !== "overtaken" && isBehind(cursor, nowMs),
    ...countsOf(live),
    seed: {
      ...(endings.seed === undefined ? {} : { outcome: endings.seed }),
      coveredFrom: iso(seed.cursor.fromMs),
      gaps: gapsBetween([cursor, seed.before, ...seed.windows]).map(span),
      share: seededShare(seed.cursor, HISTORY_MS),
      ...(completeAtMs === undefined ? {} : { completeAt: iso(completeAtMs) }),
      ...countsOf(seed),
    },
  };
  const windows = { windows: report.windows.length };
  tell({
    event: report.isBehind ? "access.behind" : "access.scanned",
    ...report,
    ...windows,
    seed: { ...report.seed, windows: report.seed.windows.length },
  });
  return report;
}

/** Those the cursor knows of, and those that show when its windows are laid out again. */
function gapsOf({ cursor, before, windows }: Progress): readonly Period[] {
  const found = gapsBetween([before, ...windows]);
  const isListed = (gap: Period) =>
    cursor.gaps.some(({ fromMs, toMs }) => fromMs === gap.fromMs && toMs === gap.toMs);
  return [...cursor.gaps, ...found.filter((gap) => !isListed(gap))];
}

function countsOf({
  cursor,
  windows,
  pages,
  records,
  fresh,
  calls,
  throttled,
  refusedTokens,
}: Progress): Counts {
  const { open } = cursor;
  return {
    windows: windows.map((window) => {
      const { pages, records, fresh } = window;
      return { ...span(window), pages, records, fresh };
    }),
    ...(open ? { open: { ...span(open), pages: open.pages } } : {}),
    pages,
    records,
    fresh,
    repeated: records - fresh,
    calls,
    throttled,
    refusedTokens,
  };
}

const span = ({ fromMs, toMs }: Period): Span => ({ from: iso(fromMs), to: iso(toMs) });
const iso = (ms: number) => new Date(ms).toISOString();
