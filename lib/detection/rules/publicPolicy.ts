import { POLICY_PUT } from "../calls.ts";
import type { Rule } from "../rule.ts";

const OPEN = JSON.stringify({
  Statement: [{ Effect: "Allow", Principal: "*", Action: "secretsmanager:GetSecretValue", Resource: "*" }],
});
const ORGANISATION = JSON.stringify({
  Statement: [
    {
      Effect: "Allow",
      Principal: { AWS: "*" },
      Action: "secretsmanager:GetSecretValue",
      Resource: "*",
      Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1" } },
    },
  ],
});

export const publicPolicy: Rule = {
  id: "publicPolicy",
  says: "A secret's policy now lets anybody in, or its guard against such policies was turned off.",
  severity: "critical",
  attack: ["T1098"],
  family: "opening",
  alwaysTold: true,
  when: {
    each: {
      all: [POLICY_PUT, { any: [{ policy: "public" }, { parameter: "blockPublicPolicy", equals: false }] }],
    },
  },
  falsePositives: [
    "None: a condition that names an organisation, an account, a network or an endpoint keeps it silent.",
  ],
  fires: [
    {
      what: "everybody may read",
      events: [{ action: "PutResourcePolicy", request: { resourcePolicy: OPEN } }],
    },
    {
      what: "the guard is turned off",
      events: [{ action: "PutResourcePolicy", request: { resourcePolicy: "{}", blockPublicPolicy: false } }],
    },
  ],
  silent: [
    {
      what: "the organisation may read",
      events: [{ action: "PutResourcePolicy", request: { resourcePolicy: ORGANISATION } }],
    },
    {
      what: "it is refused",
      events: [{ action: "PutResourcePolicy", outcome: "denied", request: { resourcePolicy: OPEN } }],
    },
    {
      what: "it is only checked",
      events: [{ action: "ValidateResourcePolicy", request: { resourcePolicy: OPEN } }],
    },
  ],
};
