/**
 * The SQL of two alternating logins. Statements carry role names and SCRAM verifiers, never a password, so the server's
 * statement log may be on; changes are one transaction, so a crash leaves all of them or none.
 */
import type pg from "pg";
import { alternate } from "./alternate.ts";
import { copyMemberships, copySettings } from "./postgresLikeness.ts";
import { readRole, serverVersion } from "./postgresRole.ts";
import { scramVerifier } from "./scram.ts";

interface Pair {
  readonly owner: string;
  /** Asked once the pair is locked: whoever waited for the lock, or slept, may have been overtaken. */
  readonly mayWrite: () => void;
}

async function changePair(
  client: pg.Client,
  { owner, mayWrite }: Pair,
  work: () => Promise<void>,
): Promise<void> {
  await client.query("begin");
  try {
    // The client's own patience does not stop the server, and a lock that is waited for holds up everybody behind it.
    // A worker that is frozen in here loses the transaction, or it would finish it when it wakes.
    await client.query(
      "set local lock_timeout = '5s'; set local statement_timeout = '10s'; set local idle_in_transaction_session_timeout = '10s'",
    );
    // Two rotators of one pair would take turns on the same roles.
    await client.query("select pg_advisory_xact_lock(hashtext($1))", [`rekey:${owner}`]);
    mayWrite();
    await work();
    mayWrite();
    await client.query("commit");
  } catch (error) {
    // The first error is the one that tells; a connection that is gone rolls back by itself.
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

interface Enabling {
  readonly mayWrite: () => void;
  readonly current: string;
  readonly next: string;
  readonly password: string;
}

/** Makes `next` a login that is all that `current` is. Idempotent; a repeated call sets the same password again. */
export async function enableLogin(
  client: pg.Client,
  { mayWrite, current, next, password }: Enabling,
): Promise<void> {
  const { base: owner } = alternate(current);
  const verifier = scramVerifier(password);
  const version = await serverVersion(client);
  await changePair(client, { owner, mayWrite }, async () => {
    if (!(await readRole(client, owner)).exists)
      await client.query(`create role ${client.escapeIdentifier(owner)} nologin`);
    const role = await readRole(client, current);
    const idle = await readRole(client, next);
    const limit = `connection limit ${role.connectionLimit}`;
    const verb = idle.exists ? "alter" : "create";
    await client.query(
      `${verb} role ${client.escapeIdentifier(next)} login inherit ${limit} password ${client.escapeLiteral(verifier)}`,
    );
    await joinOwner(client, owner, next, version);
    await copyMemberships(client, { from: current, to: next }, version);
    await copySettings(client, { from: current, to: next });
    await client.query(
      `alter role ${client.escapeIdentifier(next)} set role = ${client.escapeIdentifier(owner)}`,
    );
    await reassignClone(client, owner, version);
  });
}

/** Since PostgreSQL 16 a membership may withhold inheritance and SET ROLE; the default role needs both. */
async function joinOwner(client: pg.Client, owner: string, login: string, version: number): Promise<void> {
  const options = version >= 160_000 ? " with inherit true, set true" : "";
  await client.query(
    `grant ${client.escapeIdentifier(owner)} to ${client.escapeIdentifier(login)}${options}`,
  );
}

/** What AWS's clone owns cannot be used by the original; once it belongs to the owner, both can. */
async function reassignClone(client: pg.Client, owner: string, version: number): Promise<void> {
  const clone = `${owner}_clone`;
  if (!(await readRole(client, clone)).exists) return;
  await joinOwner(client, owner, clone, version);
  const { rows } = await client.query(
    "select current_user as me, rolsuper from pg_roles where rolname = current_user",
  );
  // Only a member of both may reassign; a superuser is that without being told.
  if (!rows[0]?.rolsuper)
    await client.query(
      `grant ${client.escapeIdentifier(owner)}, ${client.escapeIdentifier(clone)} to current_user`,
    );
  await client.query(
    `reassign owned by ${client.escapeIdentifier(clone)} to ${client.escapeIdentifier(owner)}`,
  );
}

/**
 * Ends logins of one pair: no new sessions, and no password, so that switching a role on again does not bring the old value
 * back. Then their sessions, which outlive the right to log in, for days in a pool; not before it is committed, because a
 * pool would be back at once.
 */
export async function endLogins(
  client: pg.Client,
  logins: readonly string[],
  mayWrite: () => void,
): Promise<void> {
  const { base: owner } = alternate(logins[0] ?? "");
  await changePair(client, { owner, mayWrite }, async () => {
    for (const login of logins) {
      if ((await readRole(client, login)).exists)
        await client.query(`alter role ${client.escapeIdentifier(login)} nologin password null`);
    }
  });
  mayWrite();
  await client.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = any($1) and pid <> pg_backend_pid()",
    [logins],
  );
}
