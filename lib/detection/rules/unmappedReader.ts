import { ENTITLED, FIRST_READ, GROWTH } from "../calls.ts";
import type { Rule } from "../rule.ts";

const OTHER = { principal: { key: "arn:aws:iam::123456789012:role/reports" } };
const known = { consumers: ["shop-task"] } as const;

export const unmappedReader: Rule = {
  id: "unmappedReader",
  says: "A secret was read by somebody new who is none of its consumers.",
  severity: "high",
  attack: ["T1555.006"],
  family: "reading",
  when: {
    each: {
      all: [
        FIRST_READ,
        { secret: "mapped to others" },
        { not: { any: [{ who: "person" }, ENTITLED, GROWTH] } },
      ],
    },
  },
  falsePositives: ["A consumer that ECS cannot show, as a function: name it with the tag rekey:consumers."],
  fires: [{ what: "another role", known, usually: [{}], events: [OTHER] }],
  silent: [
    { what: "a consumer", known, usually: [{ secret: "other" }], events: [{}] },
    { what: "who has read it for a month", known, usually: [OTHER], events: [OTHER] },
    { what: "a secret whose consumers nobody knows", usually: [{}], events: [OTHER] },
  ],
};
