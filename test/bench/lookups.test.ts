/** The bench at a size that every test run can bear: what it promises is promised here, too. */
import { expect, test } from "vitest";
import { LOOKUP_LIMIT, lookupEfficiency } from "./lookups.ts";

test("the event history is read without a miss for little more than the least possible, and others miss or pay more", async () => {
  const found = await lookupEfficiency({ hours: 0.5, perSecond: 1 });
  expect(found).toMatchObject({ records: 1_800, planted: 18, isProven: true });
  expect(found.rekey).toMatchObject({ missed: 0, missedPlanted: 0 });
  expect(found.rekey.throttled).toBeGreaterThan(0);
  expect(found.ratio).toBeGreaterThanOrEqual(1);
  // So few calls a look that each refused one weighs more.
  expect((found.rekey.calls - found.rekey.throttled) / found.leastCalls).toBeLessThanOrEqual(LOOKUP_LIMIT);
  expect(found.withoutOverlap.missedPlanted).toBeGreaterThan(0);
  expect(found.firstPageByName.missedPlanted).toBeGreaterThan(0);
  expect(found.allPagesByName.missed).toBe(0);
  expect(found.allPagesByName.calls).toBeGreaterThan(found.rekey.calls * 1.3);
}, 120_000);
