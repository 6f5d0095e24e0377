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
  ],
  silent: [
    {
      what: "it can be restored for a week",
      events: [{ action: "DeleteSecret", request: { recoveryWindowInDays: 7 } }],
    },
    {
      what: "it is refused",
      events: [{ action: "DeleteSecret", outcome: "denied", request: { forceDeleteWithoutRecovery: true } }],
    },
  ],
};
