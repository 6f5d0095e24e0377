import { PLAIN_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

const PERSON = { principal: { key: "arn:aws:iam::123456789012:role/AWSReservedSSO_ops", isPerson: true } };

export const approvalMissing: Rule = {
  id: "approvalMissing",
  says: "A secret for emergencies was read, and nobody had approved it.",
  severity: "high",
  attack: ["T1555.006"],
  family: "reading",
  when: {
    each: { all: [PLAIN_READ, { secret: "break glass" }, { not: { secret: "approved" } }] },
  },
  falsePositives: ["An emergency in which nobody asked first: approve it afterwards, with the reason."],
  fires: [
    { what: "without an approval", known: { isBreakGlass: true }, events: [PERSON] },
    {
      what: "an hour after the approval ended",
      known: { isBreakGlass: true, approval: { fromSeconds: -7_200, toSeconds: -3_600 } },
      events: [PERSON],
    },
  ],
  silent: [
    {
      what: "with an approval",
      known: { isBreakGlass: true, approval: { fromSeconds: -60, toSeconds: 60 } },
      events: [PERSON],
    },
    { what: "another secret", known: { isProduction: true }, events: [PERSON] },
  ],
};
