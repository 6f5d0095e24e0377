/** Every mistake that a page can hold is found at build, with its line and its mend; and a good page compiles to what it says. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileRunbooks } from "../../lib/incident/compile.ts";
import { toldAs } from "../../lib/incident/problem.ts";

const GOOD = `---
id: leak
title: A leak
severity: high
owner: on-call
triggers: [finding]
inputs: { secret: required, accessKey: optional }
reviewed: 2026-11-25
reviewEveryDays: 90
---

Begin even if you are unsure about {{secret}}.

## Contain

### Kill it

\`\`\`yaml step
id: kill
run: rotateEmergency
with: { secret: "{{secret}}" }
approve: { people: 1, withinMinutes: 10 }
prove: oldValueRefused
\`\`\`

Your own tasks reconnect & recover.

### Key off

\`\`\`yaml step
id: keyOff
run: disableAwsKey
with: { accessKey: "{{accessKey}}" }
when: given(accessKey)
approve: { people: 1, withinMinutes: 10 }
prove: keyInactive
ifFails: continue
\`\`\`

It is kept.

## Eradicate

### Who read it

\`\`\`yaml step
id: reach
run: blastRadius
with: { secret: "{{secret}}" }
prove: coverageStated
\`\`\`

By hand: look it up.

### The rest

\`\`\`yaml step
id: rest
run: notify
with: { audience: security, text: "They read {{reach.secrets}} too." }
when: reach.readers over 0 and not (done(keyOff) or given(accessKey))
prove: messageTaken
\`\`\`

Tell it.

## For reading only

| a | table |
|---|---|

### A heading that is no step
`;

const compile = (text: string, file = "runbooks/leak.md") => compileRunbooks([{ file, text }]);
/** The good page with one thing changed; a change that changes nothing is a mistake of the test. */
const broken = (from: string | RegExp, to: string): string[] => {
  const text = GOOD.replace(from, to);
  expect(text).not.toBe(GOOD);
  const { runbooks, problems } = compile(text);
  expect(runbooks).toEqual([]);
  return problems.map(toldAs);
};

test("a good page becomes its steps, in order, with phases, words and conditions", () => {
  const { runbooks, problems } = compile(GOOD);
  expect(problems).toEqual([]);
  const [runbook] = runbooks;
  expect(runbook).toMatchObject({
    id: "leak",
    severity: "high",
    triggers: ["finding"],
    inputs: { secret: "required", accessKey: "optional" },
    opening: "Begin even if you are unsure about {{secret}}.",
  });
  expect(runbook?.steps.map(({ id, phase, title }) => [id, phase, title])).toEqual([
    ["kill", "Contain", "Kill it"],
    ["keyOff", "Contain", "Key off"],
    ["reach", "Eradicate", "Who read it"],
    ["rest", "Eradicate", "The rest"],
  ]);
  expect(runbook?.steps[1]).toEqual({
    id: "keyOff",
    phase: "Contain",
    title: "Key off",
    run: "disableAwsKey",
    with: { accessKey: "{{accessKey}}" },
    when: { given: "accessKey" },
    approve: { people: 1, withinMinutes: 10, ifSilent: "escalate" },
    prove: "keyInactive",
    withinMinutes: 5,
    ifFails: "continue",
    prose: "It is kept.",
  });
  expect(runbook?.steps[3]?.when).toEqual({
    all: [
      { value: "reach.readers", over: 0 },
      { not: { any: [{ done: "keyOff" }, { given: "accessKey" }] } },
    ],
  });
});

describe("a mistake is told with its line and its mend:", () => {
  test.each<[string, string | RegExp, string, string]>([
    [
      "an unknown action",
      "run: rotateEmergency",
      "run: rm -rf /",
      '20: there is no action "rm -rf /"; there are: rotate, rotateEmergency, redeploy',
    ],
    [
      "a missing input",
      'with: { secret: "{{secret}}" }\napprove',
      "approve",
      '19: rotateEmergency needs "secret"; add it under "with": Name or ARN of the secret',
    ],
    [
      "a surplus input",
      'with: { secret: "{{secret}}" }\napprove',
      'with: { secret: "{{secret}}", hours: 3 }\napprove',
      '21: rotateEmergency does not take "hours"; it takes: secret',
    ],
    [
      "a literal that is no such thing",
      '"{{accessKey}}"',
      '"ASIAABCDEFGHIJKLMNOP"',
      '33: "accessKey" does not read; should be the id of a long-term key (AKIA...)',
    ],
    [
      "none of the inputs of which one is needed",
      'with: { secret: "{{secret}}" }\nprove: coverageStated',
      "with: { hours: 4 }\nprove: coverageStated",
      "49: blastRadius needs at least one of secret, principal, accessKey",
    ],
    [
      "an input of no such name",
      "accessKey: optional }",
      "accesKey: optional }",
      '7: there is no input "accesKey"; there are: secret, secrets',
    ],
    [
      "a reference to what is not declared",
      '"{{secret}}" }\nprove',
      '"{{principal}}" }\nprove',
      '49: "principal" is no input of this runbook; add it to "inputs"',
    ],
    [
      "a reference to a step that comes later",
      '"{{accessKey}}"',
      '"{{rest.accessKey}}"',
      'asks for the step "rest", and no step before has that id; move the step, or correct its name',
    ],
    [
      "a reference to what a step does not give",
      "{{reach.secrets}}",
      "{{reach.role}}",
      '60: the step "reach" gives no "role"; it gives: secrets, services, readers',
    ],
    [
      "a reference of the wrong kind",
      '"{{accessKey}}"',
      '"{{secret}}"',
      '33: "accessKey" is given {{secret}}, which is no accessKey',
    ],
    [
      "a reference that may be missing",
      "when: given(accessKey)\n",
      "",
      '{{accessKey}} may be missing when "keyOff" runs; add "when: given(accessKey)", or make it certain',
    ],
    [
      "a broken reference",
      "They read {{reach.secrets}} too.",
      "They read {{reach.secrets} too.",
      '60: "text" does not read; a reference is {{name}} or {{step.name}}',
    ],
    [
      "a reference in the words that is not declared",
      "It is kept.",
      "It is {{role}}.",
      "the text has {{role}}",
    ],
    [
      "no consent for what is disruptive",
      "when: given(accessKey)\napprove: { people: 1, withinMinutes: 10 }",
      "when: given(accessKey)",
      'disableAwsKey is disruptive, and nobody approves it; add "approve: { people: 1, withinMinutes: 10 }"',
    ],
    [
      "too few people for what is destructive",
      "run: disableAwsKey",
      "run: enableAwsKey",
      'enableAwsKey is destructive and needs 2 people; write "people: 2"',
    ],
    ["no proof", "prove: coverageStated\n", "", '"reach" has no proof; write "prove: coverageStated"'],
    [
      "a proof of something else",
      "prove: coverageStated",
      "prove: oldValueRefused",
      '50: blastRadius cannot prove "oldValueRefused"; write "prove: coverageStated"',
    ],
    [
      "an id that is taken",
      "id: keyOff",
      "id: kill",
      '31: the id "kill" is taken by the step on line 19; give it another',
    ],
    [
      "a condition with a call",
      "when: given(accessKey)",
      "when: process.exit(1)",
      '34: "when" does not read: after "process.exit" should stand "is" or "over", not "("',
    ],
    [
      "a condition with strange signs",
      "when: given(accessKey)",
      "when: given(accessKey) && 1",
      '34: "when" does not read: "&" means nothing here',
    ],
    [
      "a condition that ends too soon",
      "when: given(accessKey)",
      "when: given(accessKey) and",
      '34: "when" does not read: a condition should stand where "the end" stands',
    ],
    [
      "a condition that cannot hold",
      "when: given(accessKey)",
      "when: given(accessKey) and not given(accessKey)",
      '34: "keyOff" is never reached: its "when" cannot be true',
    ],
    [
      "a condition on two values at once",
      "when: reach.readers over 0",
      'when: secret is "a" and secret is "b" and reach.readers over 0',
      '"rest" is never reached',
    ],
    [
      "a condition that always holds",
      "when: given(accessKey)",
      "when: given(secret)",
      '34: "when" is always true; take it out',
    ],
    [
      "a condition on a step that comes later",
      "when: given(accessKey)",
      "when: given(accessKey) and not done(reach)",
      '"when" asks for the step "reach", and no step before has that id; the steps before it: kill',
    ],
    [
      "a condition on a value that cannot be",
      "reach.readers over 0",
      'reach.readers is "many"',
      '"reach.readers" is compared with what it can never be',
    ],
    [
      "words that Slack cannot take",
      "It is kept.",
      "x".repeat(2_701),
      '28: the text of "Key off" has 2701 characters; Slack takes 2700',
    ],
    ["words that are too long once escaped", "It is kept.", "<".repeat(700), "has 2800 characters"],
    [
      "a table in a step",
      "It is kept.",
      "| a | b |\n|---|---|\n| 1 | 2 |",
      "40: Slack cannot show what stands here (table)",
    ],
    [
      "HTML in a step",
      "It is kept.",
      "<b>kept</b>",
      "Slack cannot show what stands here (html); write it in Markdown",
    ],
    [
      "a picture",
      "It is kept.",
      "![kept](kept.png)",
      "Slack cannot show what stands here (image); link to it",
    ],
    [
      "a title that is too long",
      "### Key off",
      `### ${"Key ".repeat(25)}`,
      "28: the title has 99 characters; Slack shows 75",
    ],
    ["a step without words", "It is kept.\n", "", '28: "Key off" has no text'],
    [
      "a step without a block",
      /```yaml step\nid: keyOff[\s\S]*?```\n/,
      "",
      '28: the step "Key off" has no block',
    ],
    [
      "a second block",
      "It is kept.",
      "```yaml step\nid: two\n```",
      '40: the step "Key off" has a second block',
    ],
    [
      "a block in the part for reading",
      "### A heading that is no step",
      "```yaml step\nid: two\n```",
      "a step block stands outside of any step",
    ],
    ["a step before any phase", "## Contain\n", "", "stands before any phase"],
    ["phases out of order", "## Eradicate", "## Prepare", "42: the phase Prepare stands after Contain"],
    ["the same phase twice", "## Eradicate", "## Contain", "42: the phase Contain stands after Contain"],
    [
      "text that nobody is shown",
      "## Eradicate\n",
      "## Eradicate\n\nHello.\n",
      '44: text stands between "## Eradicate" and its first step',
    ],
    ["a first heading", "## Contain", "# Leak\n\n## Contain", "14: it has a heading of the first rank"],
    ["no front matter", "---\nid: leak", "id: leak", "1: it has no front matter"],
    [
      "a field that there is not",
      "owner: on-call",
      "owner: on-call\nshell: true",
      '6: there is no field "shell"; there are: id, title, severity',
    ],
    [
      "a field of a step that there is not",
      "ifFails: continue",
      "ifFails: continue\nshell: rm",
      'there is no field "shell"',
    ],
    [
      "a severity that there is not",
      "severity: high",
      "severity: P1",
      '4: the field "severity" is wrong; write one of: low, medium, high, critical',
    ],
    [
      "an id that is not the file's",
      "id: leak",
      "id: leaks",
      '2: its id is "leaks"; write "leak", as its file is called',
    ],
    [
      "a duty without its days",
      "triggers: [finding]",
      "triggers: [schedule]",
      '6: nothing says how often it is due; add "everyDays"',
    ],
    ["braces without quotes", '"{{accessKey}}"', "{{accessKey}}", "put {{...}} in quotes"],
    [
      "a key twice",
      "id: keyOff",
      "id: keyOff\nid: keyOff",
      "32: the YAML does not read: Map keys must be unique",
    ],
    ["an alias, which may be a bomb", "id: keyOff", "id: &a keyOff\nwhen: *a", "the YAML does not read"],
  ])("%s", (_, from, to, told) => {
    expect(broken(from, to).join("\n")).toContain(told);
  });

  test("every problem of every page at once, by file and line", () => {
    const { runbooks, problems } = compileRunbooks([
      { file: "runbooks/z.md", text: GOOD },
      {
        file: "runbooks/leak.md",
        text: GOOD.replace("run: rotateEmergency", "run: shell").replace(
          "prove: coverageStated",
          "prove: hope",
        ),
      },
    ]);
    expect(runbooks).toEqual([]);
    expect(problems.map(({ file, line }) => [file, line])).toEqual([
      ["runbooks/leak.md", 20],
      ["runbooks/leak.md", 50],
      ["runbooks/z.md", 2],
    ]);
  });
});

describe("the hash that a run pins", () => {
  const hash = (text: string) => compile(text).runbooks[0]?.hash;

  test("is the same for what two editors write differently", () => {
    expect(hash(GOOD)).toMatch(/^[0-9a-f]{64}$/);
    expect(hash(`\uFEFF${GOOD.replaceAll("\n", "\r\n")}\n\n`)).toBe(hash(GOOD));
    expect(hash(GOOD.replace("It is kept.", "It is kept.  "))).toBe(hash(GOOD));
  });

  test("is another for any other word, in a step or in the part for reading", () => {
    expect(hash(GOOD.replace("It is kept.", "It was kept."))).not.toBe(hash(GOOD));
    expect(hash(GOOD.replace("| a | table |", "| b | table |"))).not.toBe(hash(GOOD));
  });
});

test("whatever a page holds, it compiles or says what is wrong, and nothing is thrown", () => {
  const lines = GOOD.split("\n");
  const mangled = fc.array(
    fc.tuple(fc.nat(lines.length - 1), fc.oneof(fc.string(), fc.constantFrom(...lines))),
    {
      minLength: 1,
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(mangled, (changes) => {
      const text = lines.with(0, lines[0] ?? "");
      for (const [at, line] of changes) text[at] = line;
      const { runbooks, problems } = compile(text.join("\n"));
      expect(runbooks.length === 1).toBe(problems.length === 0);
      for (const { line } of problems) {
        expect(line).toBeGreaterThan(0);
        expect(line).toBeLessThanOrEqual(text.join("\n").split(/\r\n?|\n/).length + 1);
      }
    }),
    { numRuns: 300 },
  );
});
