import { describe, expect, test } from "vitest";
import { firstAsked, isFunction, isTooLate, stepsSeconds, whyAbandoned } from "../../lib/rotation/native.ts";
import { at, iso, wave } from "./facts.ts";

const asked = { askedAt: iso(0), until: iso(300) };
const waiting = { current: "old", pending: "new", native: true };

describe("Secrets Manager's own rotation", () => {
  test.each<[string, Partial<typeof waiting>, number, string | undefined]>([
    ["may still ask for the next step", {}, 100, undefined],
    ["is not judged by what may be older than its last step", { native: false }, 9.999, undefined],
    [
      "is abandoned when it was turned off, ten seconds after its last step",
      { native: false },
      10,
      "Secrets Manager's own rotation was turned off before finishSecret",
    ],
    [
      "is abandoned when somebody moved AWSCURRENT",
      { current: "third" },
      100,
      "AWSCURRENT was moved to another version before finishSecret",
    ],
    [
      "is abandoned when AWSPENDING is on another version",
      { pending: "third" },
      100,
      "Secrets Manager abandoned it: AWSPENDING is gone from its version",
    ],
    ["may ask until its last moment", {}, 299.999, undefined],
    [
      "is abandoned when it took too long, and the moment is told",
      {},
      300,
      "finishSecret was not done by 2026-11-24T12:05:00.000Z, and its value does not keep",
    ],
    [
      "is abandoned for what was done to it, however late it is",
      { native: false, current: "third" },
      300,
      "Secrets Manager's own rotation was turned off before finishSecret",
    ],
  ])("%s", (_promise, changes, seconds, why) => {
    expect(whyAbandoned(asked, wave(), { ...waiting, ...changes }, at(seconds))).toBe(why);
  });

  test.each([
    ["labels that are not there", { native: true }, /AWSCURRENT was moved/],
    ["no AWSPENDING at all", { current: "old", native: true }, /AWSPENDING is gone/],
    ["a switch that nobody set", { current: "old", pending: "new" }, /turned off/],
  ])("is abandoned with %s", (_what, labels, why) => {
    expect(whyAbandoned(asked, wave(), labels, at(100))).toMatch(why);
  });
});

describe("the four steps", () => {
  test("have half of the time that a rollout may take, counted from the first", () => {
    expect(stepsSeconds(1800)).toBe(900);
    expect(firstAsked(at(60), 1800)).toEqual({
      askedAt: "2026-11-24T12:01:00.000Z",
      until: "2026-11-24T12:16:00.000Z",
    });
  });

  test.each([
    ["not before", 299.999, false],
    ["from the very moment", 300, true],
    ["nor any time after", 301, true],
  ])("are too late %s", (_when, seconds, late) => {
    expect(isTooLate(asked, at(seconds))).toBe(late);
  });
});

describe("an ARN means the function of a name", () => {
  const arn = "arn:aws:lambda:us-east-1:123456789012:function:rekey-native";
  test.each<[string, string | undefined, string | undefined, boolean]>([
    ["as it is", arn, "rekey-native", true],
    ["with a qualifier", `${arn}:live`, "rekey-native", true],
    ["but not of a longer name", `${arn}-2`, "rekey-native", false],
    ["but not if the name is its qualifier", `${arn}:live`, "live", false],
    ["but not if there is none", undefined, "rekey-native", false],
    ["but not of no name", arn, undefined, false],
    ["but not if neither names a function", "arn:aws:lambda", undefined, false],
  ])("%s", (_promise, one, name, is) => {
    expect(isFunction(one, name)).toBe(is);
  });
});
