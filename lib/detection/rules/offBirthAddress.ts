import type { Rule } from "../rule.ts";

const from = (address: string, kind: "public" | "endpoint" | "private" = "public", afterSeconds = 0) => ({
  network: { kind, key: address, address },
  principal: { accessKeyId: "ASIAEXAMPLE" },
  afterSeconds,
});

export const offBirthAddress: Rule = {
  id: "offBirthAddress",
  says: "One set of a role's temporary credentials was used from two networks.",
  severity: "high",
  attack: ["T1552.005", "T1078.004"],
  family: "reading",
  when: {
    distinct: "network",
    per: "access key",
    atLeast: 2,
    withinSeconds: 28_800,
    where: {
      all: [
        { is: { service: "secretsmanager", network: ["public", "endpoint"] } },
        { accessKey: "session" },
        { not: { who: "person" } },
        { is: { principal: "role" } },
      ],
    },
  },
  falsePositives: ["A machine whose address changes within the life of its credentials."],
  fires: [
    {
      what: "from the internet after the endpoint",
      events: [from("vpce-1", "endpoint"), from("203.0.113.9", "public", 60)],
    },
  ],
  silent: [
    { what: "twice from one", events: [from("203.0.113.9"), from("203.0.113.9", "public", 60)] },
    { what: "the next day", events: [from("203.0.113.9"), from("198.51.100.7", "public", 86_400)] },
    {
      what: "a person on the way home",
      events: [from("203.0.113.9"), from("198.51.100.7", "public", 60)].map((event) => ({
        ...event,
        principal: { ...event.principal, isPerson: true },
      })),
    },
  ],
};
