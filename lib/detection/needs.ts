/** What a rule must wait for: nothing at all, what else happens around an event, or a history to compare it with. */
import type { Rule, Test, When } from "./rule.ts";

export interface Needs {
  /** One event tells it all, whatever else happens. */
  readonly nothing: boolean;
  /** Without a history it can only say what it would have said. */
  readonly history: boolean;
}

export function needsOf({ when }: Rule): Needs {
  const tests = testsIn(when).flatMap(leavesOf);
  const history =
    tests.some((test) => "isNew" in test || ("secret" in test && test.secret === "dormant")) ||
    ("distinct" in when && typeof when.atLeast !== "number");
  return { history, nothing: "each" in when && !tests.some(looksAround) };
}

/** The only actions for which a test can hold, if it says so itself; most rules are about a few. */
export function actionsOf(test: Test): ReadonlySet<string> | undefined {
  if ("all" in test) return test.all.map(actionsOf).find((actions) => actions !== undefined);
  if (!("is" in test) || typeof test.is === "string" || test.is.action === undefined) return undefined;
  return new Set([test.is.action].flat());
}

function testsIn(when: When): readonly Test[] {
  if ("missing" in when) return [];
  if ("each" in when) return [when.each];
  return "distinct" in when ? [when.where] : [when.first, when.next];
}

function leavesOf(test: Test): readonly Test[] {
  if ("all" in test) return test.all.flatMap(leavesOf);
  if ("any" in test) return test.any.flatMap(leavesOf);
  return "not" in test ? leavesOf(test.not) : [test];
}

function looksAround(test: Test): boolean {
  if ("secret" in test)
    return ["rotating", "dormant", "made by the caller", "written by the caller", "new"].includes(
      test.secret,
    );
  if ("ledger" in test) return test.ledger === "has no such call";
  if ("touches" in test) return test.touches === "a rotation function" || test.touches === "a key of secrets";
  return "isNew" in test || "isUsual" in test || "part" in test || "changes" in test;
}
