/**
 * Reads what a cursor says is due, page by page, until nothing is or the time is over. A page is handed on before the cursor
 * moves past it, and the cursor is saved before the next page is asked for: whoever takes over after a crash reads one page
 * again at most.
 */
import type { AccessLog, AccessLogPage } from "../detection/accessLog.ts";
import type { WindowRead } from "../detection/coverage.ts";
import {
  afterPage,
  afterRefusal,
  type Cursor,
  INTERVAL_MS,
  LEAST_NEW_MS,
  nextWindow,
} from "../detection/cursor.ts";
import type { CursorStore } from "../detection/cursorStore.ts";
import { isFull, readPage } from "../detection/seen.ts";
import { RekeyError } from "../errors.ts";

/** Everything of Secrets Manager in one stream: a question for each kind of event would take thirty times the calls. */
const SOURCE = "secretsmanager.amazonaws.com";
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 16_000;
const MOST_SILENCES = 3;

/**
 * Takes records that were not met before, some of them text that did not parse; the oldest of a page first, but pages come
 * the newest first. Called at least once with each: a process may die between the call and the cursor's move, and two may
 * scan at once. What it throws stops the scan where it stands.
 */
export type Take = (records: readonly unknown[], how: { readonly isSeed: boolean }) => Promise<void>;

export interface WindowPorts {
  readonly accessLog: AccessLog;
  readonly cursors: CursorStore;
  readonly take: Take;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Of one cursor in one invocation. It is kept up to date, so that it also tells of a scan that failed. */
export interface Progress {
  cursor: Cursor;
  /** Before the first page. */
  readonly before: Cursor;
  readonly windows: WindowRead[];
  pages: number;
  records: number;
  fresh: number;
  calls: number;
  throttled: number;
  refusedTokens: number;
}

export const begin = (cursor: Cursor): Progress => ({
  cursor,
  before: cursor,
  windows: [],
  pages: 0,
  records: 0,
  fresh: 0,
  calls: 0,
  throttled: 0,
  refusedTokens: 0,
});

/** `overtaken`: another scan moved the cursor first. */
export type Ending = "caught up" | "out of time" | "overtaken";

/** @throws RekeyError AWS_DENIED, AWS_FAILED, AWS_UNANSWERED after four tries; and whatever `take` and the store throw */
export async function readWindows(ports: WindowPorts, progress: Progress, deadline: Date): Promise<Ending> {
  const seen = await seenBefore(ports.cursors, progress.cursor);
  for (;;) {
    // A scan that takes its time would otherwise look again at once, and never leave any for the seed.
    const leastNewMs = progress.windows.length === 0 ? LEAST_NEW_MS : INTERVAL_MS;
    const due = nextWindow(progress.cursor, ports.now().getTime(), leastNewMs);
    if (due === undefined) return "caught up";
    if (due.open === undefined) {
      const saved = await ports.cursors.save(due);
      if (saved === undefined) return "overtaken";
      progress.cursor = saved;
      continue;
    }
    progress.cursor = due;
    const page = await ask(ports, progress, deadline);
    if (page === undefined) return "out of time";
    if (!(await move(ports, progress, seen, page))) return "overtaken";
  }
}

async function seenBefore(cursors: CursorStore, { place, kind, recent }: Cursor): Promise<Set<string>> {
  const lots = kind === "live" ? await cursors.filed(place) : [];
  return new Set([recent, ...lots].flatMap((ids) => Object.keys(ids)));
}

/** @returns undefined if the time is over */
async function ask(
  ports: WindowPorts,
  progress: Progress,
  deadline: Date,
): Promise<AccessLogPage | undefined> {
  for (let waits = 0, silences = 0; ; ) {
    const { open } = progress.cursor;
    if (open === undefined || ports.now() >= deadline) return undefined;
    progress.calls += 1;
    try {
      const period = { fromMs: open.fromMs, toMs: open.askedToMs };
      return await ports.accessLog.page(SOURCE, period, open.token);
    } catch (error) {
      const code = error instanceof RekeyError ? error.code : undefined;
      const anew = code === "AWS_FAILED" && open.token !== undefined ? withoutToken(progress) : undefined;
      if (anew !== undefined) {
        progress.cursor = anew;
        progress.refusedTokens += 1;
        continue;
      }
      if (code === "AWS_THROTTLED") progress.throttled += 1;
      else if (code !== "AWS_UNANSWERED" || ++silences > MOST_SILENCES) throw error;
      const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** waits++);
      if (ports.now().getTime() + waitMs >= deadline.getTime()) return undefined;
      await ports.sleep(waitMs);
    }
  }
}

/** Kept by an earlier scan, a token may simply have grown too old. */
const withoutToken = ({ cursor, before }: Progress) =>
  afterRefusal(cursor, cursor.open?.token === before.open?.token);

/** @returns whether the cursor was still where this scan had it */
async function move(
  ports: WindowPorts,
  progress: Progress,
  seen: Set<string>,
  { records, next }: AccessLogPage,
): Promise<boolean> {
  const { cursor } = progress;
  const page = readPage(cursor, seen, records);
  if (page.fresh.length > 0) await ports.take(page.fresh.toReversed(), { isSeed: cursor.kind === "seed" });
  const hasLot = isFull(cursor);
  // Before the cursor lets go of them. Filed and then not let go of, they are only known twice.
  if (hasLot) await ports.cursors.file(cursor);
  const from = hasLot ? { ...cursor, recent: {} } : cursor;
  const moved = await ports.cursors.save(afterPage(from, page, next, ports.now().getTime()));
  if (moved === undefined) return false;
  progress.cursor = moved;
  progress.pages += 1;
  progress.records += page.records;
  progress.fresh += page.fresh.length;
  for (const id of Object.keys(page.remember)) seen.add(id);
  if (cursor.open === undefined || moved.open !== undefined) return true;
  const { fromMs, toMs, startedAtMs, pages, records: count, fresh } = cursor.open;
  progress.windows.push({
    fromMs,
    toMs,
    startedAtMs,
    pages: pages + 1,
    records: count + page.records,
    fresh: fresh + page.fresh.length,
  });
  if (cursor.kind === "live") await ports.cursors.forget(cursor.place, moved.settledToMs);
  return true;
}
