/** `when` of a step, as a tree: parsed at build, asked at run time. Nothing is evaluated that is not listed here. */
import type { Value } from "./inputs.ts";

export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly given: string }
  | { readonly done: string }
  | { readonly value: string; readonly is: string | number | boolean }
  | { readonly value: string; readonly over: number };

/** What a condition is asked of. A name is an input, or `step.output`. */
export interface Known {
  value(name: string): Value | undefined;
  isDone(step: string): boolean;
}

export function holds(condition: Condition, known: Known): boolean {
  if ("all" in condition) return condition.all.every((one) => holds(one, known));
  if ("any" in condition) return condition.any.some((one) => holds(one, known));
  if ("not" in condition) return !holds(condition.not, known);
  if ("given" in condition) return known.value(condition.given) !== undefined;
  if ("done" in condition) return known.isDone(condition.done);
  const value = known.value(condition.value);
  if ("is" in condition) return value === condition.is;
  return typeof value === "number" && value > condition.over;
}

/** Every part that asks something of the world. */
export function atoms(
  condition: Condition,
): Exclude<Condition, { all: unknown } | { any: unknown } | { not: unknown }>[] {
  if ("all" in condition) return condition.all.flatMap(atoms);
  if ("any" in condition) return condition.any.flatMap(atoms);
  if ("not" in condition) return atoms(condition.not);
  return [condition];
}
