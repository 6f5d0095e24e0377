/** A page that a program and people write together: nothing that a person wrote is ever lost, however they came to write it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { merge, type Part, writePage } from "../../lib/incident/markedPage.ts";

const parts = (metrics: string, timeline: string): readonly Part[] => [
  { text: "# A page" },
  { section: "metrics", text: metrics },
  { text: "## What went well\n\n> open" },
  { section: "timeline", text: timeline },
  { text: "## Action items" },
];
const first = writePage(parts("took 1 s", "03:00 it began"));
const fresh = writePage(parts("took 2 s", "03:00 it began\n03:05 it ended"));

test("what nobody touched is written anew, and what stands between stays byte for byte", () => {
  const edited = first
    .replace("> open", "We were awake.\r\n\tÜber “alles”  \n\n\n")
    .replace("## Action items", "## Action items\n\n- [ ] a lock, Ann, 2026-12-01");
  const { text, kept, damage } = merge(edited, fresh);
  expect({ kept, damage }).toEqual({ kept: [], damage: [] });
  expect(text).toBe(
    fresh
      .replace("> open", "We were awake.\r\n\tÜber “alles”  \n\n\n")
      .replace("## Action items", "## Action items\n\n- [ ] a lock, Ann, 2026-12-01"),
  );
});

test("a section that a person has changed is theirs, and that is said; the others are written anew", () => {
  const { text, kept } = merge(first.replace("took 1 s", "took 1 s, says the clock in the hall"), fresh);
  expect(kept).toEqual(["metrics"]);
  expect(text).toContain("took 1 s, says the clock in the hall");
  expect(text).toContain("03:05 it ended");
  expect(text).not.toContain("took 2 s");
});

test("a section that is missing comes back at the end, once", () => {
  const without = first.replace(/<!-- rekey:begin metrics[\s\S]*end metrics -->\n/, "");
  const { text } = merge(without, fresh);
  expect(text.match(/took 2 s/g)).toHaveLength(1);
  expect(merge(text, fresh).text).toBe(text);
});

test("an editor that changes line ends changes nothing else", () => {
  const { text, kept, damage } = merge(first.replaceAll("\n", "\r\n"), fresh);
  expect({ kept, damage }).toEqual({ kept: [], damage: [] });
  expect(text).toBe(fresh.replaceAll("\n", "\r\n"));
});

test.each([
  [
    "an end is missing",
    (page: string) => page.replace("<!-- rekey:end metrics -->\n", ""),
    '"timeline" begins before "metrics" has ended',
  ],
  [
    "a beginning is missing",
    (page: string) => page.replace(/<!-- rekey:begin metrics.*\n/, ""),
    '"metrics" ends, and had not begun',
  ],
  [
    "the last end is missing",
    (page: string) => page.replace("<!-- rekey:end timeline -->\n", ""),
    '"timeline" begins, and does not end',
  ],
  ["a section was pasted twice", (page: string) => page + page, '"metrics" is there twice'],
  [
    "a mark was moved within its line",
    (page: string) => page.replace("<!-- rekey:end metrics", "- <!-- rekey:end metrics"),
    "a mark of Rekey's was changed",
  ],
  [
    "a mark lost its digest",
    (page: string) => page.replace(/(begin metrics) \w+/, "$1"),
    "a mark of Rekey's was changed",
  ],
])("if %s, it is said with the line, and nothing is overwritten", (_, damageIt, says) => {
  const damaged = damageIt(first);
  const merged = merge(damaged, fresh);
  expect(merged.text).toBe(damaged);
  expect(merged.damage.join("\n")).toContain(says);
  expect(merged.damage.join("\n")).toMatch(/^line \d+: /);
});

test("what looks like a mark in the program's own text ends nothing", () => {
  const hostile = "<!-- rekey:end metrics -->\nfree at last\n<!--rekey:begin x 0123456789abcdef-->";
  const page = writePage(parts(hostile, "t"));
  expect(merge(page, page)).toEqual({ text: page, kept: [], damage: [] });
  expect(merge(page, fresh).text).toBe(fresh);
});

test("whatever a person writes or deletes, wherever, also within and across marks: every word of theirs survives, in order", () => {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    deletes: fc.nat({ max: 80 }),
    noise: fc.oneof(
      fc.constant(""),
      fc.string({ unit: "grapheme" }),
      fc.constantFrom(
        "\n",
        "\r\n",
        "<!--",
        "-->",
        "<!-- rekey:begin metrics 0123456789abcdef -->\n",
        "\n<!-- rekey:end timeline -->\n",
      ),
    ),
  });
  let merges = 0;
  let refusals = 0;
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
      let page = first;
      for (const [nth, { at, deletes, noise }] of edits.entries()) {
        const offset = Math.floor(at * page.length);
        page = `${page.slice(0, offset)}${noise}⟦word ${nth}⟧${page.slice(offset + deletes)}`;
      }
      const words = page.match(/⟦word \d⟧/g);
      const { text, damage } = merge(page, fresh);
      expect(text.match(/⟦word \d⟧/g)).toEqual(words);
      if (damage.length > 0) expect(text).toBe(page);
      expect(merge(text, fresh).text).toBe(text);
      if (damage.length > 0) refusals++;
      else merges++;
    }),
    { numRuns: 3_000 },
  );
  // Both ways were gone.
  expect(Math.min(merges, refusals)).toBeGreaterThan(100);
});

test("any texts between the marks come through, and every untouched section is the new one", () => {
  const words = fc
    .string({ unit: "grapheme", maxLength: 200 })
    .filter((text) => !/<!-{1,3}\s*rekey\s*:/i.test(text));
  fc.assert(
    fc.property(words, words, words, fc.string({ unit: "grapheme" }), (top, middle, end, news) => {
      const mine = (metrics: string, timeline: string) =>
        `${top}\n${writePage([{ section: "metrics", text: metrics }])}${middle}\n${writePage([{ section: "timeline", text: timeline }])}${end}`;
      const after = writePage([
        { section: "metrics", text: news },
        { section: "timeline", text: "later" },
      ]);
      expect(merge(mine("before", "before"), after)).toEqual({
        text: mine(news, "later"),
        kept: [],
        damage: [],
      });
    }),
    { numRuns: 1_000 },
  );
});
