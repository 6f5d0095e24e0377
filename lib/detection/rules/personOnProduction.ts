import { PLAIN_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

const PERSON = { principal: { key: "arn:aws:iam::123456789012:role/AWSReservedSSO_ops", isPerson: true } };

export const personOnProduction: Rule = {
  id: "personOnProduction",
  says: "A person read a secret of production.",
  severity: "medium",
  attack: ["T1555.006"],
  family: "reading",
  when: {
    each: {
      all: [PLAIN_READ, { who: "person" }, { secret: "production" }, { not: { secret: "approved" } }],
    },
  },
  falsePositives: ["On-call work: ask for an approval first, and it is silent."],
  fires: [
    { what: "a secret that is known to be production's", known: { isProduction: true }, events: [PERSON] },
    { what: "a secret whose name says so", events: [{ ...PERSON, secret: "prod/database" }] },
  ],
  silent: [
    { what: "another secret", events: [PERSON] },
    { what: "a task", known: { isProduction: true }, events: [{}] },
    {
      what: "with an approval",
      known: { isProduction: true, approval: { fromSeconds: -60, toSeconds: 3_600 } },
      events: [PERSON],
    },
  ],
};
