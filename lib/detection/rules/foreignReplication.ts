import type { Rule } from "../rule.ts";

const copyTo = (region: string) => ({
  action: "ReplicateSecretToRegions",
  request: { addReplicaRegions: [{ region }] },
});

export const foreignReplication: Rule = {
  id: "foreignReplication",
  says: "A secret is copied to a Region in which this account keeps none.",
  severity: "high",
  attack: ["T1537"],
  family: "opening",
  when: {
    each: {
      all: [
        { is: { service: "secretsmanager", action: "ReplicateSecretToRegions", outcome: "allowed" } },
        { isNew: "region" },
      ],
    },
  },
  falsePositives: ["Work on another Region to fall back to: say so when the alert comes."],
  fires: [{ what: "to a Region without secrets", usually: [{}], events: [copyTo("ap-east-1")] }],
  silent: [
    {
      what: "to a Region with secrets",
      usually: [{ region: "eu-west-1" }],
      events: [copyTo("eu-west-1")],
    },
    {
      what: "it is refused",
      usually: [{}],
      events: [{ ...copyTo("ap-east-1"), outcome: "denied" }],
    },
  ],
};
