import { PLAIN_READ, RIGHTS_CHANGED } from "../calls.ts";
import type { Rule } from "../rule.ts";

const GRANT = { service: "iam", action: "AttachRolePolicy" };
const LATER = { afterSeconds: 600 };

export const grantedThenRead: Rule = {
  id: "grantedThenRead",
  says: "Somebody changed who may do what, and then read a secret that they had never read.",
  severity: "high",
  attack: ["T1098", "T1555.006"],
  family: "opening",
  when: {
    first: RIGHTS_CHANGED,
    next: { all: [PLAIN_READ, { isNew: "reader" }, { not: { secret: "made by the caller" } }] },
    atLeast: 1,
    withinSeconds: 3_600,
    of: "any secrets",
  },
  falsePositives: [
    "An administrator who sets up a service and looks whether it can read: let a role do the looking.",
  ],
  fires: [
    {
      what: "ten minutes later",
      usually: [{ secret: "other" }],
      events: [GRANT, LATER],
    },
  ],
  silent: [
    { what: "what it reads every day", usually: [{}], events: [GRANT, LATER] },
    {
      what: "two hours later",
      usually: [{ secret: "other" }],
      events: [GRANT, { afterSeconds: 7_200 }],
    },
    {
      what: "the change was refused",
      usually: [{ secret: "other" }],
      events: [{ ...GRANT, outcome: "denied" }, LATER],
    },
  ],
};
