import { REFRESH } from "../calls.ts";
import type { Rule } from "../rule.ts";

export const deniedThenAllowed: Rule = {
  id: "deniedThenAllowed",
  says: "Somebody who was refused a secret was given it within a day.",
  severity: "medium",
  attack: ["T1098", "T1555.006"],
  family: "searching",
  when: {
    first: {
      all: [
        { is: { service: "secretsmanager", action: "GetSecretValue", outcome: "denied" } },
        { not: { any: [{ secret: "mapped to the reader" }, { isUsual: "reader" }] } },
      ],
    },
    next: {
      all: [
        { is: { service: "secretsmanager", action: "GetSecretValue", outcome: "allowed" } },
        { not: REFRESH },
      ],
    },
    atLeast: 1,
    withinSeconds: 86_400,
    of: "one secret",
  },
  falsePositives: [
    "Rights that a release had forgotten and the next one brought: say so when the alert comes.",
  ],
  fires: [{ what: "an hour later", events: [{ outcome: "denied" }, { afterSeconds: 3_600 }] }],
  silent: [
    {
      what: "a consumer whose role was given its rights late",
      known: { consumers: ["shop-task"] },
      events: [{ outcome: "denied" }, { afterSeconds: 60 }],
    },
    { what: "another secret", events: [{ outcome: "denied" }, { secret: "other", afterSeconds: 60 }] },
    { what: "two days later", events: [{ outcome: "denied" }, { afterSeconds: 172_800 }] },
    { what: "first given, then refused", events: [{}, { outcome: "denied", afterSeconds: 60 }] },
  ],
};
