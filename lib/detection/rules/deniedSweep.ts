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
      all: [
        {
          is: {
            service: "secretsmanager",
            action: ["GetSecretValue", "BatchGetSecretValue"],
            outcome: "denied",
          },
        },
        { not: { any: [{ secret: "mapped to the reader" }, { isUsual: "reader" }] } },
      ],
    },
  },
  falsePositives: [
    "A service whose role was deployed without its rights: silent if ECS shows it as a consumer.",
  ],
  fires: [
    { what: "three in a quarter of an hour", events: [denied("a"), denied("b", 450), denied("c", 450)] },
  ],
  silent: [
    {
      what: "a consumer whose role has lost its rights",
      known: { consumers: ["shop-task"] },
      events: [denied("shop/database"), denied("shop/database", 1), denied("b", 1), denied("c", 1)].slice(
        0,
        3,
      ),
    },
    { what: "one, retried", events: [denied("a"), denied("a", 1), denied("a", 2), denied("a", 4)] },
    { what: "three over more time", events: [denied("a"), denied("b", 450), denied("c", 451)] },
  ],
};
