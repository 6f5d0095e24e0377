import type { Rule } from "../rule.ts";

const usually = [{}];
const NOW_READ = [{ afterSeconds: 120 }];

export const missingReRead: Rule = {
  id: "missingReRead",
  says: "A consumer has not read the value that its secret was given.",
  severity: "low",
  attack: ["T1555.006"],
  family: "working",
  when: { missing: "re-read" },
  falsePositives: ["A service that was scaled to nothing."],
  fires: [
    {
      what: "long after the rotation",
      known: { consumers: ["shop-task"], promoted: { atSeconds: 60, reReadBySeconds: 600 } },
      usually,
      events: [{ secret: "other" }],
    },
  ],
  silent: [
    {
      what: "it has",
      known: { consumers: ["shop-task"], promoted: { atSeconds: 60, reReadBySeconds: 600 } },
      usually,
      events: NOW_READ,
    },
    {
      what: "there is time left",
      known: { consumers: ["shop-task"], promoted: { atSeconds: 60, reReadBySeconds: 864_000 } },
      usually,
      events: [{ secret: "other" }],
    },
    {
      what: "it never read it",
      known: { consumers: ["another"], promoted: { atSeconds: 60, reReadBySeconds: 600 } },
      usually,
      events: [{ secret: "other" }],
    },
  ],
};
