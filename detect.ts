/**
 * `npm run detect -- <files>`: what the rules of the detection say to CloudTrail records that lie in files, plain or gzipped:
 * a trail's files, arrays, one record a line, or answers of LookupEvents. `--json` prints one JSON object as the last line.
 * Rules that need to know what is usual run dry, unless `--usual-days 30` takes the files' first thirty days for it.
 * The exit code is 2 if a file cannot be read, and 0 whatever is found.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { unzipped } from "./lib/adapters/unzipped.ts";
import { type Replay, replay } from "./lib/detection/replay.ts";
import { RULES } from "./lib/detection/rules.ts";

const USAGE = "usage: npm run detect -- [--json] [--usual-days <days>] <file> [<file> ...]";

class Unreadable extends Error {}

function* contentsOf(files: readonly string[]): Generator<Buffer> {
  for (const file of files) {
    try {
      yield unzipped(readFileSync(file));
    } catch (error) {
      throw new Unreadable(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
    }
  }
}

function print({ records, events, malformed, findings, dry }: Replay): void {
  for (const { severity, says, principal, secrets, rules, first, last, events: count } of findings) {
    console.log(`${severity.toUpperCase().padEnd(8)} ${says}`);
    console.log(`         by ${principal}, ${count} event(s) from ${first.at} to ${last.at}`);
    if (secrets.length > 0)
      console.log(
        `         ${secrets.slice(0, 5).join(", ")}${secrets.length > 5 ? `, and ${secrets.length - 5} more` : ""}`,
      );
    console.log(`         rules: ${rules.join(", ")}; first event ${first.eventId}`);
  }
  for (const [rule, times] of Object.entries(dry))
    console.log(`DRY      ${rule} would have spoken ${times} times, had it known what is usual`);
  const broken = Object.entries(malformed).map(([why, times]) => `${times} times ${why}`);
  console.log(
    `${findings.length} finding(s) in ${events} events about secrets, of ${records} records; ${broken.length > 0 ? broken.join("; ") : "all could be read"}`,
  );
}

try {
  const { values, positionals } = parseArgs({
    options: { json: { type: "boolean", default: false }, "usual-days": { type: "string" } },
    allowPositionals: true,
  });
  if (positionals.length === 0) throw new Unreadable(USAGE);
  const days = values["usual-days"];
  if (days !== undefined && !/^\d{1,4}$/.test(days))
    throw new Unreadable(`--usual-days is a number of days\n${USAGE}`);
  const found = replay(RULES, contentsOf(positionals), days === undefined ? {} : { usualDays: Number(days) });
  print(found);
  if (values.json) console.log(JSON.stringify(found));
} catch (error) {
  const isUse = error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  if (!(error instanceof Unreadable) && !isUse) throw error;
  console.error(isUse ? `${error.message}\n${USAGE}` : (error as Error).message);
  process.exitCode = 2;
}
