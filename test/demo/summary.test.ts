/** When the demo may end with 0: it must not call anything proven that a real try did not show. */
import { expect, test } from "vitest";
import { isProven, type Summary } from "./summary.ts";
import { BUNDLE, GUARD_DATABASE, GUARD_REDIS } from "./world.ts";

const swapped = { "password somewhere": { oldRefused: true, newAccepted: true } };
const unchanged = { "password somewhere": { oldRefused: false, newAccepted: false } };
const untouched = { "password somewhere": { oldRefused: false, newAccepted: true } };

const rotated: Summary = {
  scene: "rotate",
  requests: 20_000,
  failed: 0,
  rotated: [BUNDLE, GUARD_DATABASE, GUARD_REDIS],
  rolledBack: [],
  deployments: { gateway: 1, tokenguard: 1, trustguard: 1 },
  oldRefused: {},
  newAccepted: {},
  newRefused: {},
  tried: { [BUNDLE]: swapped, [GUARD_DATABASE]: swapped, [GUARD_REDIS]: swapped },
  sentences: {},
  seconds: 20,
  invariant: { tries: 100, refusals: 0 },
  reasons: {},
  failingSeconds: 0,
  timeline: "timeline.svg",
};
const broken: Summary = {
  ...rotated,
  scene: "break",
  broken: { service: "gateway", fault: "crash" },
  rotated: [GUARD_DATABASE, GUARD_REDIS],
  rolledBack: [BUNDLE],
  deployments: { gateway: 1, tokenguard: 2, trustguard: 2 },
  tried: { [BUNDLE]: unchanged, [GUARD_DATABASE]: swapped, [GUARD_REDIS]: swapped },
};
const leaked: Summary = {
  ...rotated,
  scene: "emergency",
  failed: 700,
  rotated: [BUNDLE],
  tried: { [BUNDLE]: swapped, [GUARD_DATABASE]: untouched, [GUARD_REDIS]: untouched },
  emergency: { diedAfterSeconds: { [BUNDLE]: 1 }, cut: 3, failuresExpected: true },
};

test.each<[string, Summary, boolean]>([
  ["everything rotated", rotated, true],
  ["a failed request", { ...rotated, failed: 1 }, false],
  ["a readable value that was refused", { ...rotated, invariant: { tries: 100, refusals: 1 } }, false],
  ["a second deployment", { ...rotated, deployments: { gateway: 2 } }, false],
  ["an old value that lives on", { ...rotated, tried: { ...rotated.tried, [BUNDLE]: untouched } }, false],
  ["nothing tried", { ...rotated, tried: {} }, false],
  ["a secret that did not rotate", { ...rotated, rotated: [BUNDLE, GUARD_DATABASE] }, false],
  ["what the broken service uses is back", broken, true],
  ["a failed request on the way back", { ...broken, failed: 1 }, false],
  ["a new value that still works", { ...broken, tried: { ...broken.tried, [BUNDLE]: untouched } }, false],
  [
    "a neighbour that went back too",
    {
      ...broken,
      rotated: [GUARD_REDIS],
      rolledBack: [BUNDLE, GUARD_DATABASE],
      tried: { ...broken.tried, [GUARD_DATABASE]: unchanged },
    },
    false,
  ],
  [
    "nothing went back",
    { ...rotated, scene: "break", broken: { service: "gateway", fault: "crash" } },
    false,
  ],
  ["leaked values are dead, whatever it cost", leaked, true],
  ["a leaked value that lives on", { ...leaked, tried: { ...leaked.tried, [BUNDLE]: untouched } }, false],
  ["no leaked value was rotated", { ...leaked, rotated: [], tried: { [BUNDLE]: untouched } }, false],
])("%s", (_what, summary, proven) => {
  expect(isProven(summary)).toBe(proven);
});
