/**
 * The records in a piece of text: a trail's file, an array, one record a line, or an answer of LookupEvents. What is broken
 * is counted, and stops nothing: of a file that was cut off, every whole record is still read.
 */
import { fieldsOf, textOf } from "../fields.ts";

export interface RecordsIn {
  readonly records: readonly unknown[];
  /** Why something could not be read -> how often. */
  readonly malformed: ReadonlyMap<string, number>;
}

export function recordsIn(text: string): RecordsIn {
  const records: unknown[] = [];
  const malformed = new Map<string, number>();
  const complain = (why: string) => void malformed.set(why, (malformed.get(why) ?? 0) + 1);
  const whole = parsed(text);
  if (whole !== undefined) take(whole.value, records, complain);
  else if (/^\s*(\[|\{[^[]*"(Records|Events)"\s*:\s*\[)/.test(text.slice(0, 4_096)))
    takeWhole(text, records, complain);
  else {
    for (const line of text.split("\n")) {
      if (line.trim() === "") continue;
      const one = parsed(line);
      if (one === undefined) complain("a line is not JSON");
      else take(one.value, records, complain);
    }
  }
  return { records, malformed };
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** Arrays of answers, of which each has an array, are the deepest that anybody writes. */
const DEEPEST = 8;

function take(value: unknown, into: unknown[], complain: (why: string) => void, depth = 0): void {
  if (Array.isArray(value) && depth < DEEPEST) {
    for (const one of value) take(one, into, complain, depth + 1);
    return;
  }
  const fields = fieldsOf(value);
  const inside = textOf(fields["CloudTrailEvent"]);
  if (Array.isArray(fields["Records"])) {
    for (const one of fields["Records"]) into.push(one);
  } else if (Array.isArray(fields["Events"])) take(fields["Events"], into, complain, depth + 1);
  else if (typeof fields["CloudTrailEvent"] === "string" && inside !== undefined) {
    const event = parsed(fields["CloudTrailEvent"]);
    if (event === undefined) complain("a CloudTrailEvent is not JSON");
    else into.push(event.value);
  } else into.push(value);
}

/** Of an array that does not parse as a whole. */
function takeWhole(text: string, into: unknown[], complain: (why: string) => void): void {
  let at = text.indexOf("[") + 1;
  for (;;) {
    const start = text.indexOf("{", at);
    if (start === -1) return;
    const end = endOfObject(text, start);
    if (end === undefined) {
      complain("the file ends in the middle of a record");
      return;
    }
    const one = parsed(text.slice(start, end));
    if (one === undefined) complain("a record is not JSON");
    else take(one.value, into, complain);
    at = end;
  }
}

/** Braces in strings do not count. @returns the place after the closing brace */
function endOfObject(text: string, start: number): number | undefined {
  const token = /["{}]/g;
  token.lastIndex = start;
  let depth = 0;
  for (let found = token.exec(text); found; found = token.exec(text)) {
    if (found[0] === "{") depth++;
    else if (found[0] === "}") {
      depth--;
      if (depth === 0) return token.lastIndex;
    } else {
      const end = endOfString(text, token.lastIndex);
      if (end === undefined) return undefined;
      token.lastIndex = end;
    }
  }
  return undefined;
}

/** One step for each escape: a pattern that repeats runs out of stack on a long string of them. */
function endOfString(text: string, from: number): number | undefined {
  const stop = /["\\]/g;
  stop.lastIndex = from;
  for (let found = stop.exec(text); found; found = stop.exec(text)) {
    if (found[0] === '"') return stop.lastIndex;
    stop.lastIndex++;
  }
  return undefined;
}
