import { UNUSUAL_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

export const longTermKey: Rule = {
  id: "longTermKey",
  says: "A secret was read with an access key that never expires.",
  severity: "medium",
  attack: ["T1552"],
  family: "reading",
  when: {
    each: {
      all: [UNUSUAL_READ, { accessKey: "long-term" }],
    },
  },
  falsePositives: [
    "A machine outside of AWS that has no role yet: suppress it by name, with an end, and give it one.",
  ],
  fires: [
    { what: "a user's key reads", events: [{ principal: { kind: "user", accessKeyId: "AKIAEXAMPLE" } }] },
  ],
  silent: [
    { what: "a session's key reads", events: [{ principal: { accessKeyId: "ASIAEXAMPLE" } }] },
    {
      what: "a user's key is refused",
      events: [{ principal: { accessKeyId: "AKIAEXAMPLE" }, outcome: "denied" }],
    },
    {
      what: "a machine outside, as every day",
      usually: [{ principal: { accessKeyId: "AKIAEXAMPLE" } }],
      events: [{ principal: { accessKeyId: "AKIAEXAMPLE" } }],
    },
    {
      what: "a tool that compares its state with what is deployed",
      events: ["GetResourcePolicy", "GetSecretValue"].map((action) => ({
        action,
        principal: { accessKeyId: "AKIAEXAMPLE" },
      })),
    },
    {
      what: "a user's key describes",
      events: [{ principal: { accessKeyId: "AKIAEXAMPLE" }, action: "DescribeSecret" }],
    },
  ],
};
