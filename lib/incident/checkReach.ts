/** Whether a step can be reached, and whether everything that it names is there when it is. Build only. */
import { atoms, type Condition } from "./condition.ts";
import { INPUTS, isInputName, whyNoInput } from "./inputs.ts";
import { parseCondition } from "./parseCondition.ts";
import type { Complain } from "./problem.ts";
import { referencesIn, wholeReference } from "./references.ts";
import type { Step } from "./runbook.ts";
import { holdsIn, type Scope, worldsOf } from "./worlds.ts";
import type { Block } from "./yamlBlock.ts";

const ALWAYS: Condition = { all: [] };

/** @returns the step with its condition, if it has one that reads */
export function checkReach(
  step: Step,
  when: string | undefined,
  scope: Scope,
  { lineOf }: Block,
  complain: Complain,
): Step {
  const line = lineOf(["when"]);
  const parsed = when === undefined ? ALWAYS : parseCondition(when);
  if ("wrong" in parsed) {
    complain(
      line,
      `"when" does not read: ${parsed.wrong}`,
      'write given(name), done(step), name is "text" or name over 0, with and, or, not',
    );
    return step;
  }
  const isKnown = checkAtoms(parsed, scope, line, complain);
  for (const reference of referencesIn(step.prose)) {
    const why = whyUnknown(reference, scope);
    if (why) complain(lineOf(["id"]), `the text has {{${reference}}}: ${why.what}`, why.fix);
  }
  const unknown = new Set<string>();
  for (const [name, value] of Object.entries(step.with)) {
    for (const reference of value === undefined ? [] : referencesIn(value)) {
      const why =
        whyUnknown(reference, scope) ??
        whyUnfit(name, reference, value === undefined ? undefined : wholeReference(value));
      if (why) complain(lineOf(["with", name]), why.what, why.fix);
      if (why) unknown.add(reference);
    }
  }
  if (isKnown) checkWorlds(step, parsed, scope, unknown, { lineOf }, complain);
  return when === undefined ? step : { ...step, when: parsed };
}

function checkWorlds(
  step: Step,
  when: Condition,
  scope: Scope,
  unknown: ReadonlySet<string>,
  { lineOf }: Pick<Block, "lineOf">,
  complain: Complain,
): void {
  const references = Object.values(step.with).flatMap((value) =>
    value === undefined ? [] : referencesIn(value),
  );
  const line = lineOf(["when"]);
  const worlds = worldsOf(
    when,
    references.filter((one) => !unknown.has(one)),
    scope,
  );
  if (!worlds) {
    complain(line, '"when" is too complicated', "split the step into two");
    return;
  }
  const reached = holdsIn(when, worlds);
  if (reached.length === 0) {
    complain(
      line,
      `"${step.id}" is never reached: its "when" cannot be true`,
      "mend it, or take the step out",
    );
    return;
  }
  if (when !== ALWAYS && reached.length === worlds.length)
    complain(line, '"when" is always true', "take it out");
  for (const [name, value] of Object.entries(step.with)) {
    for (const reference of value === undefined ? [] : referencesIn(value)) {
      if (unknown.has(reference) || reached.every((world) => world.value(reference) !== undefined)) continue;
      const guard = reference.includes(".") ? `done(${reference.split(".")[0]})` : `given(${reference})`;
      complain(
        lineOf(["with", name]),
        `{{${reference}}} may be missing when "${step.id}" runs`,
        `add "when: ${guard}", or make it certain`,
      );
    }
  }
}

/** @returns whether every name in it is known */
function checkAtoms(condition: Condition, scope: Scope, line: number, complain: Complain): boolean {
  const told = atoms(condition).map((atom) => {
    if ("done" in atom) {
      if (scope.earlier.has(atom.done)) return true;
      complain(
        line,
        `"when" asks for the step "${atom.done}", and no step before has that id`,
        beforeFix(scope),
      );
      return false;
    }
    const name = "given" in atom ? atom.given : atom.value;
    const why = whyUnknown(name, scope) ?? whyIncomparable(atom, name);
    if (why) complain(line, why.what, why.fix);
    return !why;
  });
  return told.every(Boolean);
}

interface Why {
  readonly what: string;
  readonly fix: string;
}

function whyUnknown(reference: string, { inputs, earlier }: Scope): Why | undefined {
  const [step = "", output] = reference.split(".");
  if (output === undefined) {
    if (isInputName(step) && inputs[step]) return undefined;
    return {
      what: `"${step}" is no input of this runbook`,
      fix: isInputName(step)
        ? 'add it to "inputs"'
        : `the inputs that there can be: ${Object.keys(INPUTS).join(", ")}`,
    };
  }
  const gives = earlier.get(step)?.gives;
  if (!gives)
    return {
      what: `"${reference}" asks for the step "${step}", and no step before has that id`,
      fix: "move the step, or correct its name",
    };
  if (isInputName(output) && gives.includes(output)) return undefined;
  return {
    what: `the step "${step}" gives no "${output}"`,
    fix: `it gives: ${gives.join(", ") || "nothing"}`,
  };
}

/** A name means the same everywhere; only sentences take anything. */
function whyUnfit(name: string, reference: string, whole: string | undefined): Why | undefined {
  const kind = reference.split(".").at(-1);
  if (whole === undefined || kind === name || (name === "text" && kind === "reason")) return undefined;
  return {
    what: `"${name}" is given {{${reference}}}, which is no ${name}`,
    fix: `give it a {{${name}}} or {{step.${name}}}`,
  };
}

function whyIncomparable(atom: ReturnType<typeof atoms>[number], name: string): Why | undefined {
  const kind = name.split(".").at(-1) ?? "";
  if (!("value" in atom) || !isInputName(kind)) return undefined;
  const wrong = whyNoInput(kind, "is" in atom ? atom.is : atom.over);
  // One more than a bound may be the first that is allowed: "hours over 0".
  if (wrong === undefined || ("over" in atom && whyNoInput(kind, atom.over + 1) === undefined))
    return undefined;
  return { what: `"${name}" is compared with what it can never be`, fix: wrong };
}

const beforeFix = ({ earlier }: Scope) => `the steps before it: ${[...earlier.keys()].join(", ") || "none"}`;
