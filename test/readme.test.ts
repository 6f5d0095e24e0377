/** What README.md says that the code says, too. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RULES } from "../lib/detection/rules.ts";
import { byGravity } from "../lib/finding.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** Of the table that begins with these heads, each row's cells. */
function tableOf(text: string, ...heads: readonly string[]): readonly (readonly string[])[] {
  const rows = text.split("\n").map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const start = rows.findIndex((cells) => cells.join() === heads.join());
  const end = rows.findIndex((cells, at) => at > start && cells.length === 0);
  return start === -1 ? [] : rows.slice(start + 2, end);
}

test("the README's table of rules is that of the code, the gravest first, with a star where nobody can keep it quiet", () => {
  expect(tableOf(README, "rule", "severity", "what happened")).toEqual(
    RULES.toSorted(byGravity).map(({ id, severity, says, alwaysTold }) => [
      `\`${id}\`${alwaysTold ? " \\*" : ""}`,
      severity,
      says,
    ]),
  );
});

test("every command that the README names is one of package.json", () => {
  const { scripts } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const named = [...README.matchAll(/npm run ([a-z:]+)/g)].map(([, name = ""]) => name);
  expect(named).toContain("detect:quality");
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});

test("every param that the README names stands in serverless.yml", () => {
  const yaml = readFileSync(new URL("../serverless.yml", import.meta.url), "utf8");
  for (const name of ["accounts", "trailBucket"]) {
    expect(README).toContain(`\`${name}\` (param)`);
    expect(yaml).toMatch(new RegExp(`^    ${name}: `, "m"));
  }
});
