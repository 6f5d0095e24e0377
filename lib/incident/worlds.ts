/**
 * Every world that a condition can tell apart, within what a runbook makes possible: so a step that never runs, a `when`
 * that says nothing, and a name that may be missing are found by trying all of them. Build only.
 */
import { atoms, type Condition, holds, type Known } from "./condition.ts";
import type { InputName, Value } from "./inputs.ts";

/** What a step may refer to: the runbook's inputs, and the steps before it. */
export interface Scope {
  readonly inputs: Readonly<Partial<Record<InputName, "required" | "optional">>>;
  readonly earlier: ReadonlyMap<string, Earlier>;
}

export interface Earlier {
  readonly gives: readonly InputName[];
  /** No `when`, and the run stops if it fails: whoever comes after it finds it done. */
  readonly isSure: boolean;
}

/** A condition that needs more than this is not one that a person can read at night. */
const MOST_WORLDS = 5_000;

/** Something that equals no text and no number in the condition. */
const OTHER_TEXT = "\u0000";

/** @returns undefined if there are too many to try */
export function worldsOf(condition: Condition, names: readonly string[], scope: Scope): Known[] | undefined {
  const asked = atoms(condition);
  const values = new Set([
    ...asked.flatMap((atom) => ("given" in atom ? [atom.given] : "value" in atom ? [atom.value] : [])),
    ...names,
  ]);
  const steps = new Set([
    ...asked.flatMap((atom) => ("done" in atom ? [atom.done] : [])),
    ...[...values].flatMap((name) => stepOf(name) ?? []),
  ]);
  const choices: [string, readonly (Value | undefined)[]][] = [
    ...[...steps].map((step): [string, readonly boolean[]] => [
      `done ${step}`,
      scope.earlier.get(step)?.isSure ? [true] : [true, false],
    ]),
    ...[...values].map((name): [string, readonly (Value | undefined)[]] => [
      name,
      choicesFor(name, asked, scope),
    ]),
  ];
  if (choices.reduce((product, [, list]) => product * list.length, 1) > MOST_WORLDS) return undefined;
  return combine(choices).map((world) => ({
    // What a step gives is there if, and only if, the step is done.
    value: (name) =>
      stepOf(name) && world.get(`done ${stepOf(name)}`) !== true ? undefined : world.get(name),
    isDone: (step) => world.get(`done ${step}`) === true,
  }));
}

const stepOf = (name: string): string | undefined => (name.includes(".") ? name.split(".")[0] : undefined);

function choicesFor(
  name: string,
  asked: ReturnType<typeof atoms>,
  scope: Scope,
): readonly (Value | undefined)[] {
  const compared = asked.flatMap((atom): readonly Value[] => {
    if (!("value" in atom) || atom.value !== name) return [];
    return "is" in atom ? [atom.is] : [atom.over, atom.over + 1];
  });
  const isBoolean = compared.some((value) => typeof value === "boolean");
  const isNumber = compared.some((value) => typeof value === "number");
  const others: readonly Value[] = isBoolean
    ? [true, false]
    : isNumber
      ? [0, Number.MAX_SAFE_INTEGER]
      : [OTHER_TEXT];
  const isOptional = stepOf(name) === undefined && scope.inputs[name as InputName] !== "required";
  return [...new Set<Value | undefined>([...compared, ...others, ...(isOptional ? [undefined] : [])])];
}

function combine(
  choices: readonly [string, readonly (Value | undefined)[]][],
): Map<string, Value | undefined>[] {
  let worlds: Map<string, Value | undefined>[] = [new Map()];
  for (const [name, list] of choices)
    worlds = worlds.flatMap((world) => list.map((value) => new Map(world).set(name, value)));
  return worlds;
}

export const holdsIn = (condition: Condition, worlds: readonly Known[]): readonly Known[] =>
  worlds.filter((world) => holds(condition, world));
