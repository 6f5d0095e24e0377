import { VALUE_WRITE } from "../calls.ts";
import type { Rule } from "../rule.ts";

const write = (clientRequestToken: string) => ({ action: "PutSecretValue", request: { clientRequestToken } });

export const outOfLedgerVersion: Rule = {
  id: "outOfLedgerVersion",
  says: "A secret that Rekey manages was given a value by somebody else.",
  severity: "medium",
  attack: ["T1565.001"],
  family: "writing",
  when: {
    each: {
      all: [
        VALUE_WRITE,
        { parameter: "clientRequestToken", is: "given" },
        { secret: "given a version that nobody knows" },
        { not: { isUsual: "writer" } },
      ],
    },
  },
  falsePositives: ["A person who changes a setting in a bundle: adopt the version when the alert comes."],
  fires: [{ what: "a version of nobody's", known: { versions: ["ours"] }, events: [write("theirs")] }],
  silent: [
    { what: "a version that a rotation made", known: { versions: ["ours"] }, events: [write("ours")] },
    { what: "a secret that is not managed", events: [write("theirs")] },
    {
      what: "who writes it every day",
      known: { versions: ["ours"] },
      usually: [write("earlier")],
      events: [write("theirs")],
    },
  ],
};
