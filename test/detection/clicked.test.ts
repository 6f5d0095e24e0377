import { expect, test } from "vitest";
import { concernsOf, readRef } from "../../lib/detection/clicked.ts";
import type { Episode } from "../../lib/detection/episodes.ts";
import type { Mark } from "../../lib/detection/mark.ts";

const mark = (eventId: string, secrets: readonly string[]) =>
  ({ eventId, secrets, atMs: 1 }) as unknown as Mark;

test("a button says which alert it stands under, also of a principal with spaces", () => {
  const arn = "arn:aws:sts::123456789012:assumed-role/a b/c";
  expect(readRef(`123456789012 ${arn} reading 1764072000000`)).toEqual({
    account: "123456789012",
    principal: arn,
    family: "reading",
    startMs: 1_764_072_000_000,
  });
  for (const other of ["", "approve", "12 x reading 1", `123456789012 ${arn} reading`, "request-7"])
    expect(readRef(other)).toBeUndefined();
});

test("what did not happen is not expected: a rule goes with the secrets it fired on, and with its own episode", () => {
  const matches = new Map([
    [
      "rootTouchesSecret",
      new Map([
        ["e1", mark("e1", ["a"])],
        ["e2", mark("e2", ["a"])],
      ]),
    ],
    [
      "bulkRead",
      new Map([
        ["e2", mark("e2", ["b", "c"])],
        ["earlier", mark("earlier", ["d"])],
      ]),
    ],
    ["stopsTrail", new Map([["e3", mark("e3", [])]])],
  ]);
  const episode: Episode = {
    principal: "p",
    family: "reading",
    severity: "high",
    secrets: ["a", "b", "c"],
    rules: ["bulkRead", "rootTouchesSecret", "stopsTrail"],
    events: ["e1", "e2", "e3"].map((id) => mark(id, [])),
  };
  expect(concernsOf(matches, episode)).toEqual([
    ["bulkRead", "b"],
    ["bulkRead", "c"],
    ["rootTouchesSecret", "a"],
    ["stopsTrail", ""],
  ]);
});
