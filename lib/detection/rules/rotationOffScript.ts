import type { Rule } from "../rule.ts";

const ours = { ourRoles: ["shop-task"] } as const;
const WRITE = { action: "PutSecretValue" };

export const rotationOffScript: Rule = {
  id: "rotationOffScript",
  says: "Rekey's own role did something that no rotation of ours does.",
  severity: "critical",
  attack: ["T1078.004"],
  family: "writing",
  watchesUs: true,
  alwaysTold: true,
  when: {
    each: { all: [{ is: { outcome: ["allowed", "denied"] } }, { ledger: "has no such rotation" }] },
  },
  falsePositives: ["None: somebody has the credentials of one of our functions."],
  fires: [
    { what: "a write while no rotation is open", known: ours, events: [WRITE] },
    { what: "a deletion", known: ours, events: [{ action: "DeleteSecret" }] },
  ],
  silent: [
    {
      what: "a write in a rotation",
      known: { ...ours, rotation: { fromSeconds: -60, toSeconds: 60 } },
      events: [WRITE],
    },
    { what: "a look", known: ours, events: [{ action: "DescribeSecret" }] },
    { what: "somebody else's write", events: [WRITE] },
  ],
};
