import type { Rule } from "../rule.ts";

const BATCH = { action: "BatchGetSecretValue", request: { secretIdList: ["a", "b"] } };

export const firstBatch: Rule = {
  id: "firstBatch",
  says: "Somebody who had never done so read secrets in a batch.",
  severity: "medium",
  attack: ["T1555.006"],
  family: "searching",
  when: {
    each: {
      all: [
        { is: { service: "secretsmanager", action: "BatchGetSecretValue", outcome: "allowed" } },
        { isNew: "action" },
        { not: { secret: "mapped to the reader" } },
      ],
    },
  },
  falsePositives: ["A client library that reads in batches since its last update."],
  fires: [{ what: "for the first time", usually: [{}], events: [BATCH] }],
  silent: [
    { what: "as ever", usually: [BATCH], events: [BATCH] },
    { what: "a consumer of it", known: { consumers: ["shop-task"] }, usually: [{}], events: [BATCH] },
  ],
};
