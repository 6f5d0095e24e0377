import { describe, expect, test } from "vitest";
import { openingOf } from "../../lib/detection/policy.ts";

const OWNER = "123456789012";
const OTHER = "999999999999";
const policy = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const allow = (Principal: unknown, more: object = {}) => ({
  Effect: "Allow",
  Principal,
  Action: "*",
  Resource: "*",
  ...more,
});

describe("a policy is public", () => {
  test.each<[string, unknown]>([
    ["for everybody", policy(allow("*"))],
    ["for every AWS principal", policy(allow({ AWS: "*" }))],
    ["with everybody among others", policy(allow({ AWS: [`arn:aws:iam::${OWNER}:root`, "*"] }))],
    [
      "for all but somebody",
      policy({ Effect: "Allow", NotPrincipal: { AWS: OWNER }, Action: "*", Resource: "*" }),
    ],
    [
      "under a condition that limits nobody",
      policy(allow("*", { Condition: { Bool: { "aws:SecureTransport": "true" } } })),
    ],
    [
      "under a condition of what it is not",
      policy(allow("*", { Condition: { StringNotEquals: { "aws:PrincipalOrgID": "o-1" } } })),
    ],
    [
      "under a condition that may be absent",
      policy(allow("*", { Condition: { StringEqualsIfExists: { "aws:SourceVpce": "vpce-1" } } })),
    ],
    ["in one statement of several", policy(allow({ AWS: OWNER }), allow("*"))],
    ["in a statement that is no list", JSON.stringify({ Statement: allow("*") })],
  ])("%s", (_how, text) => {
    expect(openingOf(text, OWNER).isPublic).toBe(true);
  });
});

describe("a policy is not public", () => {
  test.each<[string, unknown]>([
    [
      "for an organisation",
      policy(allow("*", { Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1" } } })),
    ],
    [
      "for an endpoint",
      policy(allow({ AWS: "*" }, { Condition: { StringEquals: { "aws:SourceVpce": "vpce-1" } } })),
    ],
    ["for a service", policy(allow({ Service: "*" }))],
    ["when it denies everybody", policy({ Effect: "Deny", Principal: "*", Action: "*", Resource: "*" })],
    ["when it does not parse", "{"],
    ["when the record leaves it out", undefined],
    ["when it is something else", policy(allow([["*"]]))],
  ])("%s", (_how, text) => {
    expect(openingOf(text, OWNER).isPublic).toBe(false);
  });
});

test.each<[string, unknown, string[]]>([
  ["a role elsewhere", policy(allow({ AWS: `arn:aws:iam::${OTHER}:role/reader` })), [OTHER]],
  ["a session elsewhere", policy(allow({ AWS: `arn:aws-cn:sts::${OTHER}:assumed-role/reader/1` })), [OTHER]],
  ["an account by its number", policy(allow({ AWS: [OTHER, OTHER, OWNER] })), [OTHER]],
  ["the owner's own", policy(allow({ AWS: `arn:aws:iam::${OWNER}:root` })), []],
  ["a principal that is gone", policy(allow({ AWS: "AIDAEXAMPLE" })), []],
])("%s is let in from %s: %s", (_who, text, accounts) => {
  expect(openingOf(text, OWNER).foreign).toEqual(accounts);
});
