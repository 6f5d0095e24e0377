/** The post-mortem of a night, as people get it: filled in where records know, open where only people can judge. */
import { fromMarkdown } from "mdast-util-from-markdown";
import { expect, test } from "vitest";
import { loadRunbook } from "../../lib/adapters/runbooks.ts";
import { intervalsOf } from "../../lib/incident/incidentTimes.ts";
import { merge } from "../../lib/incident/markedPage.ts";
import { type PostMortemFacts, withoutNames, writePostMortem } from "../../lib/incident/postMortem.ts";
import type { Run, StepRecord } from "../../lib/incident/run.ts";

const runbook = await loadRunbook("secret-compromised");
const step = (fields: Partial<StepRecord>): StepRecord => ({
  ...{ status: "pending", silences: 0, attempts: 0, asks: 0 },
  ...fields,
});
const steps: Readonly<Record<string, StepRecord>> = {
  killOld: step({
    status: "done",
    before: { digest: "d", shows: "version 7 is current, 3 tasks hold it" },
    request: {
      ...{ digest: "x", people: 1, askedAt: "2026-11-25T03:00:12.000Z", usedAt: "2026-11-25T03:00:41.000Z" },
      given: [{ by: "UBEN", at: "2026-11-25T03:00:40.000Z" }],
    },
    beganAt: "2026-11-25T03:00:41.000Z",
    proof: {
      ...{ check: "oldValueRefused", shows: "login app was refused", at: "2026-11-25T03:01:09.000Z" },
      providerAt: "2026-11-25T03:01:05.000Z",
    },
  }),
  keyOff: step({ status: "skipped", settledAt: "2026-11-25T03:01:10.000Z", because: "no key was named" }),
  endSessions: step({ status: "skipped", settledAt: "2026-11-25T03:01:10.000Z" }),
  reach: step({
    status: "failed",
    settledAt: "2026-11-25T03:04:00.000Z",
    because: "CloudTrail did not answer",
    passedOverBy: "UCLEO",
  }),
  allUpdated: step({
    status: "done",
    proof: { check: "everythingHolds", shows: "3 of 3 tasks", at: "2026-11-25T03:09:00.000Z" },
  }),
};
const run: Run = {
  ...{ id: "run-1", runbook: { id: runbook.id, hash: runbook.hash }, inputs: { secret: "shop/database" } },
  ...{ requestedBy: { rekey: "finding" }, startedAt: "2026-11-25T03:00:10.000Z", steps, revision: 9 },
};
const facts: PostMortemFacts = {
  ...{
    run,
    runbook,
    refusedClicks: [{ at: "2026-11-25T03:00:20.000Z", by: "UEVE", what: "not an approver" }],
  },
  since: {
    noticed: { at: "2026-11-25T03:00:00.000Z", source: "Rekey", says: "foreignReader was found" },
    firstUse: { at: "2026-11-25T02:10:00.000Z", source: "CloudTrail", says: "the first read from outside" },
  },
  moments: [
    {
      at: "2026-11-25T02:10:00.000Z",
      source: "CloudTrail",
      says: "999999999999 read it",
      heardAt: "2026-11-25T02:59:00.000Z",
    },
  ],
  blastRadius: { page: "# Who read `shop/database`\n\n## Observed\n\nOne.\n" },
};
const page = writePostMortem(facts);

test("each duration says from which clock's what to which clock's what", () => {
  const took = Object.fromEntries(
    intervalsOf(run, runbook, facts.since).map(({ name, seconds, start, end }) => [
      name,
      [seconds, start?.source, end?.source, end?.at],
    ]),
  );
  expect(took).toEqual({
    detect: [3_000, "CloudTrail", "Rekey", "2026-11-25T03:00:00.000Z"],
    acknowledge: [40, "Rekey", "Slack", "2026-11-25T03:00:40.000Z"],
    contain: [65, "Rekey", "the target", "2026-11-25T03:01:05.000Z"],
    containFromFirstUse: [3_065, "CloudTrail", "the target", "2026-11-25T03:01:05.000Z"],
    recover: [475, "the target", "Rekey", "2026-11-25T03:09:00.000Z"],
  });
  expect(page).toContain(
    '| To contain, from notice | **1 min 5 s** | 2026-11-25T03:00:00.000Z (Rekey: foreignReader was found) | 2026-11-25T03:01:05.000Z (the target: "Kill the leaked value" came true) |',
  );
});

test("what is not known is said, and no duration is made up for it", () => {
  const open = { ...run, steps: { killOld: step({ status: "acting" }) } };
  const intervals = intervalsOf(open, runbook, {});
  expect(intervals.map(({ seconds }) => seconds)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(writePostMortem({ ...facts, run: open, since: {} })).toContain(
    "| To contain, from notice | not known: it is not contained",
  );
});

test("the timeline goes by the provider's time, and keeps when it was heard", () => {
  const lines = page.split("\n").filter((line) => /^\| 2026/.test(line));
  const times = lines.map((line) => line.slice(2, 26));
  expect(times).toEqual(times.toSorted());
  expect(lines[0]).toBe(
    "| 2026-11-25T02:10:00.000Z | CloudTrail | 999999999999 read it |  | 2026-11-25T02:59:00.000Z |",
  );
  expect(page).toContain(
    '| 2026-11-25T03:01:05.000Z | the target | "Kill the leaked value" was proven: login app was refused |  | 2026-11-25T03:01:09.000Z |',
  );
});

test("who decided what, on what was then so, and whose click counted for nothing", () => {
  expect(page).toContain(
    '| `UBEN` | 2026-11-25T03:00:40.000Z | agreed to "Kill the leaked value" | version 7 is current, 3 tasks hold it |',
  );
  expect(page).toContain('| `UCLEO` |  | let the run go on although "See who read what" failed |  |');
  expect(page).toContain("| `UEVE` | 2026-11-25T03:00:20.000Z | not an approver |");
  const nameless = withoutNames(page, facts);
  expect(nameless).not.toMatch(/UBEN|UCLEO|UEVE/);
  expect(nameless).toContain("`person 1`");
});

test("what only people can judge is open, outside of the marks, and stays once it is written", () => {
  const headings = [
    "Summary",
    "Impact",
    "What no record has",
    "What went well",
    "What did not go well",
    "Where we were lucky",
    "Contributing causes",
  ];
  for (const heading of headings) expect(page).toMatch(new RegExp(`# ${heading}\n\n> \\*\\*OPEN\\*\\*`));
  expect(page).toContain("| What will be changed | Prevents it, or tells sooner? | Owner | By (date) |");
  const written = page.replace(/> \*\*OPEN\*\*[^\n]*/g, "We know now.");
  const later = writePostMortem({
    ...facts,
    run: { ...run, ended: { as: "completed", at: "2026-11-25T04:00:00.000Z", because: "all is done" } },
  });
  const { text, kept, damage } = merge(written, later);
  expect({ kept, damage }).toEqual({ kept: [], damage: [] });
  expect(text.match(/We know now\./g)).toHaveLength(headings.length);
  expect(text).toContain("**completed** at 2026-11-25T04:00:00.000Z");
});

test("the pages of others become parts of this one", () => {
  expect(page).toContain("## Blast radius\n\n### Who read `shop/database`\n\n#### Observed\n\nOne.");
  expect(writePostMortem({ ...facts, blastRadius: { missing: "CloudTrail did not answer" } })).toContain(
    "*Not available: CloudTrail did not answer*",
  );
});

const HOSTILE =
  "# h\n<!-- rekey:end facts -->\n<img src=x> [a](http://b.c) ![i](x) `q` | **b** www.evil.example https://evil.example <!channel> $x$ password=hunter2hunter2";

test("text from outside makes no link, tag, heading, row or mark, and a value in it is gone", () => {
  const hostile = writePostMortem({
    ...facts,
    run: {
      ...run,
      id: HOSTILE.replace("hunter2hunter2", "a"),
      inputs: { secret: "shop/data`base|", reason: HOSTILE, accessKey: "AKIAIOSFODNN7EXAMPLE" },
      requestedBy: { person: HOSTILE },
      steps: {
        killOld: step({
          ...steps["killOld"],
          before: { digest: "d", shows: HOSTILE },
          proof: { check: HOSTILE, shows: HOSTILE, at: "2026-11-25T03:01:09.000Z", by: HOSTILE },
        }),
        reach: step({ status: "failed", settledAt: "2026-11-25T03:04:00.000Z", because: HOSTILE }),
      },
      ended: { as: "cancelled", at: "2026-11-25T04:00:00.000Z", because: HOSTILE, by: HOSTILE },
    },
    moments: [
      {
        at: "2026-11-25T02:10:00.000Z",
        source: "Slack",
        says: "Somebody wrote",
        detail: HOSTILE,
        by: HOSTILE,
      },
    ],
    refusedClicks: [{ at: "2026-11-25T03:00:20.000Z", by: HOSTILE, what: HOSTILE }],
    blastRadius: { missing: HOSTILE },
  });
  expect(hostile).not.toContain("hunter2");
  expect(hostile).not.toContain("AKIAIOSFODNN7EXAMPLE");
  expect(merge(hostile, hostile)).toEqual({ text: hostile, kept: [], damage: [] });
  const kinds = (node: { type: string; value?: string; children?: unknown[] }): string[] => [
    ...(node.type === "html" && /^<!-- rekey:(begin|end) [a-z]+( [0-9a-f]{16})? -->$/.test(node.value ?? "")
      ? []
      : [node.type]),
    ...((node.children ?? []) as (typeof node)[]).flatMap(kinds),
  ];
  const found = kinds(fromMarkdown(hostile) as Parameters<typeof kinds>[0]);
  for (const kind of ["html", "link", "image", "code"]) expect(found).not.toContain(kind);
  expect(found.filter((kind) => kind === "heading")).toHaveLength(
    kinds(
      fromMarkdown(writePostMortem({ ...facts, blastRadius: { missing: "x" } })) as Parameters<
        typeof kinds
      >[0],
    ).filter((kind) => kind === "heading").length,
  );
  // What GitHub would link by itself.
  expect(hostile.replace(/`[^`]*`/g, "")).not.toMatch(/https?:\/\/|www\.evil/);
  const widths = new Set(
    hostile
      .split("\n")
      .filter((line) => line.startsWith("| 2026"))
      .map((line) => line.match(/(?<!\\)\|/g)?.length),
  );
  expect(widths).toEqual(new Set([6]));
});
