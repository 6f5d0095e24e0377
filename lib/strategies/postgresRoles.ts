/**
 * The SQL of two alternating logins. Statements carry role names and SCRAM verifiers, never a password, so the server's
 * statement log may be on; changes are one transaction, so a crash leaves all of them or none.
 */
import type pg from "pg";
import type { Objection, Straggler } from "../rotation/strategy.ts";
import { alternate } from "./alternate.ts";
import { scramVerifier } from "./scram.ts";

interface Role {
  readonly exists: boolean;
  readonly canLogin: boolean;
  readonly connectionLimit: number;
}

async function readRole(client: pg.Client, name: string): Promise<Role> {
  const { rows } = await client.query("select rolcanlogin, rolconnlimit from pg_roles where rolname = $1", [
    name,
  ]);
  const [row] = rows;
  return {
    exists: row !== undefined,
    canLogin: row?.rolcanlogin ?? false,
    connectionLimit: row?.rolconnlimit ?? -1,
  };
}

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

/** What a login is a member of besides its owner, and how. On a first adoption the login is the owner and passes its own on. */
async function membershipsOf(
  client: pg.Client,
  login: string,
  version: number,
): Promise<{ name: string; inherits: boolean; sets: boolean }[]> {
  const { base: owner, next } = alternate(login);
  if (login === owner) return [];
  const how = version >= 160_000 ? "bool_or(m.inherit_option), bool_or(m.set_option)" : "true, true";
  const { rows } = await client.query({
    text: `select g.rolname, ${how} from pg_auth_members m
             join pg_roles g on g.oid = m.roleid join pg_roles r on r.oid = m.member
            where r.rolname = $1 and g.rolname <> $2 and g.rolname <> $3 group by g.rolname`,
    values: [login, owner, next],
    rowMode: "array",
  });
  return rows.map(([name, inherits, sets]) => ({ name, inherits, sets }));
}

async function copyMemberships(
  client: pg.Client,
  { from, to }: { from: string; to: string },
  version: number,
): Promise<void> {
  for (const { name, inherits, sets } of await membershipsOf(client, from, version)) {
    const options = version >= 160_000 ? ` with inherit ${inherits}, set ${sets}` : "";
    await client.query(`grant ${client.escapeIdentifier(name)} to ${client.escapeIdentifier(to)}${options}`);
  }
}

/** Settings follow the login and not the owner, so they are copied: for the whole server and for each database. */
async function copySettings(client: pg.Client, { from, to }: { from: string; to: string }): Promise<void> {
  const [wanted, present] = [await readSettings(client, from), await readSettings(client, to)];
  const where = (database: string | null) =>
    database === null ? "" : ` in database ${client.escapeIdentifier(database)}`;
  for (const { database, name } of present) {
    if (name === "role") continue;
    await client.query(
      `alter role ${client.escapeIdentifier(to)}${where(database)} reset ${settingName(client, name)}`,
    );
  }
  for (const { database, name, value } of wanted) {
    if (name === "role") continue;
    await client.query(
      `alter role ${client.escapeIdentifier(to)}${where(database)} set ${settingName(client, name)} = ${settingValue(client, name, value)}`,
    );
  }
}

/** `app.tenant` is two identifiers. */
const settingName = (client: pg.Client, name: string) =>
  name
    .split(".")
    .map((part) => client.escapeIdentifier(part))
    .join(".");

/** Settings that are lists are stored as their quoted elements, which one literal would turn into a single element. */
const LISTS = new Set([
  "search_path",
  "temp_tablespaces",
  "session_preload_libraries",
  "local_preload_libraries",
  "datestyle",
]);
const settingValue = (client: pg.Client, name: string, value: string) =>
  LISTS.has(name.toLowerCase())
    ? splitList(value)
        .map((part) => client.escapeLiteral(part))
        .join(", ")
    : client.escapeLiteral(value);

function splitList(value: string): string[] {
  const elements = value.match(/"(?:[^"]|"")*"|[^,\s][^,]*/g) ?? [""];
  return elements.map((element) => {
    const text = element.trim();
    return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
  });
}

async function readSettings(client: pg.Client, role: string) {
  const { rows } = await client.query(
    `select d.datname as database, split_part(c, '=', 1) as name, substr(c, strpos(c, '=') + 1) as value
       from pg_db_role_setting s join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase,
            unnest(s.setconfig) c
      where r.rolname = $1`,
    [role],
  );
  return rows as { database: string | null; name: string; value: string }[];
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

async function serverVersion(client: pg.Client): Promise<number> {
  const { rows } = await client.query("show server_version_num");
  return Number(rows[0]?.server_version_num);
}
