/** Findings against what was planted. */
import type { Planted } from "./attack.ts";

export interface Found {
  readonly rule: string;
  readonly rules: readonly string[];
  readonly severity: string;
  /** Undefined for what nobody in particular did. */
  readonly principal?: string;
  readonly secrets: readonly string[];
  readonly firstMs: number;
  readonly lastMs: number;
  readonly firstEventId: string;
  readonly lastEventId: string;
}

export interface Verdict<Label extends Planted = Planted> {
  readonly caught: readonly Label[];
  readonly missed: readonly Label[];
  readonly ofAttacks: readonly Found[];
  /** Whatever their severity: who gets them reads them. */
  readonly mistaken: readonly Found[];
}

export function judge<Label extends Planted>(
  findings: readonly Found[],
  planted: readonly Label[],
): Verdict<Label> {
  const isOfAny = (found: Found) => planted.some((label) => belongs(found, label));
  const isCaught = (label: Label) => findings.some((found) => belongs(found, label));
  return {
    caught: planted.filter(isCaught),
    missed: planted.filter((label) => !isCaught(label)),
    ofAttacks: findings.filter(isOfAny),
    mistaken: findings.filter((found) => !isOfAny(found)),
  };
}

/** The same principal, or, where nobody is named, one of the secrets; and at the same time. */
function belongs(found: Found, label: Planted): boolean {
  const isAtThatTime = found.firstMs <= label.toMs && found.lastMs >= label.fromMs;
  if (!isAtThatTime) return false;
  if (found.principal !== undefined) return label.principals.includes(found.principal);
  return found.secrets.some((key) => label.secrets.includes(key));
}

export interface Tally {
  readonly planted: number;
  readonly caught: number;
  readonly findings: number;
  readonly mistaken: number;
  readonly tenantDays: number;
}

export interface Rates {
  readonly episodeRecall: number;
  readonly precision: number;
  readonly findingsPerTenantDay: number;
  readonly falsePerTenantDay: number;
}

/** Whoever plants nothing misses nothing, and whoever finds nothing is not mistaken. */
export function ratesOf({ planted, caught, findings, mistaken, tenantDays }: Tally): Rates {
  return {
    episodeRecall: planted === 0 ? 1 : caught / planted,
    precision: findings === 0 ? 1 : (findings - mistaken) / findings,
    findingsPerTenantDay: findings / tenantDays,
    falsePerTenantDay: mistaken / tenantDays,
  };
}
