import { REFRESH, VALUE_WRITE } from "../calls.ts";
import type { Rule } from "../rule.ts";

const WRITE = {
  action: "PutSecretValue",
  newVersion: "v2",
  principal: { key: "arn:aws:iam::123456789012:role/reports" },
};

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
        { any: [{ not: { who: "person" } }, { secret: "production" }] },
        { not: { any: [{ secret: "made by the caller" }, { secret: "rotating" }, REFRESH] } },
      ],
    },
  },
  falsePositives: ["A person who takes over a secret: say so when the alert comes."],
  fires: [{ what: "another role writes it", usually: [{}], events: [WRITE] }],
  silent: [
    {
      what: "another description",
      usually: [{}],
      events: [{ action: "UpdateSecret", principal: WRITE.principal, request: { description: "what for" } }],
    },
    { what: "who always writes it", usually: [WRITE], events: [WRITE] },
    { what: "who made it", usually: [{ ...WRITE, action: "CreateSecret" }], events: [WRITE] },
    {
      what: "a rotation",
      usually: [{}],
      events: [{ action: "RotationStarted" }, { ...WRITE, afterSeconds: 5 }],
    },
  ],
};
