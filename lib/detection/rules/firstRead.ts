import { ENTITLED, FIRST_READ, GROWTH } from "../calls.ts";
import type { Rule } from "../rule.ts";

const OTHER = { principal: { key: "arn:aws:iam::123456789012:role/reports" } };

export const firstRead: Rule = {
  id: "firstRead",
  says: "Somebody read a secret that they had never read before.",
  severity: "medium",
  attack: ["T1555.006"],
  family: "reading",
  when: { each: { all: [FIRST_READ, { not: { any: [ENTITLED, GROWTH] } }] } },
  falsePositives: [
    "A service that was given a new secret: it stops as soon as ECS shows it as a consumer, or the tag rekey:consumers names it.",
    "A job that runs once a quarter: what was read is remembered for ninety days.",
  ],
  fires: [{ what: "another role reads it", usually: [{}], events: [OTHER] }],
  silent: [
    {
      what: "who reads others every day reads one that was just made",
      usually: [{ ...OTHER, secret: "other" }],
      events: [{ action: "CreateSecret" }, { ...OTHER, afterSeconds: 86_400 }],
    },
    {
      what: "a person reads what is not production's",
      usually: [{}],
      events: [{ principal: { ...OTHER.principal, isPerson: true } }],
    },
    { what: "its own reader reads it", usually: [{}], events: [{}] },
    { what: "a consumer reads it", known: { consumers: ["reports"] }, usually: [{}], events: [OTHER] },
    {
      what: "who made it reads it",
      usually: [{ ...OTHER, action: "CreateSecret" }],
      events: [OTHER],
    },
  ],
};
