import type { Rule } from "../rule.ts";

const encryptWith = (kmsKeyId: string) => ({ action: "UpdateSecret", request: { kmsKeyId } });

export const foreignKey: Rule = {
  id: "foreignKey",
  says: "A secret is now encrypted with another account's key.",
  severity: "critical",
  attack: ["T1486", "T1098"],
  family: "destroying",
  when: {
    each: {
      all: [
        { is: { service: "secretsmanager", action: ["UpdateSecret", "CreateSecret"], outcome: "allowed" } },
        { touches: "a key of another account" },
      ],
    },
  },
  falsePositives: ["Keys that an account of one's own keeps for all: name the account once."],
  fires: [
    {
      what: "a stranger's key",
      events: [encryptWith("arn:aws:kms:eu-central-1:999999999999:key/1234")],
    },
  ],
  silent: [
    {
      what: "a key of this account",
      events: [encryptWith("arn:aws:kms:eu-central-1:123456789012:key/1234")],
    },
    {
      what: "a key of an account that is known",
      known: { accounts: ["999999999999"] },
      events: [encryptWith("arn:aws:kms:eu-central-1:999999999999:key/1234")],
    },
    { what: "a key by its alias", events: [encryptWith("alias/secrets")] },
  ],
};
