import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Message } from "../../lib/message.ts";
import { renderBoard, renderThread } from "../../lib/rotation/board.ts";
import type { Report, SecretReport, ServiceReport } from "../../lib/rotation/report.ts";
import { iso } from "./facts.ts";

const report = (changes: Partial<Report> = {}): Report => ({
  runId: "run-7",
  status: "done",
  summary: "1 of 1 secrets rotated",
  dryRun: false,
  startedAt: iso(0),
  secrets: [],
  services: [],
  totals: {},
  open: [],
  ...changes,
});
const secret = (changes: Partial<SecretReport> = {}): SecretReport => ({
  name: "shop/database",
  outcome: "rotated",
  ...changes,
});
const service = (changes: Partial<ServiceReport> = {}): ServiceReport => ({
  service: "shop/gateway",
  wave: "rotate",
  status: "succeeded",
  tasksReplaced: 2,
  ...changes,
});

interface Block {
  readonly type: string;
  readonly text?: { readonly type: string; readonly text: string };
}
const blocksOf = (message: Message) => message.blocks as unknown as readonly Block[];
const sectionsOf = (changes: Partial<Report>, progress = 1) =>
  blocksOf(renderBoard(report(changes), progress))
    .filter(({ type }) => type === "section")
    .map(({ text }) => text?.text ?? "");
/** The sections below the first one, which holds the bar and the summary. */
const linesOf = (changes: Partial<Report>) => sectionsOf(changes).slice(1).join("\n").split("\n");

describe("the board", () => {
  test("says in its notification what its blocks say", () => {
    const message = renderBoard(report({ secrets: [secret()], services: [service()] }), 1);
    expect(message).toEqual({
      text: "Secrets rotated 1 of 1 secrets rotated",
      blocks: [
        { type: "header", text: { type: "plain_text", text: "Secrets rotated" } },
        {
          type: "section",
          text: { type: "mrkdwn", text: expect.stringContaining("1 of 1 secrets rotated") },
        },
        {
          type: "section",
          text: { type: "mrkdwn", text: ":white_check_mark: *shop/database* rotated" },
        },
        {
          type: "section",
          text: { type: "mrkdwn", text: ":white_check_mark: `shop/gateway` succeeded, 2 tasks replaced" },
        },
        {
          type: "context",
          elements: [{ type: "mrkdwn", text: expect.stringMatching(/run-7.*2026-11-24T12:00:00\.000Z/) }],
        },
      ],
    });
  });

  test.each<[Report["status"], string]>([
    ["done", "Secrets rotated"],
    ["refused", "Rotation refused"],
    ["plan", "Rotation planned"],
    ["running", "Rotating secrets"],
    ["open", "Rotating secrets"],
  ])("of a run that is %s is titled %s", (status, title) => {
    expect(blocksOf(renderBoard(report({ status }), 0))[0]?.text?.text).toBe(title);
  });

  test.each([
    [0, "`░░░░░░░░░░░░░░░░░░░░` 0 %"],
    [0.5, "`██████████░░░░░░░░░░` 50 %"],
    [0.126, "`███░░░░░░░░░░░░░░░░░` 13 %"],
    [1, "`████████████████████` 100 %"],
  ])("shows a share of %d as a bar", (progress, bar) => {
    expect(sectionsOf({}, progress)[0]).toBe(`${bar}\n1 of 1 secrets rotated`);
  });

  test.each([[-0.2], [1.3]])("draws no bar longer or shorter than its frame for %d", (progress) => {
    expect(sectionsOf({}, progress)[0]).toMatch(/^`(░{20}|█{20})`/);
  });

  test("tells the caller's reason", () => {
    expect(sectionsOf({ reason: "a colleague left" })[0]).toMatch(/\nReason: a colleague left$/);
    expect(sectionsOf({})[0]).not.toContain("Reason");
  });

  test.each<[string, SecretReport, string]>([
    ["one that rotated", secret({ because: "x" }), ":white_check_mark: *shop/database* rotated"],
    [
      "one that waits",
      secret({ outcome: "open", because: "shop_a is logged in" }),
      ":hourglass_flowing_sand: *shop/database* open: shop_a is logged in",
    ],
    ["one that is under way", secret({ outcome: "open" }), ":hourglass_flowing_sand: *shop/database* open"],
    ["one that is planned", secret({ outcome: "planned" }), ":memo: *shop/database* planned"],
    [
      "one that is refused",
      secret({ outcome: "refused", because: "no" }),
      ":no_entry: *shop/database* refused: no",
    ],
    ["one that was dropped", secret({ outcome: "dropped" }), ":warning: *shop/database* dropped"],
    [
      "one that was rolled back",
      secret({ outcome: "rolledBack" }),
      ":leftwards_arrow_with_hook: *shop/database* rolledBack",
    ],
    [
      "one that may cut its consumers off",
      secret({ briefCut: true }),
      ":white_check_mark: *shop/database* (brief cut) rotated",
    ],
  ])("has a line for %s", (_which, one, line) => {
    expect(linesOf({ secrets: [one] })).toEqual([line]);
  });

  test("has no line for a secret that is not due", () => {
    expect(linesOf({ secrets: [secret(), secret({ name: "shop/young", outcome: "notDue" })] })).toEqual([
      ":white_check_mark: *shop/database* rotated",
    ]);
  });

  test.each<[string, ServiceReport, string]>([
    [
      "one that failed, with the reason",
      service({ status: "failed", reason: "tasks crash" }),
      ":x: `shop/gateway` failed: tasks crash",
    ],
    [
      "one that is being deployed",
      service({ status: "running" }),
      ":arrows_counterclockwise: `shop/gateway` running",
    ],
  ])("has a line for a service: %s", (_which, one, line) => {
    expect(linesOf({ services: [one] })).toEqual([line]);
  });

  test("rings nobody's bell, whatever stands in a name, a reason or a tag", () => {
    const evil = "<!channel> & <@U1>";
    const harmless = "&lt;!channel&gt; &amp; &lt;@U1&gt;";
    const shown = sectionsOf({
      summary: evil,
      reason: evil,
      secrets: [secret({ name: evil, outcome: "open", because: evil })],
      services: [service({ service: evil, reason: evil })],
    }).join("\n");
    expect(shown).not.toMatch(/[<>]/);
    expect(shown.split(harmless)).toHaveLength(7);
  });
});

describe("the thread tells of", () => {
  test("a secret once, when it has come to an end", () => {
    const secrets = [
      secret({ name: "told" }),
      secret({ name: "open", outcome: "open" }),
      secret({ name: "young", outcome: "notDue" }),
      secret({ name: "fresh" }),
    ];
    expect(renderThread(report({ secrets }), ["told"])).toEqual({
      replies: [":white_check_mark: *fresh* rotated"],
      names: ["fresh"],
    });
  });

  test("nothing while there is nothing new", () => {
    expect(renderThread(report({ secrets: [secret()] }), ["shop/database"])).toEqual({
      replies: [],
      names: [],
    });
  });

  test("what failed before what went well", () => {
    const secrets = [
      secret({ name: "a" }),
      secret({ name: "b", outcome: "dropped" }),
      secret({ name: "c" }),
      secret({ name: "d", outcome: "dropped" }),
    ];
    expect(renderThread(report({ secrets }), []).replies).toEqual([
      ":warning: *b* dropped\n:warning: *d* dropped\n:white_check_mark: *a* rotated\n:white_check_mark: *c* rotated",
    ]);
  });

  test("errors with their codes, versions, the proof, the phases' seconds and notes", () => {
    const told = secret({
      outcome: "rolledBack",
      errors: [{ code: "DEPLOYMENT_FAILED", message: "tasks of <gateway> crash" }],
      oldVersionId: "v1",
      newVersionId: "v2",
      oldRefused: true,
      phases: { stage: 0.5, set: 1 },
      notes: ["a & b"],
    });
    expect(renderThread(report({ secrets: [told] }), []).replies[0]?.split("\n")).toEqual([
      ":leftwards_arrow_with_hook: *shop/database* rolledBack",
      "`DEPLOYMENT_FAILED` tasks of &lt;gateway&gt; crash",
      "version `v1` to `v2`",
      expect.stringMatching(/old value.*refused/),
      "stage 0.5 s, set 1 s",
      "a &amp; b",
    ]);
  });

  test("of an emergency every session that was cut off, and of which program if it said so", () => {
    const cut = [
      { credential: "shop/database", login: "shop_a", from: "10.0.0.9", program: "psql <1>" },
      { credential: "shop/database", login: "default", from: "10.0.0.7" },
    ] as const;
    const told = secret({ emergency: { cut, diedAfterSeconds: { "shop/database": 3.9 } } });
    expect(renderThread(report({ secrets: [told] }), []).replies[0]?.split("\n")).toEqual([
      ":white_check_mark: *shop/database* rotated",
      "cut off: `shop_a` from 10.0.0.9 (psql &lt;1&gt;)",
      "cut off: `default` from 10.0.0.7",
    ]);
  });
});

describe("Slack's limits hold", () => {
  const names = (count: number, length: number) =>
    Array.from({ length: count }, (_, at) => secret({ name: `${at}-`.padEnd(length, "x") }));

  test("a line that is too long is cut, and shows that it is", () => {
    const long = secret({ outcome: "refused", because: "y".repeat(4000) });
    const [line = ""] = linesOf({ secrets: [long] });
    expect(line).toHaveLength(2900);
    expect(line).toMatch(/y…$/);
    const [reply = ""] = renderThread(
      report({ secrets: [secret({ notes: ["z".repeat(4000)] })] }),
      [],
    ).replies;
    expect(reply).toHaveLength(2900);
    expect(reply).toMatch(/z…$/);
  });

  test("a line that just fits is not cut", () => {
    const prefix = ":no_entry: *shop/database* refused: ".length;
    const just = secret({ outcome: "refused", because: "y".repeat(2900 - prefix) });
    expect(linesOf({ secrets: [just] })[0]).toMatch(/y$/);
  });

  test("lines share a section as long as they fit into it with the break between them", () => {
    const prefix = ":no_entry: *a* refused: ".length;
    const half = (length: number, name: string) =>
      secret({ name, outcome: "refused", because: "y".repeat(length - prefix) });
    expect(sectionsOf({ secrets: [half(1450, "a"), half(1449, "b")] }).slice(1)).toHaveLength(1);
    expect(sectionsOf({ secrets: [half(1450, "a"), half(1450, "b")] }).slice(1)).toHaveLength(2);
  });

  test("twenty sections hold secrets; what is beyond them is counted", () => {
    const line = (name: string) => secret({ name, outcome: "refused", because: "y".repeat(2000) });
    const twenty = Array.from({ length: 20 }, (_, at) => line(`s${at}`));
    expect(sectionsOf({ secrets: twenty }).slice(1)).toHaveLength(20);
    expect(sectionsOf({ secrets: twenty }).at(-1)).toContain("*s19*");
    const shown = sectionsOf({ secrets: [...twenty, line("s20"), line("s21"), line("s22")] }).slice(1);
    expect(shown).toHaveLength(21);
    expect(shown.at(-1)).toMatch(/\b3 more$/);
  });

  test("for any number of secrets and services no line is lost: it is shown or counted", () => {
    fc.assert(
      fc.property(fc.nat(400), fc.integer({ min: 5, max: 600 }), fc.nat(60), (count, length, services) => {
        const message = renderBoard(
          report({
            secrets: names(count, length),
            services: Array.from({ length: services }, (_, at) => service({ service: `shop/s${at}` })),
          }),
          1,
        );
        const sections = blocksOf(message).filter(({ type }) => type === "section");
        expect(message.blocks.length).toBeLessThanOrEqual(50);
        for (const { text } of sections) expect(text?.text.length).toBeLessThanOrEqual(3000);
        const lines = sections.slice(1).flatMap(({ text }) => text?.text.split("\n") ?? []);
        const more = lines.map((line) => Number(/^\.\.\. and (\d+) more$/.exec(line)?.[1] ?? Number.NaN));
        const counted = more.filter((one) => !Number.isNaN(one)).reduce((sum, one) => sum + one, 0);
        const told = lines.length - more.filter((one) => !Number.isNaN(one)).length;
        expect(told + counted).toBe(count + services);
      }),
      { numRuns: 60 },
    );
  });
});
