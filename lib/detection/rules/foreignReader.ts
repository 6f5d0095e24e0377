import { VALUE_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

export const foreignReader: Rule = {
  id: "foreignReader",
  says: "Somebody of another account read a secret.",
  severity: "high",
  attack: ["T1078.004"],
  family: "reading",
  when: {
    each: {
      all: [VALUE_READ, { who: "foreign" }],
    },
  },
  falsePositives: ["Services shared between accounts of one organisation: name the account once."],
  fires: [{ what: "a role of another account reads", events: [{ principal: { account: "999999999999" } }] }],
  silent: [
    { what: "a role of this account reads", events: [{}] },
    { what: "it is refused", events: [{ principal: { account: "999999999999" }, outcome: "denied" }] },
    {
      what: "a service reads in nobody's name",
      events: [{ principal: { kind: "service", account: "999999999999" } }],
    },
  ],
};
