import { ENTITLED, FIRST_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

const OTHER = { principal: { key: "arn:aws:iam::123456789012:role/reports" }, afterSeconds: 40 * 86_400 };

export const dormantWoken: Rule = {
  id: "dormantWoken",
  says: "A secret that nobody had read for two months was read.",
  severity: "medium",
  attack: ["T1555.006"],
  family: "reading",
  when: { each: { all: [FIRST_READ, { secret: "dormant" }, { not: ENTITLED }] } },
  falsePositives: ["A job that runs once a quarter: it is remembered for ninety days."],
  fires: [{ what: "by somebody who never had", usually: [{}], events: [{ secret: "x" }, OTHER] }],
  silent: [
    { what: "by its own reader", usually: [{}], events: [{ secret: "x" }, { afterSeconds: 40 * 86_400 }] },
    { what: "after a month", usually: [{}], events: [{ ...OTHER, afterSeconds: 0 }] },
  ],
};
