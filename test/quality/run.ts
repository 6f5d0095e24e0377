/**
 * The one place that knows how the detection is run. It is given all records of a month; the days before the watched ones are
 * what is usual, and what it found that ended before these is history.
 */
import { extract } from "../../lib/detection/extract.ts";
import { DAY_MS } from "../../lib/detection/history.ts";
import { type Known, type KnownSecret, NOTHING_KNOWN } from "../../lib/detection/known.ts";
import { judge } from "../../lib/detection/replay.ts";
import { RULES } from "../../lib/detection/rules.ts";
import type { Context } from "./context.ts";
import type { Found } from "./judge.ts";
import type { Month } from "./month.ts";

export interface Run {
  readonly findings: readonly Found[];
  /** Records that the detection took for broken; the generator makes none. */
  readonly malformed: number;
}

export function run({ tenant, records }: Month, context: Context): Run {
  const extracted = records.map(({ record }) => extract(record));
  const events = extracted.flatMap((one) => ("event" in one ? [one.event] : []));
  const firstMs = events.reduce((first, { atMs }) => Math.min(first, atMs), Number.POSITIVE_INFINITY);
  const usualDays = (tenant.watched.fromMs - firstMs) / DAY_MS;
  const { findings } = judge(RULES, events, { known: knownFrom(context), usualDays });
  return {
    malformed: extracted.filter((one) => "malformed" in one).length,
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
        lastEventId: last.eventId,
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
    rotationFunctions: context.rotationFunctions,
    watch: new Set(["rekey-"]),
  };
}
