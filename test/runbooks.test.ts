/** Whoever is paged looks a code up and finds an answer: the runbook knows every code, and none that is not there. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), "utf8");

const codes = [...read("lib/errors.ts").matchAll(/^ {2}\| "([A-Z_]+)";?$/gm)].map(([, code]) => code);
const rows = [...read("runbooks/rotation-failed.md").matchAll(/^\| `([A-Z_]+)` \| (.*) \| (.*) \|$/gm)];

test("every error code has one row in the runbook, in the order of the list, and the runbook has no other", () => {
  expect(codes.length).toBeGreaterThan(40);
  expect(rows.map(([, code]) => code)).toEqual(codes);
});

test("each row says what happened and what to do, in words of its own", () => {
  for (const [, code, happened = "", todo = ""] of rows) {
    expect(happened.length, code).toBeGreaterThan(10);
    expect(todo.length, code).toBeGreaterThan(5);
  }
  expect(new Set(rows.map(([, , happened]) => happened)).size).toBe(rows.length);
});
