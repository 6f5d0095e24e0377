/**
 * One short-lived Redis connection: where to, as whom, how encrypted. A refused login is told from a server that could not
 * be asked, because the first is an answer and the second is not. Nothing reconnects by itself, and a command's arguments
 * never stand in an error: some of them are passwords.
 */
import { RekeyError } from "../errors.ts";
import type { Circumstances } from "../rotation/strategy.ts";
import type { Credential } from "../secret.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 10_000;
const DEFAULT_PORT = 6379;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** What is the same for every node of a target. */
export interface RedisTarget {
  readonly label: string;
  /** Where to begin: the secret's own host first, then the nodes of the tag. */
  readonly seeds: readonly Address[];
  readonly tls: { readonly ca?: string } | undefined;
  /** Asked before each command. */
  readonly mayWrite: () => void;
}

export interface Redis {
  /** @throws RedisAnswer when the server answers with an error */
  send<T = string>(...words: string[]): Promise<T>;
}

/** The server refused the login: an answer, not a failure. */
export class LoginRefused extends Error {
  override readonly name = "LoginRefused";
}

/** An error that the server answered. `kind` is its first word: NOPERM, READONLY, ERR. */
export class RedisAnswer extends Error {
  override readonly name = "RedisAnswer";
  readonly kind: string;

  constructor(message: string) {
    super(message);
    this.kind = message.split(" ", 1)[0] ?? "";
  }
}

export const nameOf = ({ host, port }: Address) => `${host}:${port}`;

/**
 * @param at option `nodes`: addresses that discovery cannot see, separated by spaces
 * @throws RekeyError SECRET_MALFORMED, TAG_INVALID
 */
export function targetOf(credential: Credential, { options, mayWrite }: Circumstances): RedisTarget {
  const nodes = options.get("nodes") ?? "";
  const port = Number(credential.reveal("port") ?? DEFAULT_PORT);
  if (!isPort(port)) {
    throw new RekeyError(
      "SECRET_MALFORMED",
      `${credential.label}: field ${credential.fieldOf("port")} is not a port number`,
    );
  }
  const extra = nodes
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => addressOf(word, credential.label));
  const isEncrypted = [credential.reveal("tls"), credential.reveal("ssl")].some(isTrue);
  const ca = credential.reveal("sslrootcert");
  return {
    label: credential.label,
    seeds: [{ host: credential.require("host"), port }, ...extra],
    tls: isEncrypted ? (ca ? { ca } : {}) : undefined,
    mayWrite,
  };
}

function addressOf(word: string, label: string): Address {
  const [, host, port = DEFAULT_PORT] = /^(.+?)(?::(\d+))?$/.exec(word) ?? [];
  if (host === undefined || !isPort(Number(port)))
    throw new RekeyError("TAG_INVALID", `${label}: tag rekey:nodes: ${word} is not host:port`);
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

const isPort = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65_535;
const isTrue = (text: string | undefined) =>
  text !== undefined && ["true", "1", "yes"].includes(text.toLowerCase());

/** Loaded on first use: most invocations of advance have nothing to do, and should start as fast as they can. */
let driver: Driver | undefined;

type Driver = Awaited<ReturnType<typeof loadDriver>>;

/**
 * With a client that never connects and that all others are duplicates of. For every other set of options `createClient`
 * builds a class of all commands anew, which costs 20 ms and megabytes; a preflight makes dozens of connections.
 */
async function loadDriver() {
  const { createClient, ErrorReply } = await import("@redis/client");
  return { ErrorReply, blank: createClient({ RESP: 2 }) };
}

/**
 * Runs `work` on a fresh connection and closes it.
 *
 * @throws LoginRefused; RekeyError MISSING_RIGHTS when the server answers NOPERM, TARGET_UNREACHABLE when no answer came
 *   or one that nobody in `work` expected
 */
export async function withRedis<T>(
  target: Pick<RedisTarget, "label" | "tls" | "mayWrite">,
  address: Address,
  login: Login,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const where = `${target.label}: ${nameOf(address)}`;
  driver ??= await loadDriver();
  const client = driver.blank.duplicate(optionsOf(target, address, login));
  // Everything that is reported here fails the call in progress as well.
  client.on("error", () => {});
  let command = "AUTH";
  const redis: Redis = {
    async send<A>(...words: string[]): Promise<A> {
      command = words.slice(0, ["ACL", "CONFIG", "CLIENT"].includes(words[0] ?? "") ? 2 : 1).join(" ");
      target.mayWrite();
      try {
        return (await client.sendCommand(words)) as A;
      } catch (error) {
        throw isAnswer(error) ? new RedisAnswer(scrubbed(error.message)) : error;
      }
    },
  };
  try {
    await client.connect();
    return await work(redis);
  } catch (error) {
    if (error instanceof RekeyError || error instanceof LoginRefused) throw error;
    const kind = isAnswer(error) ? new RedisAnswer(error.message).kind : "";
    // NOAUTH comes from an ACL that changed under an open connection.
    if (kind === "WRONGPASS" || kind === "NOAUTH") throw new LoginRefused(`${where} refused the login`);
    const reason = reasonOf(error);
    if (kind === "NOPERM") {
      throw new RekeyError(
        "MISSING_RIGHTS",
        `${where}: user ${login.username} may not run ${command}; allow it, or name an admin with the tag rekey:admin`,
      );
    }
    throw new RekeyError(
      "TARGET_UNREACHABLE",
      kind === ""
        ? `${where} could not be asked (${reason})`
        : `${where} answered ${command} with: ${reason}`,
      { cause: new Error(reason) },
    );
  } finally {
    if (client.isOpen) client.destroy();
  }
}

function optionsOf(target: Pick<RedisTarget, "tls">, address: Address, login: Login) {
  const socket = {
    host: address.host,
    port: address.port,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Silence for so long on an open connection ends it, and with it the call that waits.
    socketTimeout: ANSWER_TIMEOUT_MS,
    reconnectStrategy: false as const,
  };
  return {
    ...login,
    // RESP 2 logs in with AUTH; with RESP 3 a login is part of HELLO, which old servers and proxies answer differently.
    RESP: 2 as const,
    disableClientInfo: true,
    socket: target.tls ? { ...socket, tls: true as const, ...target.tls } : socket,
  };
}

const isAnswer = (error: unknown): error is Error =>
  error instanceof RedisAnswer || (driver !== undefined && error instanceof driver.ErrorReply);

/** Redis quotes arguments in some of its errors. From the first quote to the last, because a password may contain one. */
const scrubbed = (message: string) => message.replace(/'.*'\s*/gs, "'...'").replace(/[0-9a-f]{64}/g, "...");

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "no reason given";
  if ("code" in error && typeof error.code === "string") return error.code;
  return scrubbed(error.message || error.name);
}
