import type { Rule } from "../rule.ts";

const PUT = {
  service: "kms",
  action: "PutKeyPolicy",
  keyArn: "arn:aws:kms:eu-central-1:123456789012:key/1234",
};

export const keyPolicyChanged: Rule = {
  id: "keyPolicyChanged",
  says: "Somebody who does not usually do so changed who may use a key that encrypts secrets.",
  severity: "medium",
  attack: ["T1098"],
  family: "opening",
  when: {
    each: {
      all: [
        { is: { service: "kms", action: ["PutKeyPolicy", "CreateGrant"], outcome: "allowed" } },
        { touches: "a key of secrets" },
        { is: { network: ["public", "private", "endpoint", "unknown"] } },
        { not: { isUsual: "action" } },
      ],
    },
  },
  falsePositives: ["A new service that is let in: compare the policy with the one before."],
  fires: [{ what: "its policy is replaced", known: { keys: ["1234"] }, events: [PUT] }],
  silent: [
    { what: "another key", known: { keys: ["5678"] }, events: [PUT] },
    { what: "the pipeline, as ever", known: { keys: ["1234"] }, usually: [PUT], events: [PUT] },
    {
      what: "a service grants itself what it needs",
      known: { keys: ["1234"] },
      events: [{ ...PUT, action: "CreateGrant", network: { kind: "service", key: "rds.amazonaws.com" } }],
    },
  ],
};
