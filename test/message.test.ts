import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  actions,
  context,
  header,
  type Message,
  messageOf,
  outsideCode,
  outsideText,
  section,
  sections,
} from "../lib/message.ts";
import { complaintAbout } from "./standin/slackBlocks.ts";

const button = (changes: object = {}) => ({
  text: "Switch the key off",
  actionId: "approve",
  value: "request-7",
  ...changes,
});
/** Text as it is when Slack measures it. */
const anything = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 5_000 }),
  fc.constant("x".repeat(4_000)),
);

test("whatever text and however many blocks come in, Slack takes what comes out", () => {
  const block = fc.oneof(
    anything.map((text) => sections([text === "" ? "-" : text])),
    anything.map((text) => context([text])),
    anything.map((text) => [header(text === "" ? "-" : text)]),
    fc
      .array(fc.record({ text: anything, value: fc.string({ minLength: 1, maxLength: 2_000 }) }), {
        minLength: 1,
        maxLength: 30,
      })
      .map((buttons) =>
        actions(
          buttons.map(({ text, value }, index) =>
            button({ text: text === "" ? "-" : text, value, actionId: `act-${index}` }),
          ),
        ),
      ),
  );
  fc.assert(
    fc.property(anything, fc.array(block, { maxLength: 70 }), (text, blocks) => {
      const message = messageOf(text, blocks.flat());
      expect(complaintAbout(message.text, message.blocks)).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});

describe("a message with too many blocks", () => {
  const crowded = messageOf("text", [
    header("title"),
    ...Array.from({ length: 80 }, (_, at) => section(`line ${at}`)),
    ...actions([button()]),
  ]);

  test("keeps its buttons, and says how much is missing", () => {
    expect(crowded.blocks).toHaveLength(50);
    expect(crowded.blocks.at(-1)).toMatchObject({ type: "actions" });
    expect(crowded.blocks.at(-2)).toEqual(section("... and 33 more"));
    expect(crowded.blocks[0]).toMatchObject({ type: "header" });
  });
});

describe("a button", () => {
  test("is Slack's, with what is asked once more", () => {
    const confirm = { title: "Sure?", text: "Jobs that use it will break.", yes: "Switch off", no: "Wait" };
    expect(actions([button({ style: "danger", confirm })])).toEqual([
      {
        type: "actions",
        elements: [
          {
            type: "button",
            text: { type: "plain_text", text: "Switch the key off", emoji: true },
            action_id: "approve",
            value: "request-7",
            style: "danger",
            confirm: {
              title: { type: "plain_text", text: "Sure?" },
              text: { type: "plain_text", text: "Jobs that use it will break." },
              confirm: { type: "plain_text", text: "Switch off" },
              deny: { type: "plain_text", text: "Wait" },
            },
          },
        ],
      },
    ]);
  });

  test.each([
    ["value", { value: "x".repeat(2_001) }, "its value has 2001 characters; give it 1 to 2000"],
    ["action_id", { actionId: "x".repeat(256) }, "its action_id has 256 characters; give it 1 to 255"],
    ["action_id", { actionId: "" }, "its action_id has 0 characters; give it 1 to 255"],
  ])(
    "whose %s does not fit is refused, because a cut one would name something else",
    (_what, changes, says) => {
      expect(() => actions([button(changes)])).toThrow(says);
    },
  );
});

describe("text from outside", () => {
  test.each([
    ["<!channel> look", "look"],
    ["<!subteam^S1|@oncall> look", "@oncall look"],
    ["hello <@U123ABC> and <#C1|general>", "hello and general"],
    ["@here @channel @everyone wake up", "here channel everyone wake up"],
    ["@@here", "here"],
    ["<https://evil.example|https://aws.example>", "https[:]//aws.example"],
    ["see https://evil.example/x", "see https[:]//evil.example/x"],
    ["*Approved* by ~Bob~ `now`", "∗Approved∗ by ∼Bob∼ 'now'"],
    ["_quiet_ but JWT_SECRET_KEY stays", "＿quiet＿ but JWT_SECRET_KEY stays"],
    [":white_check_mark: done", "：white_check_mark: done"],
    ["a\nb\u0000c\u202ed", "a b c d"],
    ["1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"],
    ["<<!here>!channel>", "&lt;!channel&gt;"],
  ])("%j reads %j", (given, shown) => {
    expect(outsideText(given)).toBe(shown);
  });

  test("whatever it is, it mentions nobody, links nowhere and stays on one line", () => {
    const parts = fc.constantFrom(
      "<",
      ">",
      "!",
      "@",
      "#",
      "|",
      "here",
      "channel",
      "U1",
      "https:",
      "//",
      ":",
      "\n",
      "x",
      " ",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(parts, fc.string()), { maxLength: 20 }), (given) => {
        const shown = outsideText(given.join(""));
        expect(shown).not.toMatch(/[<>\n\r]|@(here|channel|everyone)|:\/\//);
      }),
    );
  });

  test("is cut where a reader would, and never in half a character", () => {
    expect(outsideText("x".repeat(400))).toBe(`${"x".repeat(299)}…`);
    expect(outsideText(`${"x".repeat(298)}😀😀`)).toBe(`${"x".repeat(298)}…`);
  });

  test("as code keeps its signs, and cannot end it", () => {
    expect(outsideCode("arn:aws:iam::1:role/a_b *x*")).toBe("`arn:aws:iam::1:role/a_b *x*`");
    expect(outsideCode("a`b <!channel>\n")).toBe("`a'b &lt;!channel&gt;`");
    expect(outsideCode("")).toBe("`-`");
  });
});

test("a message always has a text, for notifications and screen readers", () => {
  const silent: Message = messageOf("  ", [section("seen")]);
  expect(silent.text).toBe("Rekey");
  expect(messageOf("x".repeat(5_000), []).text).toHaveLength(4_000);
});
