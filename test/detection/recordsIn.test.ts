import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recordsIn } from "../../lib/detection/recordsIn.ts";

const [A, B, C] = [{ eventID: "a" }, { eventID: "b", text: '}]" {' }, { eventID: "c", deep: [{ x: {} }] }];
const lookedUp = (...records: object[]) => ({
  Events: records.map((one) => ({ EventId: "x", CloudTrailEvent: JSON.stringify(one) })),
});

describe("records are read from", () => {
  test.each<[string, string]>([
    ["a trail's file", JSON.stringify({ Records: [A, B, C] })],
    ["an array", JSON.stringify([A, B, C])],
    ["an array over many lines", JSON.stringify([A, B, C], null, 2)],
    ["one record a line", [A, B, C].map((one) => JSON.stringify(one)).join("\n")],
    [
      "lines that end as on Windows, with an empty one",
      `${[A, B, C].map((one) => JSON.stringify(one)).join("\r\n")}\r\n\r\n`,
    ],
    ["an answer of LookupEvents", JSON.stringify(lookedUp(A, B, C))],
    ["several answers of LookupEvents", `${JSON.stringify(lookedUp(A, B))}\n${JSON.stringify(lookedUp(C))}`],
    ["an array of files", JSON.stringify([{ Records: [A] }, { Records: [B, C] }])],
  ])("%s", (_from, text) => {
    expect(recordsIn(text)).toEqual({ records: [A, B, C], malformed: new Map() });
  });

  test("one record alone", () => {
    expect(recordsIn(JSON.stringify(A)).records).toEqual([A]);
  });

  test("nothing", () => {
    expect(recordsIn("")).toEqual({ records: [], malformed: new Map() });
  });
});

describe("what is broken is counted, and the rest is read", () => {
  test.each<[string, string, string[], [string, number][]]>([
    [
      "a file that was cut off",
      JSON.stringify({ Records: [A, B, C] }).slice(0, -9),
      ["a", "b"],
      [["the file ends in the middle of a record", 1]],
    ],
    [
      "an array that was cut off in a string",
      `${JSON.stringify([A, B]).slice(0, -9)}`,
      ["a"],
      [["the file ends in the middle of a record", 1]],
    ],
    ["a file that was cut off between two records", `{"Records":[${JSON.stringify(A)},`, ["a"], []],
    [
      "an answer that was cut off",
      `${JSON.stringify(lookedUp(A, B)).slice(0, -3)}`,
      ["a"],
      [["the file ends in the middle of a record", 1]],
    ],
    [
      "a record that is none",
      `[${JSON.stringify(A)},{"x":},${JSON.stringify(B)}`,
      ["a", "b"],
      [["a record is not JSON", 1]],
    ],
    [
      "lines that are none",
      `${JSON.stringify(A)}\nnonsense\n{"half":\n${JSON.stringify(B)}`,
      ["a", "b"],
      [["a line is not JSON", 2]],
    ],
    [
      "an event in an answer",
      JSON.stringify({ Events: [{ CloudTrailEvent: "{" }, { CloudTrailEvent: JSON.stringify(A) }] }),
      ["a"],
      [["a CloudTrailEvent is not JSON", 1]],
    ],
  ])("%s", (_what, text, ids, malformed) => {
    const found = recordsIn(text);
    expect(found.records.map((one) => (one as typeof A).eventID)).toEqual(ids);
    expect([...found.malformed]).toEqual(malformed);
  });

  test("wherever a file is cut off, every whole record before that is read", () => {
    const text = JSON.stringify({ Records: [A, B, C] });
    const ends = [A, B, C].map((one) => text.indexOf(JSON.stringify(one)) + JSON.stringify(one).length);
    fc.assert(
      fc.property(fc.integer({ min: 13, max: text.length }), (length) => {
        expect(recordsIn(text.slice(0, length)).records).toEqual(
          [A, B, C].slice(0, ends.filter((end) => end <= length).length),
        );
      }),
    );
  });
});

describe("what was made to break the reader is read, or counted", () => {
  test.each<[string, string, number]>([
    ["a long string of escapes that is cut off", `[${JSON.stringify(A)},{"a":"${"\\n".repeat(3_000_000)}`, 1],
    ["arrays in arrays", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, 1],
    ["more records than a call has room for", JSON.stringify({ Records: Array(300_000).fill(A) }), 300_000],
  ])("%s", (_what, text, records) => {
    expect(recordsIn(text).records).toHaveLength(records);
  });
});
