import { REFRESH } from "../calls.ts";
import type { Rule } from "../rule.ts";

const select = (eventSelectors: object) => ({
  service: "cloudtrail",
  action: "PutEventSelectors",
  request: { name: "main", eventSelectors: [eventSelectors] },
});
const call = (action: string, afterSeconds = 0) => ({
  service: "cloudtrail",
  action,
  request: { name: "main" },
  afterSeconds,
});

export const trailBlinded: Rule = {
  id: "trailBlinded",
  says: "The trail that shows who reads secrets was stopped, deleted or narrowed.",
  severity: "critical",
  attack: ["T1562.008"],
  family: "blinding",
  when: {
    each: {
      all: [
        { is: { service: "cloudtrail", outcome: "allowed" } },
        { touches: "what a trail records" },
        { not: REFRESH },
      ],
    },
  },
  falsePositives: ["A trail that is replaced by another one: say so when the alert comes."],
  fires: [
    { what: "logging is stopped", events: [call("StopLogging")] },
    { what: "reads are left out", events: [select({ readWriteType: "WriteOnly" })] },
    {
      what: "everything but data is left out",
      events: [select({ readWriteType: "ReadOnly", includeManagementEvents: false })],
    },
    {
      what: "it is deleted with the key of the tool that has just made it",
      events: [call("CreateTrail"), call("GetInsightSelectors", 1), call("DeleteTrail", 10)],
    },
  ],
  silent: [
    { what: "it is refused", events: [{ ...call("StopLogging"), outcome: "denied" }] },
    {
      what: "everything is recorded",
      events: [
        select({ readWriteType: "All", includeManagementEvents: true, excludeManagementEventSources: [] }),
      ],
    },
    {
      what: "a tool that has just compared its state with what is deployed deletes it",
      events: [
        call("CreateTrail"),
        call("GetInsightSelectors", 1),
        call("GetInsightSelectors", 600),
        call("DeleteTrail", 5),
      ],
    },
  ],
};
