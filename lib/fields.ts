/** Reading fields of records and events that anybody may have made up: nothing here throws, and no string comes out longer than a page. */

export type Fields = Readonly<Record<string, unknown>>;

const NONE: Fields = {};
const LONGEST = 2_048;
/** Also what turns text around or hides it. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : NONE;
}

/** One line, trimmed; undefined when there is nothing to read. */
export const textOf = (value: unknown): string | undefined => shortTextOf(value, LONGEST);

/** The same, of so many characters at the most. */
export function shortTextOf(value: unknown, most: number): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.slice(0, most).replace(UNSEEN, " ").trim();
  return text === "" ? undefined : text;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
