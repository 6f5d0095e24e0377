import type { Rule } from "../rule.ts";

export const deniedThenAllowed: Rule = {
  id: "deniedThenAllowed",
  says: "Somebody who was refused a secret was given it within a day.",
  severity: "medium",
  attack: ["T1098", "T1555.006"],
  family: "searching",
  when: {
    first: { is: { service: "secretsmanager", action: "GetSecretValue", outcome: "denied" } },
    next: { is: { service: "secretsmanager", action: "GetSecretValue", outcome: "allowed" } },
    atLeast: 1,
    withinSeconds: 86_400,
    of: "one secret",
  },
  falsePositives: [
    "Rights that a release had forgotten and the next one brought: say so when the alert comes.",
  ],
  fires: [{ what: "an hour later", events: [{ outcome: "denied" }, { afterSeconds: 3_600 }] }],
  silent: [
    { what: "another secret", events: [{ outcome: "denied" }, { secret: "other", afterSeconds: 60 }] },
    { what: "two days later", events: [{ outcome: "denied" }, { afterSeconds: 172_800 }] },
    { what: "first given, then refused", events: [{}, { outcome: "denied", afterSeconds: 60 }] },
  ],
};
