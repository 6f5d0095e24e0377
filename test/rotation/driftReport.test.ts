import { describe, expect, test } from "vitest";
import { DRIFT, type DriftFinding, type DriftId, type Judged } from "../../lib/rotation/drift.ts";
import { makeDriftReport, renderDrift } from "../../lib/rotation/driftReport.ts";
import { at } from "./facts.ts";

const finding = (id: DriftId, secret = "shop/a", changes: Partial<DriftFinding> = {}): DriftFinding => ({
  id,
  severity: DRIFT[id],
  secret,
  says: `${secret}: does not hold`,
  evidence: [],
  mend: "mend it",
  ...changes,
});
const judged = (checks: number, ...findings: readonly DriftFinding[]): Judged => ({
  secret: findings[0]?.secret ?? "shop/quiet",
  checks,
  findings,
});
const report = (...all: readonly Judged[]) => makeDriftReport(all, at(0));
const render = (...findings: readonly DriftFinding[]) => renderDrift(report(judged(6, ...findings)));
const markdown = (text: string) => ({ type: "section", text: { type: "mrkdwn", text } });
/** What stands between the summary and the time of the check. */
const told = (...findings: readonly DriftFinding[]) => render(...findings).blocks.slice(2, -1);

describe("the counts", () => {
  const broken = finding("current-refused");
  const silent = finding("could-not-ask");
  const rows: [string, Judged[], [holds: number, couldNotAsk: number, summary: string]][] = [
    [
      "say so when everything holds",
      [judged(6), judged(6)],
      [12, 0, "12 checks of 2 secrets, everything holds"],
    ],
    [
      "tell what does not hold, and nothing of silence where all was answered",
      [judged(6, broken), judged(5)],
      [10, 0, "11 checks of 2 secrets, 1 do not hold"],
    ],
    [
      "do not call it holding when something could not be asked",
      [judged(6, silent, silent)],
      [4, 2, "6 checks of 1 secrets, 0 do not hold, 2 could not be asked"],
    ],
    [
      "keep what holds, what does not, and what could not be asked apart",
      [judged(6, broken, finding("pending-left"), silent), judged(6)],
      [9, 1, "12 checks of 2 secrets, 2 do not hold, 1 could not be asked"],
    ],
    ["of nothing are nothing", [], [0, 0, "0 checks of 0 secrets, everything holds"]],
  ];

  test.each(rows)("%s", (_promise, all, [holds, couldNotAsk, summary]) => {
    const { findings, ...counts } = report(...all);
    expect(counts).toEqual({
      checkedAt: "2026-11-24T12:00:00.000Z",
      secrets: all.length,
      checks: holds + findings.length,
      holds,
      couldNotAsk,
      summary,
    });
  });
});

describe("the order", () => {
  const rows: [string, Judged[], [DriftId, secret: string][]][] = [
    [
      "is the worst first, whichever secret it is of",
      [
        judged(6, finding("could-not-ask", "shop/a")),
        judged(6, finding("pending-left", "shop/b")),
        judged(6, finding("version-pinned", "shop/c")),
        judged(6, finding("current-refused", "shop/d")),
      ],
      [
        ["current-refused", "shop/d"],
        ["version-pinned", "shop/c"],
        ["pending-left", "shop/b"],
        ["could-not-ask", "shop/a"],
      ],
    ],
    [
      "is by name among what is equally bad",
      [
        judged(6, finding("key-shadowed", "shop/c")),
        judged(6, finding("version-pinned", "shop/a")),
        judged(6, finding("consumer-behind", "shop/b")),
      ],
      [
        ["version-pinned", "shop/a"],
        ["consumer-behind", "shop/b"],
        ["key-shadowed", "shop/c"],
      ],
    ],
    [
      "of one secret's equally bad findings is as they were found",
      [judged(6, finding("version-pinned"), finding("consumer-behind"), finding("key-shadowed"))],
      [
        ["version-pinned", "shop/a"],
        ["consumer-behind", "shop/a"],
        ["key-shadowed", "shop/a"],
      ],
    ],
  ];

  test.each(rows)("%s", (_promise, all, expected) => {
    expect(report(...all).findings.map(({ id, secret }) => [id, secret])).toEqual(expected);
  });
});

describe("the message", () => {
  test("has a title, the counts, each finding with its evidence and its mend, and the time of the check", () => {
    const evidence = [
      { what: "node", is: "db:5432" },
      { what: "version", is: "new" },
    ];
    const refused = { says: "shop/a: db:5432 refuses the value of AWSCURRENT", evidence, mend: "rotate it" };
    expect(render(finding("current-refused", "shop/a", refused))).toEqual({
      text: "Secrets have drifted: 6 checks of 1 secrets, 1 do not hold",
      blocks: [
        { type: "header", text: { type: "plain_text", text: "Secrets have drifted" } },
        markdown("6 checks of 1 secrets, 1 do not hold"),
        markdown(
          ":rotating_light: `current-refused` shop/a: db:5432 refuses the value of AWSCURRENT\nnode db:5432, version new\n`rotate it`",
        ),
        { type: "context", elements: [{ type: "mrkdwn", text: "checked 2026-11-24T12:00:00.000Z" }] },
      ],
    });
  });

  test.each<[string, DriftId[], title: string]>([
    ["of silence alone does not speak of drift", ["could-not-ask"], "Secrets could not be checked"],
    ["of drift alone does", ["pending-left"], "Secrets have drifted"],
    ["of drift and silence does too", ["could-not-ask", "pending-left"], "Secrets have drifted"],
  ])("%s", (_promise, ids, title) => {
    const { text, blocks } = render(...ids.map((id) => finding(id)));
    expect(text.split(":")[0]).toBe(title);
    expect(blocks[0]).toEqual({ type: "header", text: { type: "plain_text", text: title } });
  });

  test.each<[DriftId, line: string]>([
    ["current-refused", ":rotating_light: `current-refused` shop/a: does not hold"],
    ["consumer-behind", ":x: `consumer-behind` shop/a: does not hold"],
    ["pending-left", ":warning: `pending-left` shop/a: does not hold"],
    ["could-not-ask", ":grey_question: `could-not-ask` shop/a: does not hold"],
  ])("marks %s by how bad it is and leaves no empty line where nothing is shown for it", (id, line) => {
    expect(told(finding(id))).toEqual([markdown(`${line}\n\`mend it\``)]);
  });

  test("gives no power to text from outside, wherever it stands", () => {
    const outside = finding("could-not-ask", "shop/a", {
      says: "shop/a: <!channel> & co",
      evidence: [{ what: "<node>", is: "a&b" }],
      mend: "echo <!here>",
    });
    expect(told(outside)).toEqual([
      markdown(
        ":grey_question: `could-not-ask` shop/a: &lt;!channel&gt; &amp; co\n&lt;node&gt; a&amp;b\n`echo &lt;!here&gt;`",
      ),
    ]);
  });

  test("of very many findings stays under Slack's limits and counts the rest", () => {
    const many = Array.from({ length: 1000 }, () =>
      finding("pending-left", "shop/a", { mend: "m".repeat(100) }),
    );
    const { blocks } = render(...many);
    expect(blocks.length).toBeLessThanOrEqual(50);
    const texts = blocks.map((block) => (block["text"] as { text?: string } | undefined)?.text ?? "");
    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThanOrEqual(3000);
    const shown = texts.join("\n").split("`pending-left`").length - 1;
    expect(shown).toBeLessThan(1000);
    expect(texts.at(-2)).toBe(`... and ${1000 - shown} more`);
  });
});
