import { REFRESH } from "../calls.ts";
import type { Rule } from "../rule.ts";

const deletion = (secret: string, afterSeconds = 0) => ({ action: "DeleteSecret", secret, afterSeconds });

export const manyDeletions: Rule = {
  id: "manyDeletions",
  says: "Several secrets were deleted within an hour.",
  severity: "high",
  attack: ["T1485"],
  family: "destroying",
  when: {
    distinct: "secret",
    atLeast: 3,
    withinSeconds: 3_600,
    where: {
      all: [
        { is: { service: "secretsmanager", action: "DeleteSecret", outcome: "allowed" } },
        { not: REFRESH },
      ],
    },
  },
  falsePositives: ["An environment that is torn down: suppress the role that does it, for its secrets."],
  fires: [
    { what: "three within the hour", events: [deletion("a"), deletion("b", 1_800), deletion("c", 1_800)] },
  ],
  silent: [
    {
      what: "three over more than an hour",
      events: [deletion("a"), deletion("b", 1_800), deletion("c", 1_801)],
    },
    { what: "one three times", events: [deletion("a"), deletion("a", 1), deletion("a", 1)] },
  ],
};
