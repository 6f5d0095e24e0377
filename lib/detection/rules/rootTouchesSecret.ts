import type { Rule } from "../rule.ts";

export const rootTouchesSecret: Rule = {
  id: "rootTouchesSecret",
  says: "The account's root user touched a secret.",
  severity: "high",
  attack: ["T1078.004"],
  family: "reading",
  when: { each: { is: { service: "secretsmanager", principal: "root" } } },
  falsePositives: [
    "None that should stand: root is for what no role can do, and secrets are not among that.",
  ],
  fires: [
    { what: "root reads a secret", events: [{ principal: { kind: "root" } }] },
    {
      what: "root is refused",
      events: [{ principal: { kind: "root" }, outcome: "denied", action: "ListSecrets" }],
    },
  ],
  silent: [
    { what: "a role reads a secret", events: [{}] },
    {
      what: "root changes a policy elsewhere",
      events: [{ principal: { kind: "root" }, service: "iam", action: "PutRolePolicy" }],
    },
  ],
};
