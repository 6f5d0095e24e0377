/**
 * What the product knows besides the records: who may read what, from task definitions and functions' settings; which
 * version was current when, from its own ledger; and what people declared.
 */
import type { Approval, Tenant } from "./tenant.ts";

export interface Context {
  /** Secret's key -> keys of the roles that are known to read it. A release adds its own before its tasks start. */
  readonly consumers: ReadonlyMap<string, ReadonlySet<string>>;
  /** Of what Rekey rotates. */
  readonly versions: readonly KnownVersion[];
  readonly rotationRoles: ReadonlySet<string>;
  readonly canaries: ReadonlySet<string>;
  readonly productionSecrets: ReadonlySet<string>;
  /** Of the same organisation. */
  readonly declaredAccounts: ReadonlySet<string>;
  readonly approvals: readonly Approval[];
}

export interface KnownVersion {
  readonly secret: string;
  readonly versionId: string;
  readonly currentFromMs: number;
  readonly currentToMs?: number;
  readonly revokedAtMs?: number;
}

export function contextOf(tenant: Tenant): Context {
  const consumers = new Map<string, Set<string>>();
  const reads = (role: string, secrets: Tenant["secrets"]) => {
    for (const { key } of secrets) consumers.set(key, (consumers.get(key) ?? new Set()).add(role));
  };
  for (const { secrets, added, taskRole, executionRole, reads: how } of tenant.services)
    reads(how === "valueFrom" ? executionRole : taskRole, added ? [...secrets, added.secret] : secrets);
  for (const { role, secrets } of [...tenant.functions, tenant.backup, ...tenant.rareJobs])
    reads(role, secrets);
  if (tenant.operator) reads(tenant.operator.role, tenant.operator.secrets);
  const rotated = new Set(tenant.rotations.filter(({ by }) => by === "rekey").map(({ secret }) => secret));
  return {
    consumers,
    versions: [...rotated].flatMap(({ key, versions }) =>
      versions.map(({ id, ...times }) => ({ secret: key, versionId: id, ...times })),
    ),
    rotationRoles: new Set([tenant.rekey.role]),
    canaries: keysOf(tenant.canaries),
    productionSecrets: keysOf(tenant.secrets.filter(({ tier }) => tier === "production")),
    declaredAccounts: new Set(tenant.sharer ? [tenant.sharer.account] : []),
    approvals: tenant.approvals,
  };
}

const keysOf = (secrets: Tenant["secrets"]) => new Set(secrets.map(({ key }) => key));
