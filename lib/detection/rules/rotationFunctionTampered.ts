import type { Rule } from "../rule.ts";

const CODE = {
  service: "lambda",
  action: "UpdateFunctionCode20150331v2",
  request: { functionName: "rotator" },
};

export const rotationFunctionTampered: Rule = {
  id: "rotationFunctionTampered",
  says: "Somebody who does not usually do so changed the function that rotates secrets.",
  severity: "high",
  attack: ["T1648", "T1098"],
  family: "writing",
  when: {
    each: {
      all: [
        { is: { service: "lambda", outcome: "allowed" } },
        { touches: "a rotation function" },
        { not: { isUsual: "action" } },
      ],
    },
  },
  falsePositives: ["The first deployment by a new pipeline."],
  fires: [
    { what: "its code is replaced", known: { rotationFunctions: ["rotator"] }, events: [CODE] },
    {
      what: "the code of one that a secret was given is replaced",
      events: [
        {
          action: "RotateSecret",
          request: { rotationLambdaARN: "arn:aws:lambda:eu-central-1:123456789012:function:rotator" },
        },
        { ...CODE, afterSeconds: 60 },
      ],
    },
  ],
  silent: [
    {
      what: "the pipeline, as ever",
      known: { rotationFunctions: ["rotator"] },
      usually: [CODE],
      events: [CODE],
    },
    { what: "another function", known: { rotationFunctions: ["other"] }, events: [CODE] },
    {
      what: "it is refused",
      known: { rotationFunctions: ["rotator"] },
      events: [{ ...CODE, outcome: "denied" }],
    },
  ],
};
