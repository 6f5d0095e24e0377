import { REFRESH } from "../calls.ts";
import type { Rule } from "../rule.ts";

export const forcedDeletion: Rule = {
  id: "forcedDeletion",
  says: "A secret was deleted for good, without the days in which it could be restored.",
  severity: "high",
  attack: ["T1485"],
  family: "destroying",
  when: {
    each: {
      all: [
        { is: { service: "secretsmanager", action: "DeleteSecret", outcome: "allowed" } },
        { parameter: "forceDeleteWithoutRecovery", equals: true },
        { not: REFRESH },
      ],
    },
  },
  falsePositives: [
    "Test environments that are torn down: suppress the role that tears them down, for their secrets.",
  ],
  fires: [
    {
      what: "it is forced",
      events: [{ action: "DeleteSecret", request: { forceDeleteWithoutRecovery: true } }],
    },
    {
      what: "by somebody who has the key of the tool that has just made it",
      events: [
        { action: "CreateSecret" },
        { action: "GetResourcePolicy", afterSeconds: 1 },
        { action: "DeleteSecret", request: { forceDeleteWithoutRecovery: true }, afterSeconds: 60 },
      ],
    },
  ],
  silent: [
    {
      what: "it can be restored for a week",
      events: [{ action: "DeleteSecret", request: { recoveryWindowInDays: 7 } }],
    },
    {
      what: "by a tool that has just compared its state with what is deployed",
      events: [
        { action: "GetResourcePolicy" },
        { action: "DeleteSecret", request: { forceDeleteWithoutRecovery: true }, afterSeconds: 60 },
      ],
    },
    {
      what: "it is refused",
      events: [{ action: "DeleteSecret", outcome: "denied", request: { forceDeleteWithoutRecovery: true } }],
    },
  ],
};
