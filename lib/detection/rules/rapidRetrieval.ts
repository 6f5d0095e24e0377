import { UNUSUAL_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

const reads = (count: number, afterSeconds = 1) =>
  Array.from({ length: count }, (_, index) => ({ secret: `shop/${index}`, afterSeconds }));

export const rapidRetrieval: Rule = {
  id: "rapidRetrieval",
  says: "Somebody read twenty secrets within five minutes that they do not read day by day.",
  severity: "high",
  attack: ["T1555.006"],
  family: "searching",
  when: {
    distinct: "secret",
    atLeast: 20,
    withinSeconds: 300,
    where: {
      all: [
        UNUSUAL_READ,
        // A service that reads in somebody's name reads what it was told to.
        { not: { is: { network: "service" } } },
        { not: { secret: "mapped to the reader" } },
      ],
    },
  },
  falsePositives: ["A tool that copies secrets into a cluster, on its first day."],
  fires: [
    { what: "twenty", events: reads(20) },
    {
      what: "twenty at once",
      events: [
        { action: "BatchGetSecretValue", secret: "shop/0" },
        ...reads(19).map((one) => ({ ...one, secret: `x${one.secret}` })),
      ],
    },
  ],
  silent: [
    { what: "nineteen", events: reads(19) },
    { what: "twenty over more time", events: reads(20, 16) },
    { what: "twenty as every day", usually: reads(20), events: reads(20) },
    { what: "one, twenty times", events: Array.from({ length: 20 }, () => ({ afterSeconds: 1 })) },
    {
      what: "a service in somebody's name",
      events: reads(20).map(
        (one) => ({ ...one, network: { kind: "service", key: "kafka.amazonaws.com" } }) as const,
      ),
    },
  ],
};
