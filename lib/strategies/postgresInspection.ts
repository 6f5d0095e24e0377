/** What can be told of two alternating logins without changing anything: who is logged in, and whether the admin may rotate. */
import type pg from "pg";
import type { Objection, Straggler } from "../rotation/strategy.ts";
import { alternate } from "./alternate.ts";
import { membershipsOf } from "./postgresLikeness.ts";
import { readRole, serverVersion } from "./postgresRole.ts";

export async function sessionsOf(client: pg.Client, logins: readonly string[]): Promise<Straggler[]> {
  const { rows } = await client.query(
    `select usename, application_name,
            coalesce(host(client_addr), case when backend_start is null then 'hidden from the admin' else 'a local socket' end) as address
       from pg_stat_activity where usename = any($1) and pid <> pg_backend_pid() order by backend_start`,
    [logins],
  );
  return rows.map(({ usename, address, application_name: program }) => ({
    login: usename,
    from: address,
    ...(program ? { program } : {}),
  }));
}

/** Real work as the application would do it: owned by the owner, written, and rolled back. */
export async function probe(client: pg.Client, owner: string | undefined): Promise<void> {
  const { rows } = await client.query("select current_user as acting");
  if (owner !== undefined && rows[0]?.acting !== owner) {
    throw Object.assign(new Error(`the login acts as ${rows[0]?.acting} and not as ${owner}`), {
      code: "42501",
    });
  }
  await client.query("begin");
  await client.query("create temporary table rekey_probe (id int) on commit drop");
  await client.query("insert into rekey_probe values (1)");
  await client.query("rollback");
}

export async function inspectRoles(client: pg.Client, label: string, login: string): Promise<Objection[]> {
  const { base: owner, next } = alternate(login);
  const objections: Objection[] = [];
  const { rows } = await client.query(
    `select pg_is_in_recovery() as standby, current_user as me, rolsuper, rolcreaterole,
            pg_has_role(current_user, 'pg_signal_backend', 'usage') as signals
       from pg_roles where rolname = current_user`,
  );
  const [admin] = rows;
  if (admin?.standby) {
    objections.push({
      code: "UNSUPPORTED_TARGET",
      message: `${label}: its host is a standby; the secret must name the primary`,
    });
  }
  if (!admin?.rolsuper && !admin?.rolcreaterole) {
    objections.push({
      code: "MISSING_RIGHTS",
      message: `${label}: the admin ${admin?.me} may not create roles; grant it CREATEROLE`,
    });
  } else if (!admin.rolsuper) {
    if (!admin.signals) {
      objections.push({
        code: "MISSING_RIGHTS",
        message: `${label}: the admin ${admin.me} may not end other logins' sessions; run: grant pg_signal_backend to ${client.escapeIdentifier(admin.me)}`,
      });
    }
    const others = (await membershipsOf(client, login, await serverVersion(client))).map(({ name }) => name);
    for (const role of [login, next, owner, ...others]) {
      if ((await readRole(client, role)).exists && !(await mayAdminister(client, role))) {
        objections.push({
          code: "MISSING_RIGHTS",
          message: `${label}: the admin ${admin.me} may not change role ${role}; run: grant ${client.escapeIdentifier(role)} to ${client.escapeIdentifier(admin.me)} with admin option`,
        });
      }
    }
  }
  if ((await readRole(client, next)).canLogin) {
    const sessions = await sessionsOf(client, [next]);
    if (sessions.length > 0) {
      objections.push({
        code: "STRAGGLERS",
        message: `${label}: ${sessions.length} session(s) use the login ${next}, which this rotation would give a new password; end them or find out whose they are`,
      });
    }
  }
  return objections;
}

/** Before PostgreSQL 16 CREATEROLE alone reaches every role that is not a superuser; since then ADMIN OPTION is needed. */
async function mayAdminister(client: pg.Client, role: string): Promise<boolean> {
  if ((await serverVersion(client)) < 160_000) return true;
  const { rows } = await client.query(
    "select pg_has_role(current_user, $1, 'member with admin option') as may",
    [role],
  );
  return rows[0]?.may === true;
}
