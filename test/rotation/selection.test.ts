import { describe, expect, test } from "vitest";
import { RekeyError } from "../../lib/errors.ts";
import { readTags } from "../../lib/rotation/managed.ts";
import { dueCredentials, select } from "../../lib/rotation/selection.ts";
import { ARN, at } from "./facts.ts";

const arnOf = (name: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`;
const named = (name: string) => ({ arn: arnOf(name), name });
const managed = ["shop/database", "shop/production/redis", "shop/.hidden", "billing/jwt"].map(named);
const others = [named("shop/unmanaged"), named("rekey/slack")];

const selected = (request: { only?: string[]; except?: string[] }) =>
  select(request, managed, others).selected.map(({ name }) => name);
const refusal = (request: { only?: string[]; except?: string[] }) => {
  try {
    select(request, managed, others);
  } catch (error) {
    return error instanceof RekeyError ? `${error.code} ${error.message}` : String(error);
  }
  return "selected";
};

describe("a request means", () => {
  test.each<[string, { only?: string[]; except?: string[] }, string[]]>([
    [
      "everything, if it names nothing",
      {},
      ["shop/database", "shop/production/redis", "shop/.hidden", "billing/jwt"],
    ],
    ["nothing, if it names an empty list", { only: [] }, []],
    ["a secret by its name", { only: ["shop/database"] }, ["shop/database"]],
    ["a secret by its ARN", { only: [arnOf("billing/jwt")] }, ["billing/jwt"]],
    [
      "all that a star covers, across slashes and hidden names too",
      { only: ["shop/*"] },
      ["shop/database", "shop/production/redis", "shop/.hidden"],
    ],
    ["the last part alone", { only: ["*redis"] }, ["shop/production/redis"]],
    ["ARNs by a pattern", { only: ["arn:*:secret:billing/*"] }, ["billing/jwt"]],
    ["one of several words", { only: ["{shop,billing}/{jwt,database}"] }, ["shop/database", "billing/jwt"]],
    ["everything but what is left out", { except: ["shop/*"] }, ["billing/jwt"]],
    [
      "what is named, but for what is left out, in the order of the secrets",
      { only: ["billing/jwt", "shop/*"], except: ["shop/database", "shop/.hidden"] },
      ["shop/production/redis", "billing/jwt"],
    ],
    ["a secret once, however often it is named", { only: ["shop/database", "shop/d*"] }, ["shop/database"]],
  ])("%s", (_promise, request, names) => {
    expect(selected(request)).toEqual(names);
  });

  test.each([
    ["name", "shop/unmanaged"],
    ["ARN", arnOf("shop/unmanaged")],
  ])("a secret without tags that is named by its %s is told of and not rotated", (_how, name) => {
    const result = select({ only: ["shop/database", name] }, managed, others);
    expect(result.selected.map((one) => one.name)).toEqual(["shop/database"]);
    expect(result.unmanaged).toEqual([named("shop/unmanaged")]);
  });

  test("a name is taken as it stands before it is a pattern", () => {
    const odd = [named("shop/[a]"), named("shop/a")];
    expect(select({ only: ["shop/[a]"] }, odd, []).selected.map(({ name }) => name)).toContain("shop/[a]");
    expect(select({ only: [arnOf("shop/[a]")] }, odd, []).selected.map(({ name }) => name)).toContain(
      "shop/[a]",
    );
  });
});

describe("a pattern that matches nothing is an error", () => {
  test.each<[string, { only?: string[]; except?: string[] }, string]>([
    ["in only", { only: ["shop/*", "shpo/*"] }, 'only[1]: "shpo/*" matches no managed secret'],
    ["in except", { except: ["shop/databse"] }, 'except[0]: "shop/databse" matches no managed secret'],
    [
      "and an unmanaged secret cannot be left out",
      { except: ["shop/unmanaged"] },
      'except[0]: "shop/unmanaged" matches no managed secret',
    ],
    ["a part of a name is no pattern", { only: ["shop"] }, 'only[0]: "shop" matches no managed secret'],
    [
      "an unmanaged secret behind a pattern is not named",
      { only: ["rekey/*"] },
      'only[0]: "rekey/*" matches no managed secret',
    ],
    [
      "and each is named",
      { only: ["a"], except: ["b"] },
      'only[0]: "a" matches no managed secret; except[0]: "b" matches no managed secret',
    ],
  ])("%s", (_where, request, message) => {
    expect(refusal(request)).toBe(`PAYLOAD_INVALID ${message}`);
  });
});

describe("a credential is due", () => {
  const DAY = 86_400;
  const secret = () =>
    readTags(
      ARN,
      "shop/app",
      new Map([
        ["rekey:field:A", "jwt"],
        ["rekey:field:B", "redis"],
        ["rekey:interval:A", "30"],
        ["rekey:interval:B", "90"],
      ]),
    );
  const due = (rotated: Record<string, string | undefined>, currentSince: Date | undefined) =>
    dueCredentials(
      secret(),
      {
        credentials: Object.fromEntries(
          Object.entries(rotated).map(([field, rotatedAt]) => [
            `shop/app#${field}`,
            rotatedAt === undefined ? {} : { rotatedAt },
          ]),
        ),
      },
      currentSince,
      at(0),
    ).map(({ field }) => field);
  const daysAgo = (days: number) => at(-days * DAY);

  test.each<[string, Record<string, string | undefined>, Date | undefined, string[]]>([
    [
      "when its own interval is over",
      { A: daysAgo(30).toISOString(), B: daysAgo(89).toISOString() },
      undefined,
      ["A"],
    ],
    [
      "not a moment earlier",
      { A: at(-30 * DAY + 1).toISOString(), B: daysAgo(1).toISOString() },
      undefined,
      [],
    ],
    ["by the age of the value in use while no rotation is recorded", {}, daysAgo(40), ["A"]],
    [
      "by the age of the value in use while only its keys are remembered",
      { A: undefined },
      daysAgo(95),
      ["A", "B"],
    ],
    [
      "by its own record and not by a value that somebody put since",
      { A: daysAgo(31).toISOString(), B: daysAgo(91).toISOString() },
      daysAgo(1),
      ["A", "B"],
    ],
    ["when nothing says how old it is", {}, undefined, ["A", "B"]],
  ])("%s", (_when, rotated, currentSince, fields) => {
    expect(due(rotated, currentSince)).toEqual(fields);
  });

  test("also before any run remembered the secret", () => {
    expect(dueCredentials(secret(), undefined, daysAgo(89), at(0)).map(({ field }) => field)).toEqual(["A"]);
  });
});
