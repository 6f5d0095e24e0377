import type { Rule } from "../rule.ts";

const known = { retired: { old: -60 } } as const;
const reads = (count: number) =>
  Array.from({ length: count }, () => ({
    version: { id: "old", known: "proven" } as const,
    afterSeconds: 10,
  }));

export const revokedRetries: Rule = {
  id: "revokedRetries",
  says: "Something asks again and again for a version that was revoked.",
  severity: "medium",
  attack: ["T1110"],
  family: "reading",
  when: {
    distinct: "event",
    atLeast: 5,
    withinSeconds: 600,
    where: {
      all: [
        { is: { service: "secretsmanager", action: "GetSecretValue" } },
        { secret: "at a retired version" },
      ],
    },
  },
  falsePositives: ["A consumer that names its version: it does not work any more, and somebody should know."],
  fires: [{ what: "five times in ten minutes", known, events: reads(5) }],
  silent: [
    { what: "four times", known, events: reads(4) },
    { what: "the version in use", known: { retired: { other: -60 } }, events: reads(5) },
  ],
};
