import type { Rule } from "../rule.ts";

const kill = (action: string) => ({
  service: "kms",
  action,
  keyArn: "arn:aws:kms:eu-central-1:123456789012:key/1234",
});

export const keyDisabled: Rule = {
  id: "keyDisabled",
  says: "A key that encrypts secrets was turned off, or is to be deleted.",
  severity: "high",
  attack: ["T1485"],
  family: "destroying",
  when: {
    each: {
      all: [
        {
          is: {
            service: "kms",
            action: ["DisableKey", "ScheduleKeyDeletion", "DeleteImportedKeyMaterial"],
            outcome: "allowed",
          },
        },
        { touches: "a key of secrets" },
      ],
    },
  },
  falsePositives: ["A key whose last secret is gone: look first whether any secret still names it."],
  fires: [
    { what: "it is to be deleted", known: { keys: ["1234"] }, events: [kill("ScheduleKeyDeletion")] },
    {
      what: "it was seen to decrypt a secret",
      events: [kill("Decrypt"), { ...kill("DisableKey"), afterSeconds: 60 }],
    },
  ],
  silent: [
    { what: "another key", known: { keys: ["5678"] }, events: [{ ...kill("DisableKey"), secret: "" }] },
    {
      what: "it is refused",
      known: { keys: ["1234"] },
      events: [{ ...kill("DisableKey"), outcome: "denied" }],
    },
  ],
};
