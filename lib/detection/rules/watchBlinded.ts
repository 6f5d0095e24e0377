import type { Rule } from "../rule.ts";

const off = (name: string) => ({ service: "events", action: "DisableRule", request: { name } });

export const watchBlinded: Rule = {
  id: "watchBlinded",
  says: "What watches over the secrets was turned off.",
  severity: "critical",
  attack: ["T1562.008"],
  family: "blinding",
  alwaysTold: true,
  when: {
    each: {
      all: [
        {
          is: {
            service: ["events", "scheduler", "lambda"],
            action: [
              "DisableRule",
              "DeleteRule",
              "RemoveTargets",
              "DeleteSchedule",
              "DeleteFunction20150331",
              "PutFunctionConcurrency20171031",
            ],
            outcome: "allowed",
          },
        },
        { touches: "our watch" },
      ],
    },
  },
  falsePositives: ["Rekey is taken out of the account."],
  fires: [
    { what: "our schedule is disabled", known: { watch: ["rekey-scan"] }, events: [off("rekey-scan")] },
  ],
  silent: [
    { what: "another one is", known: { watch: ["rekey-scan"] }, events: [off("nightly")] },
    {
      what: "it is refused",
      known: { watch: ["rekey-scan"] },
      events: [{ ...off("rekey-scan"), outcome: "denied" }],
    },
  ],
};
