import type { Rule } from "../rule.ts";

const listed = (region: string, afterSeconds = 0) => ({ action: "ListSecrets", region, afterSeconds });

export const severalRegions: Rule = {
  id: "severalRegions",
  says: "Somebody looked for secrets in several Regions.",
  severity: "high",
  attack: ["T1555.006", "T1526"],
  family: "searching",
  when: {
    distinct: "region",
    atLeast: 3,
    withinSeconds: 600,
    where: {
      all: [
        { is: { service: "secretsmanager", action: ["ListSecrets", "BatchGetSecretValue"] } },
        { not: { isUsual: "action" } },
      ],
    },
  },
  falsePositives: ["A scanner of the account's posture on its first day: suppress its role."],
  fires: [{ what: "three in ten minutes", events: [listed("a"), listed("b", 300), listed("c", 300)] }],
  silent: [
    {
      what: "a scanner that does so every day",
      usually: ["a", "b", "c"].map((region) => listed(region)),
      events: ["a", "b", "c"].map((region) => listed(region)),
    },
    { what: "two, often", events: [listed("a"), listed("b", 1), listed("a", 1), listed("b", 1)] },
    { what: "three over more time", events: [listed("a"), listed("b", 300), listed("c", 301)] },
  ],
};
