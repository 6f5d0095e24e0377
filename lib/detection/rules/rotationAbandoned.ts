import type { Rule } from "../rule.ts";

export const rotationAbandoned: Rule = {
  id: "rotationAbandoned",
  says: "A rotation of Secrets Manager's own was abandoned.",
  severity: "medium",
  attack: ["T1565.001"],
  family: "working",
  when: { each: { is: { service: "secretsmanager", action: "RotationAbandoned" } } },
  falsePositives: ["Two pipelines that write one secret at the same time."],
  fires: [{ what: "it is abandoned", events: [{ action: "RotationAbandoned" }] }],
  silent: [
    { what: "it succeeds", events: [{ action: "RotationSucceeded" }] },
    { what: "it begins", events: [{ action: "RotationStarted" }] },
  ],
};
