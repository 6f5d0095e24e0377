import { describe, expect, test } from "vitest";
import { refreshes, tracesOf } from "../../lib/detection/refresh.ts";
import type { Sketch } from "../../lib/detection/rule.ts";
import { eventsOf } from "./sketches.ts";

const call = (action: string, afterSeconds: number, more: Sketch = {}): Sketch => ({
  action,
  afterSeconds,
  ...more,
});
const pinned = (afterSeconds: number): Sketch => ({ afterSeconds, request: { versionId: "v1" } });
const question = (afterSeconds: number) => call("GetResourcePolicy", afterSeconds);

/** Places of the events that count as a tool's own. */
function refreshed(events: readonly Sketch[]): readonly number[] {
  const ids = refreshes(eventsOf(events).flatMap(tracesOf));
  return events.map((_, place) => place).filter((place) => ids.has(`event-${place}`));
}

describe("a tool that keeps secrets in step with code", () => {
  test.each<[string, readonly Sketch[], readonly number[]]>([
    ["reads a value beside its policy", [question(0), pinned(2)], [1]],
    ["may read first and ask then", [pinned(0), question(2)], [0]],
    ["reads one value for a question, and no second one", [question(0), pinned(1), pinned(1)], [1]],
    [
      "reads back what it has written, as often as it likes",
      [call("PutSecretValue", 0), pinned(1), pinned(1)],
      [1, 2],
    ],
    ["reads by default only right after its question", [question(0), { afterSeconds: 15 }], [1]],
    ["does not read by default a while later", [question(0), { afterSeconds: 16 }], []],
    ["does not read by default before it asks", [{}, question(1)], []],
    ["does not read back by default", [call("PutSecretValue", 0), { afterSeconds: 1 }], []],
    ["removes what it planned to", [question(0), call("DeleteSecret", 600)], [1]],
    ["does not remove what it looked at an hour ago", [question(0), call("DeleteSecret", 3_600)], []],
    [
      "does not remove what it has just made",
      [call("CreateSecret", 0), question(1), call("DeleteSecret", 60)],
      [],
    ],
    [
      "removes what it made as soon as it has looked again",
      [call("CreateSecret", 0), question(1), question(300), call("DeleteSecret", 60)],
      [3],
    ],
  ])("%s", (_what, events, expected) => {
    expect(refreshed(events)).toEqual(expected);
  });

  test("of another secret, or somebody else, excuses nothing", () => {
    expect(refreshed([{ ...question(0), secret: "other" }, pinned(1)])).toEqual([]);
    expect(refreshed([{ ...question(0), principal: { key: "other" } }, pinned(1)])).toEqual([]);
  });

  test("is not excused by a question that was refused", () => {
    expect(refreshed([{ ...question(0), outcome: "denied" }, pinned(1)])).toEqual([]);
  });
});
