import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Change, Circumstances, Verdict } from "../../lib/rotation/strategy.ts";
import { Credential, SecretDocument } from "../../lib/secret.ts";
import { alternate } from "../../lib/strategies/alternate.ts";
import { postgres } from "../../lib/strategies/postgres.ts";
import { scramVerifier } from "../../lib/strategies/scram.ts";
import { freePort, type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { strategyContract } from "./contract.ts";

const FIRST = "first-Password-0123456789-0123456789-012345";

const credentialFor = (server: PostgresServer, fields: Record<string, unknown> = {}) =>
  new Credential(
    SecretDocument.of({
      engine: "postgres",
      host: server.host,
      port: server.port,
      username: "app_a",
      password: FIRST,
      dbname: "postgres",
      ...fields,
    }),
    "shop/database",
  );

const circumstances = (admin: { username: string; password: string }): Circumstances => ({
  now: new Date(),
  graceSeconds: 0,
  skewSeconds: 60,
  emergency: false,
  mayWrite: () => {},
  rolloutSeconds: 600,
  admin: new Credential(SecretDocument.of(admin), "shop/admin"),
  options: new Map(),
});

/** By a plain driver call, without the strategy's code. */
async function login(credential: Credential): Promise<Verdict> {
  const client = new pg.Client({
    host: credential.require("host"),
    port: Number(credential.require("port")),
    user: credential.require("username"),
    password: credential.require("password"),
    database: "postgres",
  });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
    return "accepted";
  } catch (error) {
    expect(["28P01", "28000"]).toContain((error as { code?: string }).code);
    return "refused";
  } finally {
    await client.end().catch(() => {});
  }
}

const seedPair = `
  create role app nologin; create role app_a login password '${FIRST}'; create role app_b nologin;
  grant app to app_a, app_b; grant create, usage on schema public to app;
  alter role app_a set role = app;`;

async function rotate(current: Credential, at: Circumstances): Promise<Change> {
  const change: Change = {
    wave: "rotate",
    from: current,
    to: await postgres.generate("rotate", current, at),
  };
  await postgres.set(change, at);
  expect(await postgres.test(change, at)).toEqual({ from: "accepted", to: "accepted" });
  await postgres.revoke(change, new Date(), at);
  expect(await postgres.test(change, at)).toEqual({ from: "refused", to: "accepted" });
  return change;
}

strategyContract("postgres", async () => {
  const server = await startPostgres();
  await server.query(seedPair);
  const nobody = await freePort();
  return {
    strategy: postgres,
    current: credentialFor(server),
    at: () => circumstances(server.admin),
    login,
    snapshot: () =>
      server.query(
        "select a.rolname, a.rolcanlogin, a.rolpassword, s.setconfig from pg_authid a left join pg_db_role_setting s on s.setrole = a.oid order by 1",
      ),
    nowhere: (credential) => credential.with({ port: nobody }),
    stop: () => server.stop(),
  };
});

test("a verifier made here is the one that the server would have made", () => {
  // RFC 7677's example: user "user", password "pencil", 4096 iterations.
  const verifier = scramVerifier("pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"));
  expect(verifier).toBe(
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
  );
});

test.each([
  ["app", "app", "app_a"],
  ["app_a", "app", "app_b"],
  ["app_b", "app", "app_a"],
  ["app_clone", "app", "app_a"],
  ["data_app", "data_app", "data_app_a"],
])("after %s comes a login of %s: %s", (login, base, next) => {
  expect(alternate(login)).toEqual({ base, next });
});

describe("on a real server", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ settings: { log_statement: "all", log_min_duration_statement: "0" } });
    await server.query(seedPair);
  }, 60_000);
  afterAll(() => server?.stop());

  const sql = (text: string, credential: Credential) =>
    server.query(text, {
      username: credential.require("username"),
      password: credential.require("password"),
    });

  test("tables created by either login stay usable by the other, DDL too", async () => {
    const at = circumstances(server.admin);
    const first = credentialFor(server);
    await sql("create table orders (id int)", first);
    const one = await rotate(first, at);
    await sql(
      "insert into orders values (1); alter table orders add column note text; create table items (id int)",
      one.to,
    );
    const other = await rotate(one.to, at);
    expect(other.to.require("username")).toBe("app_a");
    await sql("insert into items values (1); drop table items", other.to);
    expect(await server.query("select tableowner from pg_tables where tablename = 'orders'")).toEqual([
      { tableowner: "app" },
    ]);
    await rotate(other.to, at);
  });

  test("a login cannot change the other's password", async () => {
    await server.query(
      "create role peer_a login password 'x'; create role peer nologin; grant peer to peer_a; alter role peer_a set role = peer",
    );
    await server.query("create role peer_b login password 'y'; grant peer to peer_b");
    await expect(
      server.query("alter role peer_b password 'z'", { username: "peer_a", password: "x" }),
    ).rejects.toThrow(/permission denied/);
  });

  test("role-level settings, limits and memberships are carried over, and ones that are gone are gone", async () => {
    const at = circumstances(server.admin);
    await server.query(`create role conf nologin; create role readers nologin; create role auditors nologin; create role conf_a login password '${FIRST}' connection limit 7;
      grant conf to conf_a; grant readers to conf_a; grant auditors to conf_a with inherit false; alter role conf_a set role = conf;
      alter role conf_a set search_path = app, "Odd, name", public; alter role conf_a set statement_timeout = '31s';
      alter role conf_a in database postgres set lock_timeout = '5s'; alter role conf_a set app.tenant = 'blue';
      create role conf_b nologin; alter role conf_b set work_mem = '1MB'`);
    const { to } = await rotate(credentialFor(server, { username: "conf_a" }), at);
    const [shown] = await sql(
      "select current_setting('search_path') as path, current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock, current_setting('app.tenant') as tenant, current_setting('work_mem') as work, current_user as me",
      to,
    );
    expect(shown).toEqual({
      path: 'app, "Odd, name", public',
      statement: "31s",
      lock: "5s",
      tenant: "blue",
      work: "4MB",
      me: "conf",
    });
    const [role] = await server.query(
      "select rolconnlimit, pg_has_role('conf_b', 'readers', 'usage') as reads, pg_has_role('conf_b', 'auditors', 'member') as may_audit, pg_has_role('conf_b', 'auditors', 'usage') as audits from pg_roles where rolname = 'conf_b'",
    );
    expect(role).toEqual({ rolconnlimit: 7, reads: true, may_audit: true, audits: false });
  });

  test("a secret of AWS's single-user function is adopted: its login becomes the owner", async () => {
    const at = circumstances(server.admin);
    await server.query(`create role solo login password '${FIRST}'; grant create on schema public to solo`);
    const first = credentialFor(server, { username: "solo", dbInstanceIdentifier: "db-1" });
    await sql("create table solo_table (id int)", first);
    expect(await postgres.inspect(first, at)).toEqual([]);
    const { to } = await rotate(first, at);
    expect(to.require("username")).toBe("solo_a");
    expect(to.require("dbInstanceIdentifier")).toBe("db-1");
    await sql("insert into solo_table values (1); alter table solo_table add column b int", to);
    expect(await server.query("select rolcanlogin from pg_roles where rolname = 'solo'")).toEqual([
      { rolcanlogin: false },
    ]);
  });

  test("a pair of AWS's alternating-users function is adopted, with the tables of both", async () => {
    const at = circumstances(server.admin);
    await server.query(`create role duo login password 'original'; create role duo_clone login password '${FIRST}'; grant duo to duo_clone;
      grant create on schema public to duo`);
    await server.query("create table by_original (id int)", { username: "duo", password: "original" });
    const clone = credentialFor(server, { username: "duo_clone" });
    await sql("create table by_clone (id int)", clone);
    const change: Change = { wave: "rotate", from: clone, to: await postgres.generate("rotate", clone, at) };
    await postgres.set(change, at);
    for (const credential of [change.from, change.to]) {
      await sql("insert into by_original values (1); insert into by_clone values (1)", credential);
    }
    await postgres.revoke(change, new Date(), at);
    expect(await login(change.from)).toBe("refused");
    // The original, whose password no version of the secret holds any more, is switched off with its clone.
    expect(await login(clone.with({ username: "duo", password: "original" }))).toBe("refused");
  });

  test("sessions of the old login are found, named, and ended by the revocation", async () => {
    const at = circumstances(server.admin);
    await server.query(
      `create role pool nologin; create role pool_a login password '${FIRST}'; grant pool to pool_a; alter role pool_a set role = pool`,
    );
    const from = credentialFor(server, { username: "pool_a" });
    const session = new pg.Client({
      host: server.host,
      port: server.port,
      user: "pool_a",
      password: FIRST,
      database: "postgres",
      application_name: "api",
    });
    const ended = new Promise((resolve) => session.on("error", resolve));
    await session.connect();
    const change: Change = { wave: "rotate", from, to: await postgres.generate("rotate", from, at) };
    await postgres.set(change, at);
    expect(await postgres.stragglers(change, at)).toEqual([
      { login: "pool_a", from: "127.0.0.1", program: "api" },
    ]);
    await postgres.revoke(change, new Date(), at);
    await ended;
    expect(await postgres.stragglers(change, at)).toEqual([]);
  });

  test("a login that somebody already uses is not given a new password", async () => {
    await server.query(
      `create role busy nologin; create role busy_a login password '${FIRST}'; create role busy_b login password 'taken'; grant busy to busy_a, busy_b`,
    );
    const session = new pg.Client({ ...server, user: "busy_b", password: "taken" });
    await session.connect();
    try {
      const current = credentialFor(server, { username: "busy_a" });
      const objections = await postgres.inspect(current, circumstances(server.admin));
      expect(objections.map(({ code }) => code)).toEqual(["STRAGGLERS"]);
    } finally {
      await session.end();
    }
  });

  test("an admin that may only create roles is enough on this server", async () => {
    const keeper = { username: "keeper", password: "keeper-password" };
    await server.query(
      `create role keeper login createrole password '${keeper.password}'; grant pg_signal_backend to keeper`,
    );
    await server.query(
      `create role kept; create role kept_a login password '${FIRST}'; grant kept to kept_a with inherit true; alter role kept_a set role = kept`,
      keeper,
    );
    const current = credentialFor(server, { username: "kept_a" });
    expect(await postgres.inspect(current, circumstances(keeper))).toEqual([]);
    await rotate(current, circumstances(keeper));
  });

  test("an admin without the right is refused before anything changes, with the statement that mends it", async () => {
    await server.query(
      "create role weak login createrole password 'weak'; create role weaker login password 'weaker'",
    );
    const current = credentialFor(server, { username: "app_b", password: "unknown" });
    const inspected = async (admin: { username: string; password: string }) =>
      (await postgres.inspect(current, circumstances(admin)))
        .map(({ code, message }) => `${code} ${message}`)
        .join("\n");
    expect(await inspected({ username: "weak", password: "weak" })).toMatch(
      /MISSING_RIGHTS .* run: grant "app" to "weak" with admin option/,
    );
    expect(await inspected({ username: "weak", password: "weak" })).toMatch(
      /MISSING_RIGHTS .* run: grant pg_signal_backend to "weak"/,
    );
    expect(await inspected({ username: "weaker", password: "weaker" })).toMatch(
      /MISSING_RIGHTS .* grant it CREATEROLE/,
    );
    expect(await inspected({ username: "weaker", password: "wrong" })).toMatch(
      /MISSING_RIGHTS .* refuses the admin's login/,
    );
    expect(await inspected(server.admin)).toMatch(/^TARGET_REFUSES_CURRENT/);
  });

  test.each([
    ["no admin", {}, "ADMIN_MISSING"],
    ["no host", { host: "" }, "SECRET_MALFORMED"],
    ["no username", { username: undefined }, "SECRET_MALFORMED"],
    ["a port that is none", { port: "many" }, "SECRET_MALFORMED"],
    ["an unknown sslmode", { sslmode: "maybe" }, "SECRET_MALFORMED"],
  ])("inspection names %s", async (_what, fields, code) => {
    const { admin: _, ...bare } = circumstances(server.admin);
    const current = credentialFor(server, fields);
    expect((await postgres.inspect(current, bare)).map((one) => one.code)).toContain(code);
  });

  test("after all this the server's statement log holds no password", async () => {
    const at = circumstances(server.admin);
    await server.query(
      `create role quiet nologin; create role quiet_a login password '${scramVerifier("initial-Password-xyz")}'; grant quiet to quiet_a; alter role quiet_a set role = quiet`,
    );
    const change = await rotate(
      credentialFor(server, { username: "quiet_a", password: "initial-Password-xyz" }),
      at,
    );
    const log = await server.logText();
    expect(log).toContain('alter role "quiet_a" nologin');
    for (const credential of [change.from, change.to])
      expect(log).not.toContain(credential.require("password"));
  });
});

describe("with TLS required by the server", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ ssl: true });
    await server.query(seedPair);
  }, 60_000);
  afterAll(() => server?.stop());

  test("a secret that says verify-full rotates against the certificate it names", async () => {
    const current = credentialFor(server, { sslmode: "verify-full", sslrootcert: server.certificate });
    await rotate(current, circumstances(server.admin));
  });

  test("without the certificate it is not trusted, and without TLS it is not let in", async () => {
    const at = circumstances(server.admin);
    const untrusted = await postgres.inspect(credentialFor(server, { ssl: "true" }), at);
    expect(untrusted[0]?.code).toBe("TARGET_UNREACHABLE");
    const open = await postgres.inspect(credentialFor(server), at);
    expect(open[0]).toMatchObject({
      code: "TARGET_REFUSES_CURRENT",
      message: expect.stringContaining("no encryption"),
    });
  });
});
