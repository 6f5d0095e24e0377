/**
 * One short-lived PostgreSQL connection: who may, where to, how encrypted. A refused login is told from a server that
 * could not be asked, because the first is an answer and the second is not.
 */
import type { ConnectionOptions } from "node:tls";
import type pg from "pg";
import { RekeyError } from "../errors.ts";
import type { Credential } from "../secret.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 15_000;

/** invalid_password; invalid_authorization_specification, which is also what NOLOGIN answers. */
const REFUSED = new Set(["28P01", "28000"]);

/** The login, which may come from the admin secret, and the server, which is always the credential's own. */
export interface Access {
  readonly label: string;
  readonly login: { readonly user: string; readonly password: string };
  readonly server: Server;
}

export interface Server {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly ssl: ConnectionOptions | false;
}

/** Its message is the server's sentence, which names the role, the address and the encryption. */
export class LoginRefused extends Error {
  override readonly name = "LoginRefused";
}

/** @throws RekeyError SECRET_MALFORMED */
export function serverOf(credential: Credential): Server {
  const port = Number(credential.reveal("port") ?? 5432);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RekeyError(
      "SECRET_MALFORMED",
      `${credential.label}: field ${credential.fieldOf("port")} is not a port number`,
    );
  }
  return {
    host: credential.require("host"),
    port,
    database: credential.reveal("dbname") ?? "postgres",
    ssl: encryption(credential),
  };
}

/** `sslmode` as libpq has it; `ssl` as AWS's own rotation functions write it. Without either the connection is plain. */
function encryption(credential: Credential): ConnectionOptions | false {
  const mode = credential.reveal("sslmode") ?? (isTrue(credential.reveal("ssl")) ? "verify-full" : "disable");
  const root = credential.reveal("sslrootcert");
  const ca = root ? { ca: root } : {};
  switch (mode) {
    case "disable":
    case "allow":
    case "prefer":
      return false;
    case "require":
      return { rejectUnauthorized: false };
    case "verify-ca":
      return { ...ca, rejectUnauthorized: true, checkServerIdentity: () => undefined };
    case "verify-full":
      return { ...ca, rejectUnauthorized: true };
    default:
      throw new RekeyError(
        "SECRET_MALFORMED",
        `${credential.label}: field ${credential.fieldOf("sslmode")} must be disable, require, verify-ca or verify-full`,
      );
  }
}

const isTrue = (text: string | undefined) =>
  text !== undefined && ["true", "1", "yes"].includes(text.toLowerCase());

/**
 * Runs `work` on a fresh connection and closes it.
 *
 * @throws LoginRefused; RekeyError TARGET_UNREACHABLE when no answer came; whatever `work` throws
 */
export async function withConnection<T>(access: Access, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { login, server, label } = access;
  // On first use: most invocations of advance have nothing to do, and should start as fast as they can.
  const { default: driver } = await import("pg");
  const client = new driver.Client({
    ...server,
    ...login,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS,
    application_name: "rekey",
  });
  // A connection that dies between two queries reports here as well as in the next query.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => {});
    if (REFUSED.has(sqlState(error))) throw new LoginRefused(scrubbed(error).message);
    throw new RekeyError(
      "TARGET_UNREACHABLE",
      `${label}: ${server.host}:${server.port} could not be asked (${reason(error)})`,
      {
        cause: scrubbed(error),
      },
    );
  }
  try {
    return await work(client);
  } catch (error) {
    if (error instanceof RekeyError || sqlState(error) !== "") throw error;
    throw new RekeyError(
      "TARGET_UNREACHABLE",
      `${label}: the connection to ${server.host}:${server.port} broke (${reason(error)})`,
      {
        cause: scrubbed(error),
      },
    );
  } finally {
    await client.end().catch(() => {
      // The work is done or has failed by itself; a goodbye that is not heard changes nothing.
    });
  }
}

export function sqlState(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^[0-9A-Z]{5}$/.test(code) ? code : "";
}

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  return code ?? (error instanceof Error ? error.message : "no reason given");
}

/** The driver hangs its client, with the password in it, on some of its errors. */
function scrubbed(error: unknown): Error {
  return new Error(error instanceof Error ? error.message : "unknown");
}
