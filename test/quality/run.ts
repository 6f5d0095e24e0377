/**
 * The one place that knows how the detection is run. It is given all records of a month, the days before the watched ones
 * with them, and what it found that ended before these is history. `context` waits for rules that ask for it.
 */
import { replay } from "../../lib/detection/replay.ts";
import { RULES } from "../../lib/detection/rules.ts";
import type { Context } from "./context.ts";
import type { Found } from "./judge.ts";
import type { Month } from "./month.ts";

export interface Run {
  readonly findings: readonly Found[];
  /** Records that the detection took for broken; the generator makes none. */
  readonly malformed: number;
}

/** So many records in one piece of text, as in a trail's file. */
const PIECE = 5_000;

export function run({ tenant, records }: Month, _context: Context): Run {
  const texts = function* () {
    for (let start = 0; start < records.length; start += PIECE)
      yield JSON.stringify({ Records: records.slice(start, start + PIECE).map(({ record }) => record) });
  };
  const { findings, malformed } = replay(RULES, texts());
  return {
    malformed: Object.values(malformed).reduce((sum, times) => sum + times, 0),
    findings: findings
      .map(({ rule, rules, severity, principal, secrets, first, last }) => ({
        rule,
        rules,
        severity,
        secrets,
        // Where nobody called, the detection names the account.
        ...(principal === tenant.account ? {} : { principal }),
        firstMs: Date.parse(first.at),
        lastMs: Date.parse(last.at),
        firstEventId: first.eventId,
      }))
      .filter(({ lastMs }) => lastMs >= tenant.watched.fromMs),
  };
}
