import type { Rule } from "../rule.ts";

const off = (name: string) => ({ service: "events", action: "DisableRule", request: { name } });
const written = (state: string) => ({
  service: "events",
  action: "PutRule",
  request: { name: "rekey-scan", state },
});
const known = { watch: ["rekey-"] } as const;

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
        { is: { service: ["events", "scheduler", "lambda"], outcome: "allowed" } },
        {
          any: [
            {
              is: {
                action: [
                  "DisableRule",
                  "DeleteRule",
                  "RemoveTargets",
                  "DeleteSchedule",
                  "DeleteFunction20150331",
                  "PutFunctionConcurrency20171031",
                ],
              },
            },
            {
              all: [
                { is: { action: ["PutRule", "UpdateSchedule"] } },
                { parameter: "state", equals: "DISABLED" },
              ],
            },
          ],
        },
        { touches: "our watch" },
      ],
    },
  },
  falsePositives: ["Rekey is taken out of the account."],
  fires: [
    { what: "our rule is disabled", known, events: [off("rekey-scan")] },
    { what: "our rule is written anew, and off", known, events: [written("DISABLED")] },
  ],
  silent: [
    { what: "another one is", known, events: [off("nightly")] },
    { what: "it is refused", known, events: [{ ...off("rekey-scan"), outcome: "denied" }] },
    { what: "our rule is written anew, and on", known, events: [written("ENABLED")] },
  ],
};
