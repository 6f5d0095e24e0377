import { REFRESH, VALUE_READ } from "../calls.ts";
import type { Rule } from "../rule.ts";

const known = { retired: { old: 0 } } as const;
const read = (id: string, afterSeconds = 60) => ({ version: { id, known: "proven" } as const, afterSeconds });

export const retiredVersionRead: Rule = {
  id: "retiredVersionRead",
  says: "Somebody asked for a version of a secret that was revoked.",
  severity: "high",
  attack: ["T1555.006"],
  family: "reading",
  alwaysTold: true,
  when: { each: { all: [VALUE_READ, { secret: "at a retired version" }, { not: REFRESH }] } },
  falsePositives: ["A tool whose state names the old version: bring its state up to date."],
  fires: [
    { what: "by its id", known, events: [{}, read("old")] },
    {
      what: "as the previous one",
      known: { ...known, promoted: { atSeconds: -600, reReadBySeconds: 86_400 } },
      events: [{}, { version: { label: "AWSPREVIOUS", known: "unknown" }, afterSeconds: 60 }],
    },
  ],
  silent: [
    { what: "the version in use", known, events: [{}, read("new")] },
    { what: "before it was revoked", known: { retired: { old: 600 } }, events: [{}, read("old")] },
    { what: "by default", known, events: [{}, { afterSeconds: 60 }] },
  ],
};
