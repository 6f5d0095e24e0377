import { PLAIN_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

const reads = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ secret: `shop/${index}`, afterSeconds: 1 }));

export const burst: Rule = {
  id: "burst",
  says: "Somebody read far more different secrets within five minutes than on any day before.",
  severity: "high",
  attack: ["T1555.006"],
  family: "searching",
  when: {
    distinct: "secret",
    atLeast: { floor: 10, timesTheMost: 2 },
    withinSeconds: 300,
    where: PLAIN_READ,
  },
  falsePositives: ["A service that starts with many more secrets than before."],
  fires: [
    { what: "ten, who used to read one", usually: [{}], events: reads(10) },
    { what: "twice the most there was", usually: reads(20), events: reads(40) },
  ],
  silent: [
    { what: "nine", usually: [{}], events: reads(9) },
    { what: "as many as ever", usually: reads(30), events: reads(30) },
    {
      what: "one, read often",
      usually: [{}],
      events: Array.from({ length: 40 }, () => ({ afterSeconds: 1 })),
    },
  ],
};
