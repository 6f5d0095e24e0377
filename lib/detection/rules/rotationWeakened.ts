import { REFRESH } from "../calls.ts";
import type { Rule } from "../rule.ts";

const rotate = (request: object, afterSeconds = 0) => ({
  action: "RotateSecret",
  request: { ...request },
  afterSeconds,
});
const by = (name: string) => ({
  rotationLambdaARN: `arn:aws:lambda:eu-central-1:123456789012:function:${name}`,
});
const every = (automaticallyAfterDays: number) => ({ rotationRules: { automaticallyAfterDays } });

export const rotationWeakened: Rule = {
  id: "rotationWeakened",
  says: "A secret's rotation was given to another function, or made rarer.",
  severity: "high",
  attack: ["T1562", "T1098"],
  family: "blinding",
  when: {
    each: {
      all: [
        { is: { service: "secretsmanager", action: "RotateSecret", outcome: "allowed" } },
        { any: [{ changes: "rotation function" }, { changes: "rotation days" }] },
        { not: REFRESH },
      ],
    },
  },
  falsePositives: ["A change of one's own: say so when the alert comes."],
  fires: [
    { what: "another function", usually: [rotate(by("rotator"))], events: [rotate(by("mine"))] },
    { what: "a year instead of a quarter", usually: [rotate(every(90))], events: [rotate(every(365))] },
    {
      what: "another function, minutes after the first",
      events: [rotate(by("rotator")), rotate(by("mine"), 60)],
    },
  ],
  silent: [
    { what: "the same function", usually: [rotate(by("rotator"))], events: [rotate(by("rotator"))] },
    { what: "a month instead of a quarter", usually: [rotate(every(90))], events: [rotate(every(30))] },
    { what: "the first setting", events: [rotate({ ...by("rotator"), ...every(365) })] },
    { what: "at once, as it is set", usually: [rotate(by("rotator"))], events: [rotate({})] },
  ],
};
