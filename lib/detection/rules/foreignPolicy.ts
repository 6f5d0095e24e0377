import { POLICY_PUT } from "../calls.ts";
import type { Rule } from "../rule.ts";

const policyFor = (AWS: string) =>
  JSON.stringify({ Statement: { Effect: "Allow", Principal: { AWS }, Action: "*", Resource: "*" } });

export const foreignPolicy: Rule = {
  id: "foreignPolicy",
  says: "A secret's policy now lets in another account.",
  severity: "high",
  attack: ["T1098"],
  family: "opening",
  when: {
    each: {
      all: [POLICY_PUT, { policy: "foreign" }],
    },
  },
  falsePositives: ["A share with a partner or another account of one's own: name the account once."],
  fires: [
    {
      what: "a role of another account",
      events: [
        {
          action: "PutResourcePolicy",
          request: { resourcePolicy: policyFor("arn:aws:iam::999999999999:role/x") },
        },
      ],
    },
    {
      what: "another account whole",
      events: [{ action: "PutResourcePolicy", request: { resourcePolicy: policyFor("999999999999") } }],
    },
  ],
  silent: [
    {
      what: "an account that is known",
      known: { accounts: ["999999999999"] },
      events: [{ action: "PutResourcePolicy", request: { resourcePolicy: policyFor("999999999999") } }],
    },
    {
      what: "a role of this account",
      events: [
        {
          action: "PutResourcePolicy",
          request: { resourcePolicy: policyFor("arn:aws:iam::123456789012:role/x") },
        },
      ],
    },
    {
      what: "a policy that does not parse",
      events: [{ action: "PutResourcePolicy", request: { resourcePolicy: "{" } }],
    },
  ],
};
