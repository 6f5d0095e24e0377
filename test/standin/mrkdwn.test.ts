import fc from "fast-check";
import { expect, test } from "vitest";
import { parseMrkdwn, parsePlain, type Span } from "./slackPage/mrkdwn.ts";

const flat = (spans: readonly Span[]): readonly Span[] =>
  spans.flatMap((span) => ("spans" in span ? [span, ...flat(span.spans)] : [span]));

test.each<[string, readonly Span[]]>([
  ["2 * 3 * 4 and snake_case_name", [{ kind: "text", text: "2 * 3 * 4 and snake_case_name" }]],
  ["*a `b` c*", [{ kind: "bold", spans: parseMrkdwn("a `b` c") }]],
  ["`*not bold* &lt;b&gt;`", [{ kind: "code", text: "*not bold* <b>" }]],
  ["&amp;lt;", [{ kind: "text", text: "&lt;" }]],
  ["&gt; said", [{ kind: "quote", spans: [{ kind: "text", text: "said" }] }]],
  ["<!channel>", [{ kind: "mention", text: "@channel" }]],
  ["&lt;!channel&gt;", [{ kind: "text", text: "<!channel>" }]],
  ["<@U0ALICE>", [{ kind: "mention", text: "@U0ALICE" }]],
  [
    "<https://a.example/?x=1&amp;y=2|here>",
    [{ kind: "link", href: "https://a.example/?x=1&y=2", text: "here" }],
  ],
  ["<javascript:alert(1)|here>", [{ kind: "text", text: "<javascript:alert(1)|here>" }]],
  ["```\nline *one*\n```", [{ kind: "pre", text: "line *one*\n" }]],
])("%j is read as Slack reads it", (text, spans) => {
  expect(parseMrkdwn(text)).toEqual(spans);
});

test("a header knows emoji and nothing else", () => {
  expect(parsePlain(":x: *a* <https://a.example>")).toEqual([
    { kind: "emoji", name: "x" },
    { kind: "text", text: " *a* <https://a.example>" },
  ]);
});

const pieces = fc.constantFrom(
  "*",
  "_",
  "~",
  "`",
  "```",
  "<",
  ">",
  "|",
  "&lt;",
  "&amp;",
  ":x:",
  "\n",
  " ",
  "a",
  "javascript:",
  "https://a",
  "@U1",
  "!",
);
const hostile = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 40 }).map((all) => all.join(""));

test("whatever is said, nothing links but to the web and to mail", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      for (const span of flat(parseMrkdwn(text)))
        if (span.kind === "link") expect(span.href).toMatch(/^(https?:\/\/|mailto:)/i);
    }),
    { numRuns: 2_000 },
  );
});

test("words that carry no mark are shown as they are, none lost and none twice", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "é", " ", ".", "(", "\n", "=") }), (text) => {
      const shown = parseMrkdwn(text).map((span) => ("text" in span ? span.text : ""));
      expect(shown.join("")).toBe(text);
    }),
  );
});
