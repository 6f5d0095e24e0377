/** A drill against the last ones, and how the channel hears of it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadRunbook } from "../../lib/adapters/runbooks.ts";
import {
  compareDrills,
  type Drill,
  type DrillResult,
  drillMessage,
  drillResult,
} from "../../lib/incident/drill.ts";
import { readDrill } from "../../lib/incident/drillRecord.ts";
import type { Run } from "../../lib/incident/run.ts";

const runbook = await loadRunbook("secret-compromised");
const drilled = (month: number, result?: Partial<DrillResult>): Drill => {
  const name = `2026-${String(month).padStart(2, "0")}`;
  return {
    ...{ run: `inc-${month}`, name, secret: "canary/database", startedAt: `${name}-10T09:00:00.000Z` },
    ...(result && { result: { as: "completed", failed: [], ...result } }),
  };
};
const took = (month: number, containSeconds: number) => drilled(month, { containSeconds });
const past = [
  took(6, 100),
  took(7, 140),
  drilled(8, { missing: "a step failed" }),
  took(9, 120),
  drilled(10),
];

test.each([
  ["as usual", took(11, 150)],
  ["slower", took(11, 181)],
  ["faster", took(11, 119)],
  ["not contained", drilled(11, { missing: "nobody answered" })],
])("against the middle of the last ones, 120 s, it is %s", (verdict, drill) => {
  expect(compareDrills(drill, past)).toMatchObject({ verdict, usualSeconds: 120, bestSeconds: 100 });
});

test("the first on record is held against nothing, and what came later or is under way does not count", () => {
  const first = took(5, 300);
  expect(compareDrills(first, [...past, first])).toEqual({ verdict: "first", last: [] });
  expect(compareDrills(took(11, 100), past).last.map(({ name }) => name)).toEqual([
    "2026-09",
    "2026-08",
    "2026-07",
    "2026-06",
  ]);
});

test("a drill that was not contained is never called fast, whatever came before", () => {
  const any = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 10 }), fc.option(fc.nat(9_999), { nil: undefined })),
  );
  fc.assert(
    fc.property(any, fc.option(fc.nat(9_999), { nil: undefined }), (before, seconds) => {
      const drills = before.map(([month, contain]) =>
        drilled(month, contain === undefined ? {} : { containSeconds: contain }),
      );
      const { verdict, last } = compareDrills(
        drilled(11, seconds === undefined ? {} : { containSeconds: seconds }),
        drills,
      );
      expect(verdict === "not contained").toBe(seconds === undefined);
      expect(verdict === "first").toBe(
        seconds !== undefined && last.every(({ result }) => result?.containSeconds === undefined),
      );
    }),
  );
});

test("a run's result has its times by the providers' clocks, and names what failed", () => {
  const step = { silences: 0, attempts: 1, asks: 1 };
  const proof = {
    check: "oldValueRefused",
    shows: "refused",
    at: "2026-11-10T09:02:30.000Z",
    providerAt: "2026-11-10T09:02:00.000Z",
  };
  const run: Run = {
    ...{
      id: "inc-11",
      runbook: { id: runbook.id, hash: runbook.hash },
      inputs: { secret: "canary/database" },
    },
    ...{ requestedBy: { rekey: "schedule" }, startedAt: "2026-11-10T09:00:00.000Z", revision: 9 },
    steps: {
      killOld: { ...step, status: "done", proof },
      keyOff: { ...step, status: "skipped" },
      endSessions: { ...step, status: "skipped" },
      reach: { ...step, status: "failed", because: "denied" },
    },
    ended: { as: "cancelled", at: "2026-11-10T10:00:00.000Z", because: "enough", by: "UANN" },
  };
  expect(drillResult(run, runbook)).toEqual({
    containSeconds: 120,
    as: "cancelled",
    failed: ["See who read what"],
  });
  expect(drillResult({ ...run, steps: {} }, runbook)).toMatchObject({
    missing: "it is not contained: a step that contains is open, failed, or none was needed",
  });
});

test("the message says first what came of it, then the last ones, and that it was a drill", () => {
  const drill = drilled(11, {
    containSeconds: 200,
    acknowledgeSeconds: 42,
    failed: ["Tell <!channel> *all*"],
  });
  const { text, blocks } = drillMessage(
    drill,
    compareDrills(drill, past),
    "https://console.example/a?b=1&c=2",
  );
  expect(text).toBe("Drill: contained after 3 min 20 s, slower; the last ones took 2 min 0 s");
  const all = JSON.stringify(blocks);
  expect(all).toContain(":warning: *Drill: contained after 3 min 20 s");
  expect(all).toContain("This was a drill with the canary `canary/database`. Nothing else was touched.");
  expect(all).toContain("To acknowledge: 42 s\\nTo contain: 3 min 20 s\\nTo recover: not known");
  expect(all).toContain("• 2026-09-10  2 min 0 s\\n• 2026-08-10  not contained");
  expect(all).toContain("<https://console.example/a?b=1&amp;c=2|Its post-mortem>");
  expect(all).not.toContain("<!channel>");
});

test("one that was not contained is told as plainly", () => {
  const drill = drilled(11, { missing: "nobody answered", as: "unfinished" });
  const { text, blocks } = drillMessage(drill, compareDrills(drill, past));
  expect(text).toBe("Drill: not contained: nobody answered");
  expect(JSON.stringify(blocks)).toContain("The run was unfinished.");
});

test("a stored drill reads back, and a damaged one is told by its fields", () => {
  expect(readDrill(took(6, 100))).toEqual(took(6, 100));
  expect(() => readDrill({ ...took(6, 100), startedAt: "soon" })).toThrow("startedAt");
});
