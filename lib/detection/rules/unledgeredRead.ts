import { VALUE_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

const INVOCATION = "0a6c1f6e-3d0c-4f3a-9c46-1f3b7c3a2d11";
const known = { ourRoles: ["shop-task"], invocations: [INVOCATION] } as const;

export const unledgeredRead: Rule = {
  id: "unledgeredRead",
  says: "A secret was read with Rekey's own role, and Rekey did not do it.",
  severity: "critical",
  attack: ["T1078.004"],
  family: "reading",
  watchesUs: true,
  alwaysTold: true,
  when: { each: { all: [VALUE_READ, { ledger: "has no such call" }] } },
  falsePositives: ["None: somebody has the credentials of one of our functions."],
  fires: [
    {
      what: "with the mark of a call that was made minutes ago",
      known,
      events: [1, 1].map((call) => ({ ourMark: { invocation: INVOCATION, call }, afterSeconds: 300 })),
    },
    { what: "without a mark", known, events: [{}] },
    {
      what: "with a mark that nobody wrote down",
      known,
      events: [{ ourMark: { invocation: "11111111-3d0c-4f3a-9c46-1f3b7c3a2d11", call: 1 } }],
    },
  ],
  silent: [
    {
      what: "an attempt that is repeated",
      known,
      events: [1, 1].map((call) => ({ ourMark: { invocation: INVOCATION, call }, afterSeconds: 20 })),
    },
    { what: "by an invocation of ours", known, events: [{ ourMark: { invocation: INVOCATION, call: 1 } }] },
    { what: "by somebody else", events: [{}] },
    { what: "while no invocations are written down", known: { ourRoles: ["shop-task"] }, events: [{}] },
  ],
};
