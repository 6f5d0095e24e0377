/** What fields of ECS events hold, with narrower bounds than records of anything have. */
import { shortTextOf } from "../fields.ts";

const LONGEST = 1_024;

export const textOf = (value: unknown): string | undefined => shortTextOf(value, LONGEST);

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
