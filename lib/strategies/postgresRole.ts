/** One role as the server knows it. */
import type pg from "pg";

interface Role {
  readonly exists: boolean;
  readonly canLogin: boolean;
  readonly connectionLimit: number;
}

export async function readRole(client: pg.Client, name: string): Promise<Role> {
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

export async function serverVersion(client: pg.Client): Promise<number> {
  const { rows } = await client.query("show server_version_num");
  return Number(rows[0]?.server_version_num);
}
