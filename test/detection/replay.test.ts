import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ACCOUNT, KEY, record } from "./records.ts";

const ROOT = join(import.meta.dirname, "..", "..");
let folder = "";
const file = (name: string) => join(folder, name);

const ROOT_READS = record({
  eventID: "root-1",
  userIdentity: { type: "Root", arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT },
});
const FORCED = record({
  eventID: "forced-1",
  eventName: "DeleteSecret",
  eventTime: "2026-11-24T13:00:00Z",
  requestParameters: { secretId: "shop/<!channel>\u001b[2J", forceDeleteWithoutRecovery: true },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-detect-"));
  await writeFile(file("trail.json.gz"), gzipSync(JSON.stringify({ Records: [ROOT_READS, record()] })));
  await writeFile(
    file("looked-up.json"),
    JSON.stringify({ Events: [{ CloudTrailEvent: JSON.stringify(ROOT_READS) }] }),
  );
  await writeFile(file("lines.jsonl"), `${JSON.stringify(FORCED)}\n{"half":\n{}\n`);
  await writeFile(file("broken.gz"), gzipSync("{}").subarray(0, 9));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(...args: string[]) {
  const env = { PATH: process.env["PATH"] ?? "" };
  const { stdout, stderr, code } = await promisify(execFile)(
    process.execPath,
    [join(ROOT, "detect.ts"), ...args],
    { env },
  ).then(
    (out) => ({ ...out, code: 0 }),
    (error) => error,
  );
  return { stdout, stderr, code } as { stdout: string; stderr: string; code: number };
}

test("findings come out of files of every kind, the same record once, and what is broken is counted", async () => {
  const { stdout, code } = await run(
    "--json",
    file("trail.json.gz"),
    file("looked-up.json"),
    file("lines.jsonl"),
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "")).toEqual({
    records: 5,
    events: 3,
    malformed: { "a line is not JSON": 1, "eventSource or eventName is missing": 1 },
    findings: [
      {
        rule: "rootTouchesSecret",
        rules: ["rootTouchesSecret"],
        severity: "high",
        says: "The account's root user touched a secret.",
        principal: `arn:aws:iam::${ACCOUNT}:root`,
        secrets: [KEY],
        events: 1,
        first: { eventId: "root-1", at: "2026-11-24T12:00:00.000Z" },
        last: { eventId: "root-1", at: "2026-11-24T12:00:00.000Z" },
      },
      expect.objectContaining({ rule: "forcedDeletion", severity: "high" }),
    ],
    // Without a history everything is new, and nobody is told.
    dry: { firstRead: 2 },
  });
});

test("what a record was made up of does not reach the terminal", async () => {
  const { stdout } = await run(file("lines.jsonl"));
  expect(stdout).toContain("HIGH     A secret was deleted for good");
  expect(stdout).not.toContain("\u001b");
});

test.each([
  ["no file", [], "usage: npm run detect -- "],
  ["a file that is not there", ["nowhere.json"], "nowhere.json cannot be read"],
  ["an option that is not there", ["--jsn", "x"], "usage: npm run detect -- "],
])("%s ends with 2 and a sentence", async (_what, args, sentence) => {
  const { code, stderr } = await run(...args);
  expect(code).toBe(2);
  expect(stderr).toContain(sentence);
});

test("a file that was cut off in its zipped form is named", async () => {
  const { code, stderr } = await run(file("broken.gz"));
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/broken\.gz cannot be read: unexpected end of file/),
  ]);
});
