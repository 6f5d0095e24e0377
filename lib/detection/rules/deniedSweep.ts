import type { Rule } from "../rule.ts";

const denied = (secret: string, afterSeconds = 0) => ({ outcome: "denied", secret, afterSeconds }) as const;

export const deniedSweep: Rule = {
  id: "deniedSweep",
  says: "Somebody was refused several secrets, one after the other.",
  severity: "medium",
  attack: ["T1555.006", "T1580"],
  family: "searching",
  when: {
    distinct: "secret",
    atLeast: 3,
    withinSeconds: 900,
    where: {
      is: { service: "secretsmanager", action: ["GetSecretValue", "BatchGetSecretValue"], outcome: "denied" },
    },
  },
  falsePositives: [
    "A service whose role was deployed without its rights: it is refused the same few for hours.",
  ],
  fires: [
    { what: "three in a quarter of an hour", events: [denied("a"), denied("b", 450), denied("c", 450)] },
  ],
  silent: [
    { what: "one, retried", events: [denied("a"), denied("a", 1), denied("a", 2), denied("a", 4)] },
    { what: "three over more time", events: [denied("a"), denied("b", 450), denied("c", 451)] },
  ],
};
