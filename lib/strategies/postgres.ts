/**
 * PostgreSQL with two logins that take turns: `app_a` and `app_b`, members of one NOLOGIN owner role that holds every
 * object and grant. While one is in use the other gets its new password, so both values work until the old one is
 * switched off; and what either creates belongs to the owner, so both can use it.
 *
 * A login without a suffix is adopted: it becomes the owner, and loses its own right to log in when its value is revoked.
 */
import { RekeyError } from "../errors.ts";
import { commandLine } from "../finding.ts";
import type { Answer, Circumstances, Objection, Strategy, Verdict } from "../rotation/strategy.ts";
import type { Credential } from "../secret.ts";
import { alternate } from "./alternate.ts";
import { newPassword } from "./password.ts";
import { type Access, LoginRefused, serverOf, sqlState, withConnection } from "./postgresConnection.ts";
import { inspectRoles, probe, sessionsOf } from "./postgresInspection.ts";
import { enableLogin, endLogins } from "./postgresPair.ts";

const loginOf = (credential: Credential) => credential.require("username");

/**
 * The logins that end with this value. AWS's pair, original and clone, ends as a whole: nothing would ever rotate the
 * password of the one that was not in use.
 */
function endingWith(from: Credential): readonly string[] {
  const login = loginOf(from);
  const { base } = alternate(login);
  return login === base || login === `${base}_clone` ? [base, `${base}_clone`] : [login];
}

function accessAs(credential: Credential): Access {
  return {
    label: credential.label,
    login: { user: loginOf(credential), password: credential.require("password") },
    server: serverOf(credential),
  };
}

/** @throws RekeyError ADMIN_MISSING, SECRET_MALFORMED */
function accessAsAdmin(credential: Credential, { admin }: Circumstances): Access {
  if (!admin) {
    throw new RekeyError(
      "ADMIN_MISSING",
      `${credential.label}: no admin secret; name one with the tag rekey:admin, or in the secret's field masterarn`,
    );
  }
  return {
    label: admin.label,
    login: { user: admin.require("username"), password: admin.require("password") },
    server: serverOf(credential),
  };
}

async function asAdmin<T>(
  credential: Credential,
  at: Circumstances,
  work: Parameters<typeof withConnection<T>>[1],
): Promise<T> {
  const access = accessAsAdmin(credential, at);
  try {
    return await withConnection(access, work);
  } catch (error) {
    if (error instanceof LoginRefused)
      throw new RekeyError(
        "MISSING_RIGHTS",
        `${access.label}: the server refuses the admin's login: ${messageOf(error)}`,
      );
    if (sqlState(error) === "42501") {
      throw new RekeyError("MISSING_RIGHTS", `${access.label}: the admin lacks a right: ${messageOf(error)}`);
    }
    if (sqlState(error) !== "") {
      throw new RekeyError(
        "TARGET_UNREACHABLE",
        `${credential.label}: the server answered ${sqlState(error)}: ${messageOf(error)}`,
      );
    }
    throw error;
  }
}

/** The server's sentence names roles and rights; its detail and the statement, which could hold more, are left out. */
const messageOf = (error: unknown) => (error instanceof Error ? error.message : "unknown");

async function login(credential: Credential, owner: string | undefined): Promise<Verdict> {
  try {
    await tryLogin(credential, owner);
    return "accepted";
  } catch (error) {
    if (error instanceof LoginRefused) return "refused";
    throw error;
  }
}

/** @throws LoginRefused; RekeyError TARGET_UNREACHABLE, also when the login works and the work does not */
async function tryLogin(credential: Credential, owner: string | undefined): Promise<void> {
  try {
    await withConnection(accessAs(credential), (client) => probe(client, owner));
  } catch (error) {
    if (sqlState(error) !== "") {
      throw new RekeyError(
        "TARGET_UNREACHABLE",
        `${credential.label}: real work failed with ${sqlState(error)}: ${messageOf(error)}`,
      );
    }
    throw error;
  }
}

/** The login alone, on the server that the secret names now. */
async function ask(credential: Credential, current: Credential): Promise<Answer> {
  const server = serverOf(current);
  const where = `${server.host}:${server.port}`;
  try {
    await withConnection({ ...accessAs(credential), server }, (client) => client.query("select 1"));
    return { where, verdict: "accepted" };
  } catch (error) {
    if (error instanceof LoginRefused) return { where, verdict: "refused" };
    if (error instanceof RekeyError && error.code !== "TARGET_UNREACHABLE") throw error;
    return { where, verdict: "silent", because: messageOf(error) };
  }
}

export const postgres: Strategy = {
  id: "postgres",
  overlap: "full",
  takenBy: "server",
  valueName: "password",

  async inspect(current, at) {
    const objections: Objection[] = [];
    const attempt = async (work: () => Promise<readonly Objection[]>) => {
      try {
        objections.push(...(await work()));
      } catch (error) {
        if (!(error instanceof RekeyError)) throw error;
        objections.push({ code: error.code, message: error.message });
      }
    };
    await attempt(async () => {
      const { next } = alternate(loginOf(current));
      if (next.length > 63) {
        return [
          {
            code: "SECRET_MALFORMED",
            message: `${current.label}: the login ${next} would be longer than PostgreSQL's 63 characters`,
          },
        ];
      }
      try {
        await tryLogin(current, undefined);
        return [];
      } catch (error) {
        if (!(error instanceof LoginRefused)) throw error;
        return [
          {
            code: "TARGET_REFUSES_CURRENT",
            message: `${current.label}: the server refuses the secret's login: ${messageOf(error)}; mend the secret or the role first`,
          },
        ];
      }
    });
    await attempt(async () => {
      accessAsAdmin(current, at);
      return [];
    });
    // A server that does not answer would only be reported twice.
    if (
      objections.some(
        ({ code }) =>
          code === "TARGET_UNREACHABLE" || code === "SECRET_MALFORMED" || code === "ADMIN_MISSING",
      )
    )
      return objections;
    await attempt(() =>
      asAdmin(current, at, (client) => inspectRoles(client, current.label, loginOf(current))),
    );
    return objections;
  },

  async check(current, revoked) {
    const [now, old] = await Promise.all([
      ask(current, current),
      revoked === undefined ? [] : ask(revoked, current).then((answer) => [answer]),
    ]);
    return { current: [now], revoked: old };
  },

  byHand(what, _where, current, prints, { admin }) {
    // An old login that lives is given a new password by the next rotation, and loses it at its end.
    if (what === "remove") return undefined;
    const { host, port, database } = serverOf(current);
    const as = admin ? `PGPASSWORD="$(${prints.admin})" ` : "";
    const user = admin?.reveal("username") ?? "postgres";
    const role = loginOf(current).replaceAll('"', '""');
    // \\password hashes on the client's side, so the server's log sees no plaintext; it asks for the value.
    const words = ["psql", "-h", host, "-p", String(port), "-U", user, "-d", database];
    return `${as}${commandLine(...words, "-c", `alter role "${role}" login`, "-c", `\\password "${role}"`)}`;
  },

  waves: () => ["rotate"],

  async generate(_wave, current) {
    return current.with({ username: alternate(loginOf(current)).next, password: newPassword() });
  },

  async set({ from, to }, at) {
    await asAdmin(from, at, (client) =>
      enableLogin(client, {
        mayWrite: at.mayWrite,
        current: loginOf(from),
        next: loginOf(to),
        password: to.require("password"),
      }),
    );
  },

  async test({ from, to }) {
    const { base } = alternate(loginOf(from));
    // The old login of a first adoption is the owner itself, and that of an AWS clone stands beside it.
    const [fromVerdict, toVerdict] = await Promise.all([login(from, undefined), login(to, base)]);
    return { from: fromVerdict, to: toVerdict };
  },

  quietUntil: (_change, rolledOutAt, at) => new Date(rolledOutAt.getTime() + at.graceSeconds * 1000),

  async stragglers({ from }, at) {
    return asAdmin(from, at, (client) => sessionsOf(client, endingWith(from)));
  },

  revokes: () => true,

  async revoke({ from, to }, _promotedAt, at) {
    const { base } = alternate(loginOf(from));
    if ((await login(to, base)) !== "accepted") {
      throw new RekeyError(
        "PENDING_REFUSED",
        `${to.label}: the new login is not accepted, so the old one is not switched off`,
      );
    }
    // All its sessions, not only the older ones: nobody may log in with it any more, so none of them can be a new task's.
    await asAdmin(from, at, (client) => endLogins(client, endingWith(from), at.mayWrite));
  },

  async withdraw({ from, to }, at) {
    await asAdmin(from, at, (client) => endLogins(client, [loginOf(to)], at.mayWrite));
  },
};
