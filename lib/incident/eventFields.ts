/** Reading fields of events that anybody may have made up: nothing here throws, and no text comes out longer than a page. */

export type Fields = Readonly<Record<string, unknown>>;

const NONE: Fields = {};
const LONGEST = 1_024;
/** Also what turns text around or hides it. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : NONE;
}

/** One line, trimmed; undefined when there is nothing to read. */
export function textOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.slice(0, LONGEST).replace(UNSEEN, " ").trim();
  return text === "" ? undefined : text;
}

/** No more of them than `most`: a task has ten containers, and what says more was not written by ECS. */
export function listOf(value: unknown, most: number): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

export function integerOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

export function timeOf(value: unknown): number | undefined {
  const ms = typeof value === "string" && value.length < 40 ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
