import { describe, expect, test } from "vitest";
import { decide } from "../../lib/rotation/decide.ts";
import type { Decision, Facts } from "../../lib/rotation/decision.ts";
import { isFunction, whyAbandoned } from "../../lib/rotation/native.ts";
import type { SecretFacts, VersionFacts } from "../../lib/rotation/secretStore.ts";
import { admits, answer, STEPS, type Step } from "../../lib/rotation/steps.ts";
import { ARN, at, iso, rotation, wave } from "./facts.ts";

const secret = (rotationEnabled: boolean, versions: readonly VersionFacts[]): SecretFacts => ({
  arn: ARN,
  name: "shop/database",
  tags: new Map(),
  rotationEnabled,
  versions,
});
const version = (versionId: string, ...labels: string[]): VersionFacts => ({ versionId, labels });
const thrown = (call: () => unknown) => {
  try {
    return { returned: call() };
  } catch (error) {
    return { code: (error as { code?: string }).code };
  }
};

describe("who is let in", () => {
  const current = version("old", "AWSCURRENT");
  test.each<[string, SecretFacts, object]>([
    [
      "a token that carries AWSPENDING",
      secret(true, [current, version("new", "AWSPENDING")]),
      { returned: true },
    ],
    [
      "a token that is current already goes home quietly",
      secret(true, [version("new", "AWSCURRENT")]),
      { returned: false },
    ],
    [
      "also when AWSPENDING still sits on it",
      secret(true, [version("new", "AWSCURRENT", "AWSPENDING")]),
      { returned: false },
    ],
    [
      "nobody while rotation is off, whatever the token carries",
      secret(false, [current, version("new", "AWSPENDING")]),
      { code: "ROTATION_NOT_ENABLED" },
    ],
    [
      "not even a current token",
      secret(false, [version("new", "AWSCURRENT")]),
      { code: "ROTATION_NOT_ENABLED" },
    ],
    ["no token that is no version", secret(true, [current]), { code: "TOKEN_UNKNOWN" }],
    [
      "no token without AWSPENDING",
      secret(true, [current, version("new", "AWSPREVIOUS")]),
      { code: "TOKEN_NOT_PENDING" },
    ],
    [
      "no token beside one that is pending",
      secret(true, [current, version("new", "mine"), version("other", "AWSPENDING")]),
      { code: "TOKEN_NOT_PENDING" },
    ],
  ])("%s", (_promise, facts, expected) => {
    expect(thrown(() => admits(facts, "new"))).toEqual(expected);
  });
});

describe("whoever is turned away is told why, and what to do", () => {
  const current = version("old", "AWSCURRENT");
  const message = (call: () => unknown) => {
    try {
      return call();
    } catch (error) {
      return (error as Error).message;
    }
  };
  test.each<[string, SecretFacts, string]>([
    [
      "rotation is off",
      secret(false, [current]),
      "shop/database: is not enabled for rotation; attach this function with aws secretsmanager rotate-secret",
    ],
    [
      "the token carries no label",
      secret(true, [current]),
      "shop/database: version new carries no label, so no rotation is under way for it",
    ],
    [
      "the token is not AWSPENDING",
      secret(true, [current, version("new", "AWSPREVIOUS")]),
      "shop/database: version new is not set as AWSPENDING for its rotation",
    ],
  ])("%s", (_what, facts, expected) => {
    expect(message(() => admits(facts, "new"))).toBe(expected);
  });
});

describe("what each step does of what the engine would do", () => {
  const because = "";
  const decisions: Record<string, Decision> = {
    stage: { do: "stage", because },
    look: { do: "look", at: "target" },
    set: { do: "set", because },
    tested: { do: "note", that: "tested" },
    promote: { do: "promote", because },
    promoted: { do: "note", that: "promoted" },
    rollout: { do: "look", at: "rollout" },
    unreachable: { do: "wait", because },
    refused: { do: "giveUp", code: "PENDING_REFUSED", because },
    moved: { do: "giveUp", code: "LABEL_MOVED", because },
    withdraw: { do: "withdraw", because },
    ended: { do: "nothing" },
  };
  // Columns: createSecret, setSecret, testSecret, finishSecret.
  const table: Record<string, readonly string[]> = {
    stage: ["act", "STEP_OUT_OF_ORDER", "STEP_OUT_OF_ORDER", "STEP_OUT_OF_ORDER"],
    look: ["home", "look", "look", "look"],
    set: ["PENDING_REFUSED", "act", "PENDING_REFUSED", "PENDING_REFUSED"],
    tested: ["home", "home", "act", "act"],
    promote: ["home", "home", "home", "act"],
    promoted: ["home", "home", "home", "act"],
    rollout: ["home", "home", "home", "home"],
    unreachable: ["home", ...Array(3).fill("TARGET_UNREACHABLE")],
    refused: Array(4).fill("PENDING_REFUSED"),
    moved: Array(4).fill("LABEL_MOVED"),
    withdraw: Array(4).fill("ROTATION_ABANDONED"),
    ended: Array(4).fill("ROTATION_ABANDONED"),
  };
  const go = (step: Step, decision: Decision) => {
    const result = thrown(() => answer(step, decision));
    return result.code ?? (result.returned as { go: string }).go;
  };
  test.each(Object.entries(table))("%s", (name, expected) => {
    const decision = decisions[name] ?? { do: "nothing" };
    expect(STEPS.map((step) => go(step, decision))).toEqual(expected);
  });
});

test.each<[string, Step, Decision, string]>([
  [
    "which step comes first",
    "testSecret",
    { do: "stage", because: "" },
    "testSecret: the version has no value yet; createSecret puts it",
  ],
  [
    "which step sets the value",
    "testSecret",
    { do: "set", because: "the new value is refused" },
    "testSecret: the new value is refused; setSecret sees to it",
  ],
  [
    "what is waited for",
    "setSecret",
    { do: "wait", because: "the database does not answer" },
    "setSecret: the database does not answer",
  ],
  [
    "why it was given up",
    "setSecret",
    { do: "giveUp", code: "LABEL_MOVED", because: "AWSCURRENT was moved" },
    "setSecret: AWSCURRENT was moved",
  ],
  [
    "how to begin anew",
    "finishSecret",
    { do: "nothing" },
    "finishSecret: this rotation was given up; start a new one with aws secretsmanager rotate-secret",
  ],
])("a step that fails says %s", (_what, step, decision, expected) => {
  expect(() => answer(step, decision)).toThrow(expected);
});

describe("between the steps", () => {
  const native = { askedAt: iso(0), until: iso(3600) };
  const labels = { current: "old", pending: "new", native: true, staged: true };
  const begun = rotation({ stagedAt: iso(1) }, { native });
  const facts = (changes: Partial<Facts["labels"]> = {}, more: Partial<Facts> = {}): Facts => ({
    labels: { ...labels, ...changes },
    runWave: "rotate",
    ...more,
  });

  test.each<[string, Facts, number, Partial<Decision>]>([
    ["the engine waits for Secrets Manager", facts(), 60, { do: "wait", until: at(3600) }],
    ["it does not even ask the target", facts({ staged: false }), 60, { do: "wait" }],
    ["the step that is asked for goes on", facts({}, { asked: true }), 60, { do: "look", at: "target" }],
    [
      "a rotation that is turned off is given up",
      facts({ native: false }),
      60,
      { do: "giveUp", code: "ROTATION_ABANDONED" },
    ],
    [
      "AWSPENDING gone elsewhere gives it up",
      facts({ pending: "other" }),
      60,
      { do: "giveUp", code: "ROTATION_ABANDONED" },
    ],
    [
      "AWSCURRENT moved by somebody gives it up",
      facts({ current: "other" }),
      60,
      { do: "giveUp", code: "ROTATION_ABANDONED" },
    ],
    ["it is waited for up to the bound", facts(), 3599, { do: "wait" }],
    [
      "at the bound it is given up, for its value does not keep",
      facts(),
      3600,
      { do: "giveUp", code: "ROTATION_ABANDONED" },
    ],
    [
      "right after a step an old description proves nothing",
      facts({ native: false, pending: "other" }),
      9,
      { do: "wait" },
    ],
  ])("%s", (_promise, given, seconds, expected) => {
    expect(decide(begun, given, at(seconds))).toMatchObject(expected);
  });

  test("a promotion that was not noted is the engine's, however Secrets Manager's labels stand", () => {
    const promoted = facts({ current: "new", native: false });
    expect(decide(begun, promoted, at(60))).toEqual({ do: "note", that: "promoted" });
  });

  test("a retire wave is the engine's from its beginning", () => {
    const retire = rotation({ wave: "retire" }, { native, waves: ["rotate", "retire"] });
    expect(decide(retire, facts({ staged: false }, { runWave: "retire" }), at(60))).toMatchObject({
      do: "stage",
    });
  });

  test("a pending label that is nowhere counts as abandoned too", () => {
    const { pending: _, ...without } = labels;
    expect(whyAbandoned(native, wave(), without, at(10))).toContain("AWSPENDING");
  });
});

test.each([
  ["arn:aws:lambda:us-east-1:123456789012:function:rekey-prod-rotateSecret", true],
  ["arn:aws:lambda:us-east-1:123456789012:function:rekey-prod-rotateSecret:live", true],
  ["arn:aws:lambda:us-east-1:123456789012:function:other-rekey-prod-rotateSecret", false],
  [undefined, false],
])("the function behind %s is ours: %s", (arn, expected) => {
  expect(isFunction(arn, "rekey-prod-rotateSecret")).toBe(expected);
  expect(isFunction(arn, undefined)).toBe(false);
});
