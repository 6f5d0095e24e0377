import { expect, test } from "vitest";
import { type Found, judge, ratesOf } from "./judge.ts";

const ATTACK = { principals: ["thief", "helper"], fromMs: 1_000, toMs: 2_000, secrets: ["a"] };

const found = (changes: Partial<Found>): Found => ({
  rule: "r",
  rules: ["r"],
  severity: "low",
  principal: "thief",
  secrets: ["a"],
  firstMs: 1_500,
  lastMs: 1_500,
  firstEventId: "e",
  lastEventId: "e",
  ...changes,
});
const { principal: _, ...nobodys } = found({});

test.each([
  ["within the attack", found({}), true],
  ["by another one of its principals", found({ principal: "helper" }), true],
  ["about another secret, by its principal", found({ secrets: ["b"] }), true],
  ["begun before it and ended in its first second", found({ firstMs: 0, lastMs: 1_000 }), true],
  ["begun in its last second", found({ firstMs: 2_000, lastMs: 9_000 }), true],
  ["around it", found({ firstMs: 0, lastMs: 9_000 }), true],
  ["ended before it", found({ firstMs: 0, lastMs: 999 }), false],
  ["begun after it", found({ firstMs: 2_001, lastMs: 9_000 }), false],
  ["by somebody else, about its secret", found({ principal: "task" }), false],
  ["by nobody, about its secret", nobodys, true],
  ["by nobody, about another secret", { ...nobodys, secrets: ["b"] }, false],
  ["by nobody, about no secret", { ...nobodys, secrets: [] }, false],
])("a finding %s", (_what, finding, isOfIt) => {
  expect(judge([finding], [ATTACK])).toEqual({
    caught: isOfIt ? [ATTACK] : [],
    missed: isOfIt ? [] : [ATTACK],
    ofAttacks: isOfIt ? [finding] : [],
    mistaken: isOfIt ? [] : [finding],
  });
});

test("two findings of one attack catch it once, and one finding may catch two", () => {
  const other = { ...ATTACK, secrets: ["b"] };
  const findings = [found({}), found({ rule: "s" })];
  const verdict = judge(findings, [ATTACK, other]);
  expect(verdict.caught).toEqual([ATTACK, other]);
  expect(verdict.ofAttacks).toEqual(findings);
});

test.each([
  {
    tally: { planted: 4, caught: 3, findings: 10, mistaken: 2, tenantDays: 60 },
    episodeRecall: 0.75,
    precision: 0.8,
    findingsPerTenantDay: 10 / 60,
    falsePerTenantDay: 2 / 60,
  },
  {
    tally: { planted: 2, caught: 0, findings: 0, mistaken: 0, tenantDays: 30 },
    episodeRecall: 0,
    precision: 1,
    findingsPerTenantDay: 0,
    falsePerTenantDay: 0,
  },
  {
    tally: { planted: 0, caught: 0, findings: 3, mistaken: 3, tenantDays: 30 },
    episodeRecall: 1,
    precision: 0,
    findingsPerTenantDay: 0.1,
    falsePerTenantDay: 0.1,
  },
])(
  "the rates of $tally.caught of $tally.planted attacks and $tally.mistaken of $tally.findings findings",
  ({ tally, ...rates }) => {
    expect(ratesOf(tally)).toEqual(rates);
  },
);
