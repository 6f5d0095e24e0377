/** The audit log: whatever is done to what was written is found, and where it begins. */
import { describe, expect, test } from "vitest";
import { type AuditEntry, chained, checkChain, NOTHING_YET } from "../../lib/incident/audit.ts";

const AT = "2026-11-25T03:00:00.000Z";

function log(...whats: readonly string[]): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (const what of whats)
    entries.push(chained("inc-1", entries.at(-1) ?? NOTHING_YET, { at: AT, what, by: "UANN" }));
  return entries;
}
const whole = log("started", "asked", "agreed", "began");
const [first, second, third, fourth] = whole as [AuditEntry, AuditEntry, AuditEntry, AuditEntry];
const brokenAt = (stored: readonly unknown[], head = fourth) => {
  const checked = checkChain("inc-1", stored, head);
  return checked.holds ? undefined : checked.broken.seq;
};

test("a log as it was written holds, whatever order the fields are stored in", () => {
  const turned = whole.map((entry) => Object.fromEntries(Object.entries(entry).toReversed()));
  expect(checkChain("inc-1", turned, fourth)).toEqual({ holds: true, entries: 4 });
  expect(checkChain("inc-1", [], NOTHING_YET)).toEqual({ holds: true, entries: 0 });
});

describe("it no longer holds, and says from where on, if", () => {
  test.each([
    ["somebody else is said to have agreed", [first, second, { ...third, by: "UEVE" }, fourth], 3],
    ["an entry is taken out", [first, third, fourth], 2],
    ["the first is taken out", [second, third, fourth], 1],
    ["two change places", [first, third, second, fourth], 2],
    ["the last is cut off", [first, second, third], 4],
    ["all are gone", [], 1],
    ["one does not read", [first, second, "x", fourth], 3],
    ["one is of another run", [first, { ...second, chain: "inc-2" }, third, fourth], 2],
  ])("%s", (_what, stored, seq) => {
    expect(brokenAt(stored)).toBe(seq);
  });

  test("its end was written anew with hashes that fit, since the run's own record knows the old ones", () => {
    const forged = chained("inc-1", second, { at: AT, what: "agreed", by: "UEVE" });
    const after = chained("inc-1", forged, { at: AT, what: "began" });
    expect(brokenAt([first, second, forged, after])).toBe(4);
  });

  test("the run's own record is gone", () => {
    expect(checkChain("inc-1", whole, undefined)).toMatchObject({
      holds: false,
      broken: { because: "the run's own record is gone" },
    });
  });
});
