import { REFRESH, VALUE_WRITE } from "../calls.ts";
import type { Rule } from "../rule.ts";

const WRITE = { action: "PutSecretValue", principal: { key: "arn:aws:iam::123456789012:role/reports" } };

export const strangerWrites: Rule = {
  id: "strangerWrites",
  says: "Somebody who had never written a secret gave it another value.",
  severity: "high",
  attack: ["T1565.001"],
  family: "writing",
  when: {
    each: {
      all: [
        VALUE_WRITE,
        { isNew: "writer" },
        { not: { any: [{ secret: "made by the caller" }, { secret: "rotating" }, REFRESH] } },
      ],
    },
  },
  falsePositives: ["A person who takes over a secret: say so when the alert comes."],
  fires: [{ what: "another role writes it", usually: [{}], events: [WRITE] }],
  silent: [
    { what: "who always writes it", usually: [WRITE], events: [WRITE] },
    { what: "who made it", usually: [{ ...WRITE, action: "CreateSecret" }], events: [WRITE] },
    {
      what: "a rotation",
      usually: [{}],
      events: [{ action: "RotationStarted" }, { ...WRITE, afterSeconds: 5 }],
    },
  ],
};
