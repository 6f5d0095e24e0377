import { REFRESH } from "../calls.ts";
import type { Rule } from "../rule.ts";

export const rotationCancelled: Rule = {
  id: "rotationCancelled",
  says: "A secret's rotation was turned off.",
  severity: "high",
  attack: ["T1562"],
  family: "blinding",
  when: {
    each: {
      all: [
        { is: { service: "secretsmanager", action: "CancelRotateSecret", outcome: "allowed" } },
        { not: REFRESH },
      ],
    },
  },
  falsePositives: ["A secret that is moved to another way of rotation: say so when the alert comes."],
  fires: [{ what: "it is turned off", events: [{ action: "CancelRotateSecret" }] }],
  silent: [
    { what: "it is refused", events: [{ action: "CancelRotateSecret", outcome: "denied" }] },
    { what: "a rotation is begun", events: [{ action: "RotateSecret" }] },
  ],
};
