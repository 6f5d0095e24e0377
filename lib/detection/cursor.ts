/**
 * How far an account's event history was read, and what is read next. Pure: the clock is a parameter.
 *
 * CloudTrail delivers late: mostly within five minutes, seldom fifteen. A record counts as settled once a window that began
 * `DELIVERY_MS` after it has read it. Up to there nothing is read again; what is younger is read again by the next window,
 * which in a steady state means that it ends two minutes ago and overlaps the one before by twenty. A window of long ago
 * is settled as a whole, so that a backlog is read once.
 *
 * A window is frozen when it is opened: its bounds, its beginning and the token of its next page are all kept, and another
 * process goes on with them. Bounds are whole seconds, as record times are.
 */
import type { Period } from "./accessLog.ts";

/** Short id -> time of its record. */
export type Remembered = Readonly<Record<string, number>>;

/** What a page turned out to hold; see `readPage`. */
export interface PageRead {
  readonly records: number;
  /** Those that were not met before. */
  readonly fresh: readonly unknown[];
  readonly remember: Remembered;
  readonly edge: Edge | undefined;
  readonly isInOrder: boolean;
}

/** The oldest second that was reached, and the short ids of what was read of it. */
export interface Edge {
  readonly atMs: number;
  readonly ids: readonly string[];
}

export type CursorKind = "live" | "seed";

export interface Cursor {
  /** As AccessLog names it: account and Region. */
  readonly place: string;
  /** `live` follows the clock; `seed` walks back through the history from where `live` began. */
  readonly kind: CursorKind;
  /** 0 before it is first saved. */
  readonly rev: number;
  /** Everything in `[fromMs, toMs)` was read, but for `gaps`. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Nothing before this can still arrive unread. */
  readonly settledToMs: number;
  readonly open?: OpenWindow;
  /** Ids that will be met again, as far as they are not filed apart. */
  readonly recent: Remembered;
  readonly totals: Totals;
  /** What was no longer in the history when it should have been read; the latest ones. */
  readonly gaps: readonly Period[];
  /** Of a seed: when it was through. */
  readonly completeAtMs?: number;
}

export interface OpenWindow extends Period {
  readonly startedAtMs: number;
  /** Where the question that `token` belongs to ends: `toMs`, or lower after a token was refused. */
  readonly askedToMs: number;
  readonly token?: string;
  readonly pages: number;
  /** `pages` at the time of the last refusal. */
  readonly pagesAtRefusal: number;
  readonly records: number;
  readonly fresh: number;
  readonly edge?: Edge;
  /** Whether every page so far was older than the one before. */
  readonly isInOrder: boolean;
}

/** Over the cursor's whole life. Saved with it, so that a page counts once however often it is asked for. */
export interface Totals {
  readonly windows: number;
  readonly pages: number;
  readonly records: number;
  readonly fresh: number;
}

/** A record that is younger may still be overtaken by many others. */
export const MARGIN_MS = 120_000;
export const OVERLAP_MS = 20 * 60_000;
/** The longest that CloudTrail may take without anything being missed. */
export const DELIVERY_MS = MARGIN_MS + OVERLAP_MS;
/** How often somebody looks. */
export const INTERVAL_MS = 5 * 60_000;
/** How long CloudTrail keeps its event history. */
export const HISTORY_MS = 90 * 86_400_000;
/** Of a backlog, the oldest first: its records then come roughly in the order in which things happened. */
const PIECE_MS = 3_600_000;
const SEED_PIECE_MS = 86_400_000;
/** A schedule is never quite on time, and a delivery that comes twice is not to be looked at twice. */
export const LEAST_NEW_MS = INTERVAL_MS / 2;
const MOST_GAPS = 20;
const NOTHING: Totals = { windows: 0, pages: 0, records: 0, fresh: 0 };

/** Begins where everything has arrived; what is older is the seed's. */
export function newCursor(place: string, nowMs: number): Cursor {
  const startMs = wholeSecond(nowMs - DELIVERY_MS);
  return { place, kind: "live", rev: 0, ...coveredTo(startMs), recent: {}, totals: NOTHING, gaps: [] };
}

/** @param live the cursor before whose beginning it ends */
export function newSeed({ place, fromMs }: Cursor): Cursor {
  return { place, kind: "seed", rev: 0, ...coveredTo(fromMs), recent: {}, totals: NOTHING, gaps: [] };
}

const coveredTo = (atMs: number) => ({ fromMs: atMs, toMs: atMs, settledToMs: atMs });

/**
 * The cursor with the window that is to be read next: the one that is open, or a new one. Without an open window it only
 * wants to be saved, since its history is gone.
 * @param leastNewMs below which a new window of a live cursor is not worth its overlap
 * @returns undefined if nothing is due
 */
export function nextWindow(cursor: Cursor, nowMs: number, leastNewMs = LEAST_NEW_MS): Cursor | undefined {
  const horizonMs = wholeSecond(nowMs - HISTORY_MS) + 1000;
  if (cursor.open && cursor.open.toMs > horizonMs) return cursor;
  if (cursor.kind === "live" && wholeSecond(nowMs - MARGIN_MS) - cursor.toMs < leastNewMs) return undefined;
  return cursor.kind === "live" ? nextLive(cursor, nowMs, horizonMs) : nextSeed(cursor, nowMs, horizonMs);
}

function nextLive(cursor: Cursor, nowMs: number, horizonMs: number): Cursor {
  const limitMs = wholeSecond(nowMs - MARGIN_MS);
  const fromMs = Math.max(cursor.settledToMs, horizonMs);
  const toMs = Math.min(limitMs, Math.max(cursor.toMs, horizonMs) + PIECE_MS);
  const isLost = horizonMs > cursor.toMs;
  return {
    ...cursor,
    // The chain is taken up again behind the gap, which stays on the list.
    ...(isLost
      ? { toMs: horizonMs, gaps: withGap(cursor.gaps, { fromMs: cursor.toMs, toMs: horizonMs }) }
      : {}),
    open: opened({ fromMs, toMs }, nowMs),
  };
}

function nextSeed(cursor: Cursor, nowMs: number, horizonMs: number): Cursor | undefined {
  if (cursor.completeAtMs !== undefined) return undefined;
  const { open: _, ...rest } = cursor;
  if (cursor.fromMs <= horizonMs) return { ...rest, completeAtMs: nowMs };
  const fromMs = Math.max(horizonMs, cursor.fromMs - SEED_PIECE_MS);
  return { ...rest, open: opened({ fromMs, toMs: cursor.fromMs }, nowMs) };
}

const opened = (period: Period, nowMs: number): OpenWindow => ({
  ...period,
  startedAtMs: nowMs,
  askedToMs: period.toMs,
  pages: 0,
  pagesAtRefusal: 0,
  records: 0,
  fresh: 0,
  isInOrder: true,
});

/** Moves the cursor past a page that was handed on. Without a token for more, the window is closed. */
export function afterPage(cursor: Cursor, page: PageRead, token: string | undefined, nowMs: number): Cursor {
  const { open, totals } = cursor;
  if (!open) return cursor;
  const { token: _, ...asked } = open;
  const moved: OpenWindow = {
    ...asked,
    ...(token === undefined ? {} : { token }),
    ...(page.edge ? { edge: page.edge } : {}),
    pages: open.pages + 1,
    records: open.records + page.records,
    fresh: open.fresh + page.fresh.length,
    isInOrder: open.isInOrder && page.isInOrder,
  };
  const counted: Cursor = {
    ...cursor,
    open: moved,
    recent: { ...cursor.recent, ...page.remember },
    totals: {
      ...totals,
      pages: totals.pages + 1,
      records: totals.records + page.records,
      fresh: totals.fresh + page.fresh.length,
    },
  };
  return token === undefined ? closed(counted, moved, nowMs) : counted;
}

function closed({ open: _, ...cursor }: Cursor, window: OpenWindow, nowMs: number): Cursor {
  const totals = { ...cursor.totals, windows: cursor.totals.windows + 1 };
  if (cursor.kind === "seed") {
    const isThrough = window.fromMs <= nowMs - HISTORY_MS + 1000;
    return { ...cursor, fromMs: window.fromMs, totals, ...(isThrough ? { completeAtMs: nowMs } : {}) };
  }
  const settledToMs = Math.max(cursor.settledToMs, settledBy(window));
  const recent = Object.entries(cursor.recent).filter(([, atMs]) => atMs >= settledToMs);
  const gaps =
    window.fromMs > cursor.toMs
      ? withGap(cursor.gaps, { fromMs: cursor.toMs, toMs: window.fromMs })
      : cursor.gaps;
  return { ...cursor, toMs: window.toMs, settledToMs, recent: Object.fromEntries(recent), gaps, totals };
}

/** Up to where a window, once it is read, leaves nothing to come. */
export const settledBy = ({ toMs, startedAtMs }: OpenWindow): number =>
  Math.min(toMs, wholeSecond(startedAtMs - DELIVERY_MS));

/**
 * Goes on without the token, which expired or was refused: from the second that was reached, since pages come the newest
 * first, or through the whole window again if they did not. Nothing is skipped, and what is met twice is known by its id.
 *
 * @param isOld whether the token was kept by an earlier scan
 * @returns undefined if a new one was refused and the window came no further since the last refusal: it never would
 */
export function afterRefusal(cursor: Cursor, isOld: boolean): Cursor | undefined {
  const { open } = cursor;
  if (!open) return undefined;
  const { token: _, edge, ...rest } = open;
  const from = open.isInOrder && edge ? { askedToMs: edge.atMs + 1000, edge } : { askedToMs: open.toMs };
  const isFurther = isOld || from.askedToMs !== open.askedToMs || open.pages - open.pagesAtRefusal > 1;
  return isFurther
    ? { ...cursor, open: { ...rest, ...from, pagesAtRefusal: open.pages, isInOrder: true } }
    : undefined;
}

const withGap = (gaps: readonly Period[], gap: Period) => [...gaps, gap].slice(-MOST_GAPS);
const wholeSecond = (ms: number) => Math.floor(ms / 1000) * 1000;
