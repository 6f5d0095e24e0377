import type { Rule } from "../rule.ts";

export const trailBlinded: Rule = {
  id: "trailBlinded",
  says: "The trail that shows who reads secrets was stopped, deleted or narrowed.",
  severity: "critical",
  attack: ["T1562.008"],
  family: "blinding",
  when: {
    each: {
      is: {
        service: "cloudtrail",
        action: ["StopLogging", "DeleteTrail", "PutEventSelectors"],
        outcome: "allowed",
      },
    },
  },
  falsePositives: ["A trail that is replaced by another one: say so when the alert comes."],
  fires: [
    { what: "logging is stopped", events: [{ service: "cloudtrail", action: "StopLogging" }] },
    { what: "what is logged is changed", events: [{ service: "cloudtrail", action: "PutEventSelectors" }] },
  ],
  silent: [
    { what: "it is refused", events: [{ service: "cloudtrail", action: "StopLogging", outcome: "denied" }] },
    { what: "a trail is updated", events: [{ service: "cloudtrail", action: "UpdateTrail" }] },
  ],
};
