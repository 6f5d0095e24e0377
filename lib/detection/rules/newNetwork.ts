import { PLAIN_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

const from = (key: string, kind: "public" | "private" | "endpoint" = "public") => ({
  network: { kind, key, address: "203.0.113.9" },
});
const by = (name: string) => ({ principal: { key: `arn:aws:iam::123456789012:role/${name}` } });

const HOME = [{}, { afterSeconds: 4 * 86_400 }];

export const newNetwork: Rule = {
  id: "newNetwork",
  says: "A role that is no person's read a secret from a network from which it had never come.",
  severity: "medium",
  attack: ["T1078.004"],
  family: "reading",
  when: {
    each: {
      all: [
        PLAIN_READ,
        { is: { network: ["public", "endpoint", "unknown"] } },
        { not: { who: "person" } },
        { isNew: "network" },
      ],
    },
  },
  falsePositives: ["A new way out of the network: silent as soon as three roles use it."],
  fires: [
    { what: "from an address on the internet", usually: HOME, events: [from("203.0.113.0/24")] },
    { what: "through somebody else's endpoint", usually: HOME, events: [from("vpce-1", "endpoint")] },
  ],
  silent: [
    {
      what: "from the same network",
      usually: [...HOME, from("203.0.113.0/24"), { ...from("203.0.113.0/24"), afterSeconds: 4 * 86_400 }],
      events: [from("203.0.113.0/24")],
    },
    { what: "from another subnet", usually: HOME, events: [from("10.0.4.0/24", "private")] },
    {
      what: "from where three other roles come, too",
      usually: [...HOME, ...["a", "b", "c"].map((name) => ({ ...by(name), ...from("203.0.113.0/24") }))],
      events: [from("203.0.113.0/24")],
    },
    { what: "who never stayed on one", usually: [{}], events: [from("203.0.113.0/24")] },
    {
      what: "who comes from everywhere",
      usually: [...HOME, from("198.51.100.0/24")],
      events: [from("203.0.113.0/24")],
    },
    {
      what: "a person, who is at home today",
      usually: HOME,
      events: [{ ...from("203.0.113.0/24"), principal: { isPerson: true } }],
    },
  ],
};
