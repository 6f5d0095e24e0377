/** What a bench says of one of its limits. */

export interface Line {
  readonly what: string;
  readonly measured: string;
  /** With the direction: `at most 1.25`. */
  readonly limit: string;
  readonly kept: boolean;
}

export function print(lines: readonly Line[]): void {
  for (const { what, measured, limit, kept } of lines)
    console.log(`${kept ? "ok  " : "OVER"} ${what.padEnd(48)} ${measured}, ${limit}`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
}
