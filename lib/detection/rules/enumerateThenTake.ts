import { UNUSUAL_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

const LIST = { action: "ListSecrets" };
const take = (secret: string) => ({ secret, afterSeconds: 10 });
const question = (secret: string) => ({ secret, action: "GetResourcePolicy", afterSeconds: 10 });

export const enumerateThenTake: Rule = {
  id: "enumerateThenTake",
  says: "Somebody listed the secrets and then read several of them.",
  severity: "high",
  attack: ["T1526", "T1555.006"],
  family: "searching",
  when: {
    first: { is: { service: "secretsmanager", action: "ListSecrets", outcome: "allowed" } },
    next: UNUSUAL_READ,
    atLeast: 3,
    withinSeconds: 900,
    of: "any secrets",
  },
  falsePositives: ["A service that finds its secrets by listing them: silent from its second day on."],
  fires: [
    { what: "three within a quarter of an hour", events: [LIST, take("a"), take("b"), take("c")] },
    {
      what: "with a key that a tool has just used for the same secrets",
      events: [
        ...["a", "b", "c"].flatMap((secret) => [question(secret), { ...take(secret), afterSeconds: 1 }]),
        LIST,
        ...["a", "b", "c"].map((secret) => ({ secret, afterSeconds: 1 })),
      ],
    },
  ],
  silent: [
    { what: "two", events: [LIST, take("a"), take("b"), take("a")] },
    { what: "three without a list", events: [take("a"), take("b"), take("c")] },
    {
      what: "what it lists and reads every day",
      usually: [LIST, take("a"), take("b"), take("c")],
      events: [LIST, take("a"), take("b"), take("c")],
    },
    {
      what: "a tool that compares its state with what is deployed",
      events: [LIST, ...["a", "b", "c"].flatMap((secret) => [question(secret), { secret, afterSeconds: 1 }])],
    },
  ],
};
