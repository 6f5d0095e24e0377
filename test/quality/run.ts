/**
 * The one place that knows how the detection is run. It is given all records of a month; the days before the watched ones are
 * what is usual, and what it found that ended before these is history.
 */
import { DAY_MS } from "../../lib/detection/history.ts";
import { type Known, type KnownSecret, NOTHING_KNOWN } from "../../lib/detection/known.ts";
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

export function run({ tenant, records }: Month, context: Context): Run {
  const texts = function* () {
    for (let start = 0; start < records.length; start += PIECE)
      yield JSON.stringify({ Records: records.slice(start, start + PIECE).map(({ record }) => record) });
  };
  const firstMs = Math.min(...records.map(({ atMs }) => atMs));
  const usualDays = (tenant.watched.fromMs - firstMs) / DAY_MS;
  const { findings, malformed } = replay(RULES, texts(), { known: knownFrom(context), usualDays });
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

function knownFrom(context: Context): Known {
  const named = [
    ...context.consumers.keys(),
    ...context.canaries,
    ...context.versions.map(({ secret }) => secret),
  ];
  const secretOf = (key: string): KnownSecret => {
    const consumers = context.consumers.get(key);
    const versions = context.versions.filter(({ secret }) => secret === key);
    const retired = versions.flatMap(({ versionId, revokedAtMs }) =>
      revokedAtMs === undefined ? [] : [[versionId, revokedAtMs] as const],
    );
    return {
      isProduction: context.productionSecrets.has(key),
      ...(consumers ? { consumers } : {}),
      ...(context.canaries.has(key) ? { isCanary: true } : {}),
      ...(versions.length > 0 ? { versions: new Set<string>() } : {}),
      ...(retired.length > 0 ? { retired: new Map(retired) } : {}),
      rotations: versions.map(({ currentFromMs, revokedAtMs }) => ({
        fromMs: currentFromMs - 600_000,
        toMs: (revokedAtMs ?? currentFromMs) + 600_000,
      })),
      approvals: context.approvals
        .filter(({ secret }) => secret === key)
        .map(({ fromMs, toMs, principal }) => ({ fromMs, toMs, principal })),
    };
  };
  return {
    ...NOTHING_KNOWN,
    secrets: new Map([...new Set(named)].map((key) => [key, secretOf(key)])),
    ourRoles: context.rotationRoles,
    accounts: context.declaredAccounts,
  };
}
