import type { Rule } from "../rule.ts";

const known = { isCanary: true } as const;

export const canaryTouched: Rule = {
  id: "canaryTouched",
  says: "A secret that nobody has a reason to read was touched.",
  severity: "critical",
  attack: ["T1555.006"],
  family: "reading",
  alwaysTold: true,
  when: {
    each: {
      all: [
        { secret: "canary" },
        {
          not: {
            is: {
              action: [
                "DescribeSecret",
                "GetResourcePolicy",
                "ListSecretVersionIds",
                "TagResource",
                "UntagResource",
                "ValidateResourcePolicy",
              ],
            },
          },
        },
      ],
    },
  },
  falsePositives: ["None: backups and scanners describe secrets, and do not read them."],
  fires: [
    { what: "it is read", known, events: [{}] },
    { what: "its reading is refused", known, events: [{ outcome: "denied" }] },
    { what: "it is decrypted", known, events: [{ service: "kms", action: "Decrypt" }] },
  ],
  silent: [
    { what: "another one is read", events: [{}] },
    { what: "a scanner describes it", known, events: [{ action: "DescribeSecret" }] },
    { what: "Rekey rotates it", known: { ...known, ourRoles: ["shop-task"] }, events: [{}] },
  ],
};
