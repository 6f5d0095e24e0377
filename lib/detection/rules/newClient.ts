import { PLAIN_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

export const newClient: Rule = {
  id: "newClient",
  says: "A role that is no person's read a secret as a person would: with a command line, a browser or a cloud shell.",
  severity: "medium",
  attack: ["T1059.009", "T1555.006"],
  family: "reading",
  when: {
    each: {
      all: [
        PLAIN_READ,
        { is: { client: ["cli", "cloudshell", "console"] } },
        { not: { who: "person" } },
        { isNew: "client" },
      ],
    },
  },
  falsePositives: ["A script of a service that calls the command line for the first time."],
  fires: [{ what: "with the command line", usually: [{}], events: [{ client: "cli" }] }],
  silent: [
    { what: "as it always does", usually: [{ client: "cli" }], events: [{ client: "cli" }] },
    { what: "with another version of its library", usually: [{}], events: [{ client: "sdk" }] },
    {
      what: "a person",
      usually: [{ principal: { isPerson: true } }],
      events: [{ client: "cli", principal: { isPerson: true } }],
    },
  ],
};
