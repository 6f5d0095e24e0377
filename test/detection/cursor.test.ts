import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gapsBetween, isBehind, lagSeconds, seededShare } from "../../lib/detection/coverage.ts";
import {
  afterPage,
  afterRefusal,
  type Cursor,
  HISTORY_MS,
  newCursor,
  newSeed,
  nextWindow,
} from "../../lib/detection/cursor.ts";
import { readCursor } from "../../lib/detection/cursorStore.ts";
import { readPage } from "../../lib/detection/seen.ts";
import { RekeyError } from "../../lib/errors.ts";
import { type ScanReport, scanAccess } from "../../lib/journeys/scanAccess.ts";
import { EventHistory } from "../standin/lookupEvents.ts";
import { directLog, JumpingClock, MemoryCursors, PLACE, readAt } from "./scanWorld.ts";

const NOON = "2026-11-25T12:00:00Z";
const at = (clock: string) => Date.parse(`2026-11-25T${clock}Z`);
const clockOf = (ms: number | undefined) => new Date(ms ?? 0).toISOString().slice(11, 19);
const window = (cursor: Cursor | undefined) =>
  cursor?.open && `${clockOf(cursor.open.fromMs)}-${clockOf(cursor.open.toMs)}`;

/** One page, and whether there is more. */
function turn(cursor: Cursor, nowMs: number, records: readonly unknown[] = [], token?: string): Cursor {
  return afterPage(cursor, readPage(cursor, new Set(), records), token, nowMs);
}
/** Opens what is due and reads it to its end. */
function scanned(cursor: Cursor, nowMs: number, records: readonly unknown[] = []): Cursor {
  const due = nextWindow(cursor, nowMs);
  if (!due) throw new Error("nothing is due");
  return turn(due, nowMs, records);
}

describe("the window that is read next", () => {
  test("begins where everything has arrived and ends two minutes ago", () => {
    expect(window(nextWindow(newCursor(PLACE, at("12:00:00")), at("12:00:00")))).toBe("11:38:00-11:58:00");
  });

  test("overlaps the one before by twenty minutes", () => {
    const first = scanned(newCursor(PLACE, at("12:00:00")), at("12:00:00"));
    expect(window(nextWindow(first, at("12:05:00")))).toBe("11:38:00-12:03:00");
    const second = scanned(first, at("12:05:00"));
    expect(window(nextWindow(second, at("12:10:00")))).toBe("11:43:00-12:08:00");
  });

  test("is not due again when the schedule comes twice", () => {
    const first = scanned(newCursor(PLACE, at("12:00:00")), at("12:00:00"));
    expect(nextWindow(first, at("12:00:30"))).toBeUndefined();
  });

  test("stays as it was opened, however long it is read, and the next one makes up for what came meanwhile", () => {
    const opened = nextWindow(newCursor(PLACE, at("12:00:00")), at("12:00:00"));
    const half = turn(opened as Cursor, at("12:00:01"), [readAt("a", at("11:50:00"))], "token-2");
    const later = nextWindow(half, at("12:40:00"));
    expect(window(later)).toBe("11:38:00-11:58:00");
    expect(later?.open).toMatchObject({ token: "token-2", pages: 1, records: 1 });
    const closed = turn(later as Cursor, at("12:40:01"));
    // Its first page was read at 12:00, so nothing after 11:38 is settled by it.
    expect(window(nextWindow(closed, at("12:40:01")))).toBe("11:38:00-12:38:01");
  });

  test("of a long absence is an hour, the oldest first, and what is long over is read once", () => {
    let cursor = scanned(newCursor(PLACE, at("06:00:00")), at("06:00:00"));
    const read: (string | undefined)[] = [];
    for (let due = nextWindow(cursor, at("09:30:00")); due; due = nextWindow(cursor, at("09:30:00"))) {
      read.push(window(due));
      cursor = turn(due, at("09:30:00"));
    }
    expect(read).toEqual([
      "05:38:00-06:58:00",
      "06:58:00-07:58:00",
      "07:58:00-08:58:00",
      "08:58:00-09:28:00",
    ]);
    expect(window(nextWindow(cursor, at("09:35:00")))).toBe("09:08:00-09:33:00");
  });

  test("after more than ninety days leaves a gap, and says which", () => {
    const cursor = scanned(newCursor(PLACE, at("12:00:00")), at("12:00:00"));
    const later = at("12:00:00") + HISTORY_MS + 600_000;
    const back = nextWindow(cursor, later);
    expect(back?.gaps).toEqual([{ fromMs: at("11:58:00"), toMs: at("12:10:01") }]);
    expect(window(back)).toBe("12:10:01-13:10:01");
  });

  test("that grew older than the history while it was open is a gap, too", () => {
    const opened = nextWindow(newCursor(PLACE, at("12:00:00")), at("12:00:00")) as Cursor;
    const half = turn(opened, at("12:00:01"), [], "token-2");
    const back = nextWindow(half, at("12:00:00") + HISTORY_MS);
    expect(back?.gaps).toEqual([{ fromMs: at("11:38:00"), toMs: at("12:00:01") }]);
    expect(back?.open?.token).toBeUndefined();
  });
});

describe("a token that is refused", () => {
  const opened = nextWindow(newCursor(PLACE, at("12:00:00")), at("12:00:00")) as Cursor;
  const [newest, older] = [readAt("newest", at("11:57:00")), readAt("older", at("11:50:30"))];

  test("lets the same window go on from the second that was reached, where the same record counts once", () => {
    const half = turn(opened, at("12:00:00"), [newest, older], "token-2");
    const anew = afterRefusal(half, true) as Cursor;
    expect(window(anew)).toBe("11:38:00-11:58:00");
    expect(anew.open).toMatchObject({ askedToMs: at("11:50:31"), pages: 1 });
    expect(anew.open?.token).toBeUndefined();
    const page = readPage(anew, new Set(), [older, readAt("oldest", at("11:40:00"))]);
    expect(page.fresh).toEqual([readAt("oldest", at("11:40:00"))]);
  });

  test("has the whole window read again if pages did not come the newest first", () => {
    const half = turn(turn(opened, 0, [older], "token-2"), 0, [newest], "token-3");
    expect(afterRefusal(half, true)?.open).toMatchObject({ askedToMs: at("11:58:00") });
  });

  test("is an end when the window came no further since the last one", () => {
    const half = turn(opened, 0, [older], "token-2");
    const again = turn(afterRefusal(half, false) as Cursor, 0, [older], "token-3");
    expect(afterRefusal(again, false)).toBeUndefined();
    // An earlier scan may have had no time for more.
    expect(afterRefusal(again, true)?.open).toMatchObject({ askedToMs: at("11:50:31") });
  });
});

describe("the ids that are remembered", () => {
  test("are those of the time that will be read again", () => {
    const early = readAt("early", at("06:00:00"));
    const late = readAt("late", at("06:55:00"));
    const first = scanned(newCursor(PLACE, at("06:00:00")), at("06:00:00"));
    const due = nextWindow(first, at("07:10:00")) as Cursor;
    const page = readPage(due, new Set(), [late, early]);
    expect(Object.values(page.remember)).toEqual([at("06:55:00")]);
    const next = turn(due, at("07:10:00"), [late, early]);
    expect(Object.values(next.recent)).toEqual([at("06:55:00")]);
    const third = scanned(next, at("07:30:00"));
    expect(third.recent).toEqual({});
  });

  test("are told apart from records without any, which are never taken for each other", () => {
    const due = nextWindow(newCursor(PLACE, at("12:00:00")), at("12:00:00")) as Cursor;
    const strange = [{}, {}, null, 7, [], "broken {", "broken {", { eventID: 5 }, { eventTime: "never" }];
    expect(readPage(due, new Set(), strange).fresh).toEqual([
      {},
      {},
      null,
      7,
      [],
      "broken {",
      { eventID: 5 },
      { eventTime: "never" },
    ]);
  });

  test("do not carry the cursor past records whose time is not within the window", () => {
    const due = nextWindow(newCursor(PLACE, at("12:00:00")), at("12:00:00")) as Cursor;
    const half = turn(due, 0, [readAt("a", at("11:50:00")), readAt("lie", at("03:00:00"))], "token");
    expect(afterRefusal(half, true)?.open?.askedToMs).toBe(at("11:50:01"));
  });
});

describe("the seed", () => {
  test("walks back through ninety days, a day at a time, and is complete at the horizon", () => {
    const live = newCursor(PLACE, at("12:00:00"));
    let seed = newSeed(live);
    const days: number[] = [];
    for (let due = nextWindow(seed, at("12:00:00")); due?.open; due = nextWindow(seed, at("12:00:00"))) {
      days.push((due.open.toMs - due.open.fromMs) / 3_600_000);
      seed = turn(due, at("12:00:00"));
    }
    expect(days.length).toBe(90);
    expect(days.slice(0, 89)).toEqual(Array(89).fill(24));
    // Less the twenty-two minutes that are still the scan's own.
    expect(days[89]).toBeCloseTo(24 - 22 / 60, 2);
    expect(seed).toMatchObject({ toMs: live.fromMs, completeAtMs: at("12:00:00") });
    expect(nextWindow(seed, at("13:00:00"))).toBeUndefined();
  });

  test("goes on with the day in which it was interrupted", () => {
    const seed = nextWindow(newSeed(newCursor(PLACE, at("12:00:00"))), at("12:00:00")) as Cursor;
    const half = turn(seed, at("12:00:00"), [], "token-2");
    expect(nextWindow(half, at("18:00:00"))?.open).toMatchObject({ token: "token-2", toMs: at("11:38:00") });
  });

  test("whose rest is older than the history has become complete", () => {
    const seed = newSeed(newCursor(PLACE, at("12:00:00")));
    const later = at("12:00:00") + HISTORY_MS;
    expect(nextWindow(seed, later)).toEqual({ ...seed, completeAtMs: later });
  });

  test("tells how much of the history it has been through", () => {
    const seed = newSeed(newCursor(PLACE, at("12:00:00")));
    expect(seededShare({ ...seed, fromMs: seed.toMs - HISTORY_MS / 4 }, HISTORY_MS)).toBe(0.25);
    expect(seededShare({ ...seed, completeAtMs: 1 }, HISTORY_MS)).toBe(1);
  });
});

describe("the proof", () => {
  const period = (from: string, to: string) => ({ fromMs: at(from), toMs: at(to) });

  test("finds a planted gap, whatever the order", () => {
    const windows = [
      period("11:00:00", "11:30:00"),
      period("10:00:00", "10:40:00"),
      period("10:20:00", "10:59:59"),
    ];
    expect(gapsBetween(windows)).toEqual([period("10:59:59", "11:00:00")]);
  });

  test("holds for windows that touch, overlap or enclose each other", () => {
    const windows = [
      period("10:00:00", "11:00:00"),
      period("10:10:00", "10:20:00"),
      period("11:00:00", "12:00:00"),
    ];
    expect(gapsBetween(windows)).toEqual([]);
  });

  test("is behind when more than an interval waits beyond the two minutes that are too young", () => {
    const cursor = scanned(newCursor(PLACE, at("12:00:00")), at("12:00:00"));
    expect([lagSeconds(cursor, at("12:00:00")), isBehind(cursor, at("12:05:00"))]).toEqual([120, false]);
    expect(isBehind(cursor, at("12:05:01"))).toBe(true);
  });
});

test.each<[string, Record<string, unknown>]>([
  ["toMs", { toMs: "soon" }],
  ["kind", { kind: "other" }],
  ["recent", { recent: [] }],
  ["totals.pages", { totals: { windows: 1, records: 1, fresh: 1 } }],
  ["open.askedToMs", { open: { fromMs: 1 } }],
])("a stored cursor with a wrong %s is refused by that name", (field, changes) => {
  const stored = { ...newCursor(PLACE, at("12:00:00")), ...changes };
  expect(() => readCursor(stored)).toThrow(field);
});

/** What happens to a run of scans: when each begins, and where the world gives way under it. */
const story = fc.record({
  events: fc.array(
    fc.record({ second: fc.integer({ min: -1_800, max: 7_200 }), delay: fc.integer({ min: 0, max: 1_200 }) }),
    { maxLength: 60 },
  ),
  /** Of each, in the same second. */
  copies: fc.constantFrom(1, 2, 20),
  scans: fc.array(
    fc.record({
      afterSeconds: fc.integer({ min: 1, max: 1_500 }),
      isDoubled: fc.boolean(),
      /** The outside call at which the process dies: before it, or after it took effect. */
      diesAt: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
      diesAfter: fc.boolean(),
      patienceSeconds: fc.integer({ min: 1, max: 300 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  tokenSeconds: fc.constantFrom(1, 30, 1e9),
  pageSize: fc.constantFrom(1, 3, 50),
});

class Died extends Error {}

test("whatever arrives late, dies, or runs twice: every record is taken, counts once, and no time is left out", async () => {
  await fc.assert(
    fc.asyncProperty(story, async ({ copies, scans, tokenSeconds, pageSize, ...planned }) => {
      const events = planned.events.flatMap((event) => Array<typeof event>(copies).fill(event));
      const clock = new JumpingClock(NOON);
      const start = clock.ms;
      const history = new EventHistory({ now: () => clock.ms, tokenSeconds });
      const cursors = new MemoryCursors();
      const log = directLog(history, pageSize);
      const taken = new Map<string, number>();
      const reports: ScanReport[] = [];
      const waiting = events
        .map(({ second, delay }, index) => ({ id: `e${index}`, atMs: start + second * 1000, delay }))
        .toSorted((a, b) => a.atMs + a.delay * 1000 - (b.atMs + b.delay * 1000));
      const arrive = () => {
        while (waiting[0] && waiting[0].atMs + waiting[0].delay * 1000 <= clock.ms) {
          const { id, atMs } = waiting.shift() as (typeof waiting)[number];
          history.add(readAt(id, atMs), 0);
        }
      };
      let isDoubled = false;
      const scan = async (diesAt = Number.POSITIVE_INFINITY, diesAfter = false, patienceSeconds = 300) => {
        let calls = 0;
        const mortal =
          <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
          async (...args: A): Promise<R> => {
            calls += 1;
            if (calls >= diesAt && !diesAfter) throw new Died();
            const result = await call(...args);
            if (calls >= diesAt) throw new Died();
            return result;
          };
        const ports = {
          accessLog: {
            place: log.place,
            page: mortal(async (...args: Parameters<typeof log.page>) => {
              clock.ms += 700;
              arrive();
              return log.page(...args);
            }),
          },
          cursors: {
            read: cursors.read,
            filed: cursors.filed,
            save: mortal(cursors.save),
            file: mortal(cursors.file),
            forget: mortal(cursors.forget),
          },
          take: mortal(async (records: readonly unknown[]) => {
            for (const one of records) {
              const { eventID } = one as { eventID: string };
              taken.set(eventID, (taken.get(eventID) ?? 0) + 1);
            }
          }),
          tell: () => {},
          now: clock.now,
          sleep: clock.sleep,
        };
        const deadline = new Date(clock.ms + patienceSeconds * 1000);
        try {
          reports.push(await scanAccess(ports, { deadline }));
        } catch (error) {
          // Two at once can outlive each other's tokens; what then fails is gone on with by the next.
          const isRefused = error instanceof RekeyError && error.code === "AWS_FAILED" && isDoubled;
          if (!(error instanceof Died || isRefused)) throw error;
        }
      };
      for (const { afterSeconds, diesAt, diesAfter, patienceSeconds, ...rest } of scans) {
        isDoubled = rest.isDoubled;
        clock.ms += afterSeconds * 1000;
        arrive();
        const one = scan(diesAt, diesAfter, patienceSeconds);
        await Promise.all(isDoubled ? [one, scan()] : [one]);
      }
      isDoubled = false;
      // Until all has arrived and is settled.
      clock.ms = Math.max(clock.ms, start + 7_200_000) + 1_400_000;
      arrive();
      for (let rest = 0; rest < 200; rest++) {
        await scan();
        if (reports.at(-1)?.seed.completeAt !== undefined && reports.at(-1)?.outcome === "caught up") break;
        clock.ms += 300_000;
      }
      const ids = events.map((_, index) => `e${index}`);
      expect(ids.filter((id) => !taken.has(id))).toEqual([]);
      const [live, seed] = [cursors.cursors.get("live"), cursors.cursors.get("seed")];
      expect((live?.totals.fresh ?? 0) + (seed?.totals.fresh ?? 0)).toBe(ids.length);
      expect(reports.flatMap(({ gaps }) => gaps)).toEqual([]);
      expect(live?.gaps).toEqual([]);
      expect(Object.keys(live?.recent ?? {}).length).toBeLessThanOrEqual(ids.length);
    }),
    { numRuns: 200 },
  );
}, 60_000);

test("a busy half hour is counted once, in a cursor that stays small, and is forgotten when nothing of it can be met again", async () => {
  const clock = new JumpingClock(NOON);
  const history = new EventHistory({ now: () => clock.ms });
  const cursors = new MemoryCursors();
  let taken = 0;
  const ports = {
    accessLog: directLog(history, 50),
    cursors,
    take: async (records: readonly unknown[]) => {
      taken += records.length;
    },
    tell: () => {},
    now: clock.now,
    sleep: clock.sleep,
  };
  const sizes: number[] = [];
  const lots: number[] = [];
  for (let look = 0; look < 14; look++) {
    // Two reads a second, until half an hour is over.
    for (let second = 0; second < 300 && look < 6; second++)
      for (const one of ["a", "b"]) history.add(readAt(`${look}.${second}.${one}`, clock.ms + second * 1000));
    clock.ms += 300_000;
    await scanAccess(ports, { deadline: new Date(clock.ms + 250_000) });
    sizes.push(JSON.stringify(cursors.cursors.get("live")).length);
    lots.push(cursors.lots.size);
  }
  expect(taken).toBe(3_600);
  expect(cursors.cursors.get("live")?.totals.fresh).toBe(3_600);
  expect(cursors.cursors.get("live")?.totals.records).toBeGreaterThan(14_000);
  expect(Math.max(...lots)).toBeGreaterThan(8);
  expect(Math.max(...sizes)).toBeLessThan(16_000);
  expect(lots.at(-1)).toBe(0);
  expect(sizes.at(-1)).toBeLessThan(1_000);
});
