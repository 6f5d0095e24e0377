import { REFRESH } from "../calls.ts";
import type { Rule } from "../rule.ts";

const MOVE = { action: "UpdateSecretVersionStage", request: { versionStage: "AWSCURRENT" } };

const WRITE = { action: "PutSecretValue", newVersion: "v2", afterSeconds: 1 };

export const labelMovedByHand: Rule = {
  id: "labelMovedByHand",
  says: "Somebody decided by hand which version of a secret is in use.",
  severity: "high",
  attack: ["T1098", "T1565.001"],
  family: "writing",
  when: {
    each: {
      all: [
        { is: { service: "secretsmanager", action: "UpdateSecretVersionStage", outcome: "allowed" } },
        { parameter: "versionStage", equals: "AWSCURRENT" },
        // A rotation moves the label to what it has written.
        { not: { all: [{ secret: "rotating" }, { secret: "written by the caller" }] } },
        { not: REFRESH },
      ],
    },
  },
  falsePositives: ["A person who takes a change back: say so when the alert comes."],
  fires: [
    {
      what: "by another hand in a rotation",
      events: [{ action: "RotationStarted" }, { ...MOVE, afterSeconds: 5 }],
    },
    { what: "out of the blue", events: [MOVE] },
    {
      what: "an hour after a rotation",
      events: [{ action: "RotationSucceeded" }, { ...MOVE, afterSeconds: 3_600 }],
    },
  ],
  silent: [
    {
      what: "in a rotation of Secrets Manager's own",
      events: [{ action: "RotationStarted" }, WRITE, { ...MOVE, afterSeconds: 5 }],
    },
    {
      what: "in a rotation of ours",
      known: { rotation: { fromSeconds: 0, toSeconds: 60 }, ourRoles: ["shop-task"] },
      events: [MOVE],
    },
    { what: "another label", events: [{ ...MOVE, request: { versionStage: "blue" } }] },
  ],
};
