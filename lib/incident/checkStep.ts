/** What a step asks for against what its action offers. Build only. */
import { ACTIONS, type Action, isActionName, PEOPLE } from "./actions.ts";
import type { StepFields } from "./blocks.ts";
import { INPUTS, isInputName, whyNoInput } from "./inputs.ts";
import type { DraftStep } from "./parseRunbook.ts";
import type { Complain } from "./problem.ts";
import { referencesIn, wholeReference, withoutReferences } from "./references.ts";
import type { Approve, Step } from "./runbook.ts";

/** Inputs that are sentences, in which a reference may stand among words. */
const SENTENCES: readonly string[] = ["text", "record", "reason"];

/** @returns the step as far as it is right by itself; its conditions and references are looked at with those before it */
export function checkStep(
  fields: StepFields,
  { block: { lineOf }, phase, title }: DraftStep,
  prose: string,
  complain: Complain,
): Step | undefined {
  const { id, run, with: given = {} } = fields;
  if (!isActionName(run)) {
    complain(lineOf(["run"]), `there is no action "${run}"`, `there are: ${Object.keys(ACTIONS).join(", ")}`);
    return undefined;
  }
  const action = ACTIONS[run];
  const at = (...path: string[]) => lineOf(path);
  checkInputs(run, action, given, at, complain);
  const approve = checkApproval(run, action, fields, at, complain);
  const proofs = Object.keys(action.proofs);
  const { prove } = fields;
  if (prove === undefined || !proofs.includes(prove)) {
    const what = prove === undefined ? `"${id}" has no proof` : `${run} cannot prove "${prove}"`;
    complain(at("prove"), what, `write "prove: ${proofs.join(" | ")}"`);
  }
  return {
    ...{ id, phase, title, run, with: given, prose },
    ...(approve && { approve }),
    prove: prove ?? "",
    withinMinutes: fields.withinMinutes ?? action.withinMinutes,
    ifFails: fields.ifFails ?? "stop",
  };
}

type At = (...path: string[]) => number;

function checkInputs(
  run: string,
  action: Action,
  given: NonNullable<StepFields["with"]>,
  at: At,
  complain: Complain,
): void {
  const offered = Object.keys(action.inputs).join(", ") || "none";
  for (const [name, needed] of Object.entries(action.inputs))
    if (needed === "required" && given[name] === undefined)
      complain(at("with"), `${run} needs "${name}"`, `add it under "with": ${asks(name)}`);
  const { needsOneOf } = action;
  if (needsOneOf && !needsOneOf.some((name) => given[name] !== undefined))
    complain(at("with"), `${run} needs at least one of ${needsOneOf.join(", ")}`, 'add it under "with"');
  for (const [name, value] of Object.entries(given)) {
    const line = at("with", name);
    if (!isInputName(name) || action.inputs[name] === undefined) {
      complain(line, `${run} does not take "${name}"`, `it takes: ${offered}`);
    } else if (referencesIn(value).length === 0) {
      const wrong =
        typeof value === "string" && value.includes("{{")
          ? "a reference is {{name}} or {{step.name}}"
          : whyNoInput(name, value);
      if (wrong !== undefined) complain(line, `"${name}" does not read`, wrong);
    } else if (wholeReference(value) === undefined && !SENTENCES.includes(name)) {
      complain(
        line,
        `"${name}" mixes a reference with words`,
        "give the reference alone; only sentences may mix",
      );
    } else if (typeof value === "string" && /\{\{|\}\}/.test(withoutReferences(value))) {
      complain(
        line,
        `"${name}" has a reference that does not read`,
        "a reference is {{name}} or {{step.name}}",
      );
    }
  }
}

const asks = (name: string): string => (isInputName(name) ? INPUTS[name].asks : name);

function checkApproval(
  run: string,
  { risk }: Action,
  { approve }: StepFields,
  at: At,
  complain: Complain,
): Approve | undefined {
  const least = PEOPLE[risk];
  if (run === "human" && approve)
    complain(
      at("approve"),
      "a person's step is not approved",
      "take approve out: the person's word is the proof",
    );
  if (approve === undefined) {
    if (least === 0) return undefined;
    const fix = `add "approve: { people: ${least}, withinMinutes: 10 }"`;
    complain(at("run"), `${run} is ${risk}, and nobody approves it`, fix);
    return undefined;
  }
  if (approve.people < least)
    complain(
      at("approve", "people"),
      `${run} is ${risk} and needs ${least} people`,
      `write "people: ${least}"`,
    );
  const { people, withinMinutes, ifSilent = "escalate" } = approve;
  return { people: people === 2 ? 2 : 1, withinMinutes, ifSilent };
}
