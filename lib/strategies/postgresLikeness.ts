/** Makes one login like another: what it is a member of, and the settings that its sessions begin with. */
import type pg from "pg";
import { alternate } from "./alternate.ts";

/** What a login is a member of besides its owner, and how. On a first adoption the login is the owner and passes its own on. */
export async function membershipsOf(
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

export async function copyMemberships(
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
export async function copySettings(
  client: pg.Client,
  { from, to }: { from: string; to: string },
): Promise<void> {
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
