import { expect, test } from "vitest";
import { intervalOf } from "./interval.ts";

test("three values: 4.303 standard errors to both sides", () => {
  // Deviation 1, standard error 1 / sqrt(3) = 0.57735.
  const { mean, low, high } = intervalOf([1, 2, 3]);
  expect(mean).toBe(2);
  expect(low).toBeCloseTo(2 - 2.4843, 4);
  expect(high).toBeCloseTo(2 + 2.4843, 4);
});

test("two values: 12.706 standard errors", () => {
  const { mean, low, high } = intervalOf([0, 1]);
  expect(mean).toBe(0.5);
  expect(low).toBeCloseTo(0.5 - 6.353, 3);
  expect(high).toBeCloseTo(0.5 + 6.353, 3);
});

test("more values than the table has take its last row", () => {
  // Twenty zeros and twenty ones: deviation sqrt(10 / 39) = 0.50637, standard error 0.080064, times 2.042.
  const { mean, low } = intervalOf(Array.from({ length: 40 }, (_, place) => place % 2));
  expect(mean).toBe(0.5);
  expect(low).toBeCloseTo(0.5 - 0.16349, 4);
});

test("the same value always leaves no doubt", () => {
  expect(intervalOf([0.9, 0.9, 0.9])).toEqual({ mean: 0.9, low: 0.9, high: 0.9 });
});

test.each([[[]], [[1]]])("%j is too little", (values) => {
  expect(() => intervalOf(values)).toThrow("two values at least");
});
