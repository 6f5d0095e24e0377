import type { Rule } from "../rule.ts";

const GONE = { outcome: "failed", errorCode: "InvalidRequestException" } as const;

export const deletedSecretRead: Rule = {
  id: "deletedSecretRead",
  says: "Something still reads a secret that is about to be deleted.",
  severity: "low",
  attack: ["T1555.006"],
  family: "working",
  when: {
    distinct: "event",
    atLeast: 3,
    withinSeconds: 3_600,
    where: {
      is: { service: "secretsmanager", action: "GetSecretValue", errorCode: "InvalidRequestException" },
    },
  },
  falsePositives: ["None: a consumer was forgotten. Restore the secret before its days are over."],
  fires: [
    {
      what: "three times in an hour",
      events: [GONE, { ...GONE, afterSeconds: 60 }, { ...GONE, afterSeconds: 60 }],
    },
  ],
  silent: [
    { what: "once", events: [GONE] },
    {
      what: "a secret that there never was",
      events: [1, 2, 3].map(() => ({ outcome: "failed", errorCode: "ResourceNotFoundException" }) as const),
    },
  ],
};
