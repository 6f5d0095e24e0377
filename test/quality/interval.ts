/** A mean over seeds and where it lies with a chance of 95 %, by Student's t. */

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** The 97.5th percentile for 1, 2, 3, ... degrees of freedom. */
const T = [
  ...[
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  ],
  ...[2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
];

/** @throws Error for fewer than two values: of a single one nothing is known but itself */
export function intervalOf(values: readonly number[]): Interval {
  const count = values.length;
  if (count < 2) throw new Error("an interval needs two values at least");
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const half = percentile(count - 1) * Math.sqrt(variance / count);
  return { mean, low: mean - half, high: mean + half };
}

/** Beyond the table, the next smaller one of it: the interval is a little wider than it need be. */
function percentile(degrees: number): number {
  return T[Math.min(degrees, T.length) - 1] ?? 0;
}
