/** `{{input}}` and `{{step.output}}` in what a step gives its action: found at build, filled in at run time. */
import type { Known } from "./condition.ts";
import { type InputName, isInputName, type Value, type Values, whyNoInput } from "./inputs.ts";

const REFERENCE = /\{\{\s*([A-Za-z]\w*(?:\.[A-Za-z]\w*)?)\s*\}\}/g;
const WHOLE = new RegExp(`^${REFERENCE.source}$`);

/** @returns the names, in their order */
export const referencesIn = (value: Value): string[] =>
  typeof value === "string" ? [...value.matchAll(REFERENCE)].map(([, name = ""]) => name) : [];

/** @returns the name, if the value is nothing but that one reference */
export const wholeReference = (value: Value): string | undefined =>
  typeof value === "string" ? WHOLE.exec(value)?.[1] : undefined;

/** What is left of a text when its references are taken out; braces in it are a mistake. */
export const withoutReferences = (value: string): string => value.replaceAll(REFERENCE, "");

/** @returns the values as the action gets them, or why there are none */
export function resolve(
  given: Readonly<Partial<Record<InputName, Value>>>,
  known: Known,
): { readonly values: Values } | { readonly missing: string } {
  const values: Partial<Record<InputName, Value>> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!isInputName(name) || value === undefined) continue;
    const absent = referencesIn(value).find((reference) => known.value(reference) === undefined);
    if (absent !== undefined) return { missing: `${absent} is not known, and ${name} needs it` };
    const filled = fill(value, known);
    const wrong = whyNoInput(name, filled);
    if (wrong !== undefined) return { missing: `${name} does not read: ${wrong}` };
    values[name] = filled;
  }
  return { values };
}

/**
 * A step's words with what is known put into them, and `<name>` for the rest. Names come from outside: whoever shows this
 * escapes it first.
 */
export const wordsWith = (prose: string, known: Known): string =>
  prose.replaceAll(REFERENCE, (_, name: string) => {
    const value = known.value(name);
    return value === undefined ? `<${name}>` : shown(value);
  });

function fill(value: Value, known: Known): Value {
  if (typeof value !== "string") return value;
  const whole = wholeReference(value);
  if (whole !== undefined) return known.value(whole) ?? value;
  return value.replaceAll(REFERENCE, (_, name: string) => shown(known.value(name) ?? ""));
}

/** A sentence stays one, however many services there are. */
const MOST_NAMES = 5;

function shown(value: Value): string {
  if (typeof value !== "object") return String(value);
  if (value.length === 0) return "none";
  const more = value.length - MOST_NAMES;
  return `${value.slice(0, MOST_NAMES).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
