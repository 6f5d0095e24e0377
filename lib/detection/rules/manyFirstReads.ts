import { ENTITLED, FIRST_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

const reads = (names: string, afterSeconds: number) => [...names].map((secret) => ({ secret, afterSeconds }));

export const manyFirstReads: Rule = {
  id: "manyFirstReads",
  says: "Somebody read several secrets within an hour that they had never read before.",
  severity: "high",
  attack: ["T1555.006"],
  family: "reading",
  when: {
    distinct: "secret",
    atLeast: 4,
    withinSeconds: 3_600,
    where: { all: [FIRST_READ, { not: { any: [ENTITLED, { secret: "new" }] } }] },
  },
  falsePositives: ["A new service on its first day: silent if ECS shows it as a consumer."],
  fires: [{ what: "four in an hour", usually: [{}], events: reads("abcd", 900) }],
  silent: [
    { what: "three", usually: [{}], events: reads("abc", 900) },
    { what: "four in more than an hour", usually: [{}], events: reads("abcd", 1_300) },
    { what: "what they read every day", usually: reads("abcd", 900), events: reads("abcd", 900) },
  ],
};
