/**
 * Searches CloudTrail's event history backwards, within a time. Slices of the period are read to their end or not counted at
 * all, so that what is said to have been searched was, in whatever order records come.
 */
import type { AccessLog, Period } from "../detection/accessLog.ts";
import { extract } from "../detection/extract.ts";
import type { SecretEvent } from "../detection/secretEvent.ts";
import { RekeyError } from "../errors.ts";

export interface SearchPorts {
  readonly accessLog: AccessLog;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface Found {
  readonly events: readonly SecretEvent[];
  readonly malformed: number;
  readonly pages: number;
}

export interface History extends Found {
  /** Undefined if not even the newest slice was read to its end. */
  readonly searched?: Period;
}

export const SECRETS_MANAGER = "secretsmanager.amazonaws.com";

const FIRST_SLICE_MS = 6 * 3_600_000;
const SHORTEST_SLICE_MS = 60_000;
/** Slices grow while they are read in so few pages, and shrink above so many. */
const FEW_PAGES = 4;
const MANY_PAGES = 20;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 16_000;
const MOST_SILENCES = 3;

/** @throws RekeyError AWS_DENIED, AWS_FAILED, and AWS_UNANSWERED after four tries */
export async function searchHistory(ports: SearchPorts, period: Period, deadline: Date): Promise<History> {
  const events: SecretEvent[] = [];
  let [malformed, pages, sliceMs, toMs] = [0, 0, FIRST_SLICE_MS, period.toMs];
  while (toMs > period.fromMs) {
    const fromMs = Math.max(period.fromMs, toMs - sliceMs);
    const found = await readPeriod(ports, SECRETS_MANAGER, { fromMs, toMs }, deadline);
    if (found === undefined) break;
    events.push(...found.events);
    malformed += found.malformed;
    pages += found.pages;
    toMs = fromMs;
    if (found.pages <= FEW_PAGES) sliceMs *= 2;
    else if (found.pages > MANY_PAGES) sliceMs = Math.max(SHORTEST_SLICE_MS, sliceMs / 2);
  }
  const searched = toMs < period.toMs ? { searched: { fromMs: toMs, toMs: period.toMs } } : {};
  return { events, malformed, pages, ...searched };
}

/** @returns undefined if the time was over, or there were more pages than asked for, before the last one */
export async function readPeriod(
  ports: SearchPorts,
  source: string,
  period: Period,
  deadline: Date,
  mostPages = Number.POSITIVE_INFINITY,
): Promise<Found | undefined> {
  const events: SecretEvent[] = [];
  let [malformed, pages] = [0, 0];
  let token: string | undefined;
  do {
    if (pages >= mostPages) return undefined;
    const page = await ask(ports, source, period, token, deadline);
    if (page === undefined) return undefined;
    for (const record of page.records) {
      const extracted = extract(record);
      if ("event" in extracted) events.push(extracted.event);
      else if ("malformed" in extracted) malformed += 1;
    }
    pages += 1;
    token = page.next;
  } while (token !== undefined);
  return { events, malformed, pages };
}

async function ask(
  { accessLog, now, sleep }: SearchPorts,
  source: string,
  period: Period,
  token: string | undefined,
  deadline: Date,
) {
  for (let waits = 0, silences = 0; now() < deadline; ) {
    try {
      return await accessLog.page(source, period, token);
    } catch (error) {
      const code = error instanceof RekeyError ? error.code : undefined;
      if (code === "AWS_UNANSWERED") silences += 1;
      else if (code !== "AWS_THROTTLED") throw error;
      if (silences > MOST_SILENCES) throw error;
      const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** waits++);
      if (now().getTime() + waitMs >= deadline.getTime()) return undefined;
      await sleep(waitMs);
    }
  }
  return undefined;
}
