import { GROWTH, PLAIN_READ } from "../calls.ts";
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
        PLAIN_READ,
        { secret: "mapped to others" },
        { isNew: "reader" },
        {
          not: {
            any: [
              { who: "person" },
              { secret: "made by the caller" },
              { secret: "written by the caller" },
              { secret: "approved" },
              GROWTH,
            ],
          },
        },
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
