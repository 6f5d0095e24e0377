import type { Rule } from "../rule.ts";

const batch = (request: object) => ({ action: "BatchGetSecretValue", request: { ...request } });

export const batchOfEverything: Rule = {
  id: "batchOfEverything",
  says: "Somebody asked for every secret at once, or for all but some.",
  severity: "high",
  attack: ["T1555.006"],
  family: "searching",
  when: {
    each: { all: [{ is: { service: "secretsmanager", outcome: "allowed" } }, { batch: "everything" }] },
  },
  falsePositives: ["None seen: who needs secrets names them."],
  fires: [
    {
      what: "all but one",
      events: [batch({ filters: [{ key: "name", values: ["!nothing-is-called-so"] }] })],
    },
    { what: "no filter at all", events: [batch({})] },
  ],
  silent: [
    { what: "by name", events: [batch({ secretIdList: ["a", "b"] })] },
    {
      what: "by a filter that names something",
      events: [batch({ filters: [{ key: "name", values: ["shop/"] }] })],
    },
  ],
};
