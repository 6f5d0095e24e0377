/** A message stays within Slack's limits and its own block, whatever stands in a log, a reason or a name. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LOG_LINES, type Pack, QUESTIONS } from "../../lib/incident/evidence.ts";
import { countStop, standing } from "../../lib/incident/stopEpisode.ts";
import { stopMessage, threadTexts } from "../../lib/incident/stopMessage.ts";
import { alert } from "../../lib/incident/verdict.ts";
import { stopOf } from "./stops.ts";

const verdict = (says: string, lookAt: readonly string[] = ["the last log lines"]) =>
  alert({ severity: "P3", cause: "application error", container: "app", says, lookAt });
const textsOf = (message: { readonly blocks: readonly Readonly<Record<string, unknown>>[] }) =>
  message.blocks.map((block) => (block["text"] as { readonly text: string }).text);

test("a message that has no evidence yet says that it follows, and one that never will says why", () => {
  const episode = countStop(undefined, stopOf(), verdict("container app ended with exit code 1"));
  const before = stopMessage(episode, standing(episode), undefined);
  expect(before.text).toBe("P3 shop/gateway: application error. Container app ended with exit code 1");
  expect(textsOf(before).join("\n")).toContain("follows within a minute");
  const after = textsOf(
    stopMessage(episode, standing(episode), [{ question: "logs", lines: [], missing: "denied <x>" }]),
  );
  expect(after).toContain("*Logs*: _not available: denied &lt;x&gt;_");
  expect(after).toContain("*Health*: _not available: nobody asked_");
});

test("hostile text neither mentions anybody, nor leaves its block, nor breaks a limit", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 600 }),
    fc.constantFrom(
      "<!channel>",
      "```",
      "<@U123>",
      "<https://evil|good>",
      "&amp;<!here>",
      "`".repeat(200),
      "<".repeat(400),
    ),
  );
  const packs: fc.Arbitrary<Pack> = fc.tuple(
    ...QUESTIONS.map((question) =>
      fc.array(hostile, { maxLength: LOG_LINES }).map((lines) => ({ question, lines })),
    ),
  );
  fc.assert(
    fc.property(hostile, fc.array(hostile, { maxLength: 5 }), packs, (says, lookAt, pack) => {
      const episode = countStop(undefined, stopOf(), verdict(says, lookAt));
      const message = stopMessage(episode, standing(episode), pack);
      const texts = [...textsOf(message), ...threadTexts(pack)];
      expect(message.blocks.length).toBeLessThanOrEqual(50);
      for (const text of [...texts, message.text]) {
        expect(text.length).toBeLessThanOrEqual(3_000);
        expect(text).not.toMatch(/<[!@#h]/);
      }
      for (const text of texts.filter((one) => /^\*(Logs|Configuration)\*\n/.test(one)))
        expect(text.match(/```/g)).toHaveLength(2);
    }),
    { numRuns: 300 },
  );
});

test("every line of the evidence that the headline has no room for stands in the thread", () => {
  const lines = Array.from({ length: 50 }, (_, nth) => `line ${nth} ${"x ".repeat(150)}`);
  const texts = threadTexts([{ question: "logs", lines }]);
  for (const [nth] of lines.entries())
    expect(texts.filter((text) => text.includes(`line ${nth} `))).toHaveLength(1);
});
