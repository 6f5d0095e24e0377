import { expect, test } from "vitest";
import { keyWindowsFor } from "../../lib/detection/keyWindows.ts";
import { NOON, read } from "./secretEvents.ts";

const at = (seconds: number) => NOON + seconds * 1000;

test("a window is the moment of a read and what its Decrypt may be apart", () => {
  expect(keyWindowsFor([read("shop", 0)])).toEqual([{ fromMs: at(-2), toMs: at(3), reads: 1 }]);
});

test("near moments are asked for at once, far ones apart, the newest first", () => {
  const windows = keyWindowsFor([read("shop", 600), read("shop", 0), read("shop", 20)]);
  expect(windows).toEqual([
    { fromMs: at(598), toMs: at(603), reads: 1 },
    { fromMs: at(-2), toMs: at(23), reads: 2 },
  ]);
});

test("a busy reader makes many short windows and not one without an end, and every read is in one", () => {
  const reads = Array.from({ length: 500 }, (_, place) => read("shop", place * 10));
  const windows = keyWindowsFor(reads);
  expect(Math.max(...windows.map(({ fromMs, toMs }) => toMs - fromMs))).toBeLessThanOrEqual(60_000);
  expect(windows.reduce((sum, { reads: count }) => sum + count, 0)).toBe(500);
  for (const { atMs } of reads)
    expect(windows.some(({ fromMs, toMs }) => fromMs <= atMs - 2000 && toMs > atMs + 2000)).toBe(true);
});

test("what nothing else tells comes before what is inferred, and rare readers before busy ones", () => {
  const inferred = { version: { id: "v1", label: "AWSCURRENT", known: "inferred" as const } };
  const reads = [read("busy", 0), read("busy", 1000), read("rare", 2000), read("once", 3000, inferred)];
  expect(keyWindowsFor(reads).map(({ fromMs }) => (fromMs - NOON) / 1000 + 2)).toEqual([2000, 1000, 0, 3000]);
});
