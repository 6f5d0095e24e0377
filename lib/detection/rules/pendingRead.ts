import { REFRESH } from "../calls.ts";
import type { Rule } from "../rule.ts";

const PENDING = { version: { label: "AWSPENDING", known: "unknown" } } as const;

export const pendingRead: Rule = {
  id: "pendingRead",
  says: "Somebody read a value that is not in use yet, and is no rotation.",
  severity: "critical",
  attack: ["T1555.006"],
  family: "reading",
  when: {
    each: {
      all: [
        {
          is: {
            service: "secretsmanager",
            action: "GetSecretValue",
            label: "AWSPENDING",
            outcome: "allowed",
          },
        },
        { not: { any: [{ secret: "rotating" }, { isUsual: "writer" }, REFRESH] } },
      ],
    },
  },
  falsePositives: ["None: only who rotates a secret needs its next value."],
  fires: [{ what: "out of the blue", events: [PENDING] }],
  silent: [
    { what: "the version in use", events: [{}] },
    { what: "in a rotation", events: [{ action: "RotationStarted" }, { ...PENDING, afterSeconds: 1 }] },
    { what: "Rekey", known: { ourRoles: ["shop-task"] }, events: [PENDING] },
  ],
};
