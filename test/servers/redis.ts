/** A real Redis server on a free port, from the system's package; gone with its data after stop. Passwords stand in its files, never in its arguments. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withRedisClient } from "./redisClient.ts";

export interface RedisOptions {
  readonly password?: string;
  /** Lines such as `user app on #<hash> ~* +@all`; the default user is added when a password is given. */
  readonly aclFile?: readonly string[];
  readonly replicaOf?: { readonly host: string; readonly port: number };
  readonly masteruser?: string;
  readonly masterauth?: string;
  /** `false`: settings reach the server on its standard input, so it has no file to rewrite. */
  readonly configFile?: boolean;
  readonly port?: number;
  /** Further lines of the config file. */
  readonly settings?: readonly string[];
}

export interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly home: string;
  /** One command on a connection of its own, as whom the test says. */
  command<T = string>(as: { username?: string; password?: string }, ...words: string[]): Promise<T>;
  restart(): Promise<void>;
  /** As a crash does: nothing is saved. `restart` brings it back. */
  kill(): Promise<void>;
  logText(): Promise<string>;
  configText(): Promise<string>;
  stop(): Promise<void>;
}

export const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" && address ? address.port : 0;
}

async function program(): Promise<string> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, "redis-server");
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new Error("redis-server is not installed; on Debian: apt-get install redis-server");
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const binary = await program();
  const home = await mkdtemp(join(tmpdir(), "rekey-redis-"));
  const port = options.port ?? (await freePort());
  const paths = {
    config: join(home, "redis.conf"),
    acl: join(home, "users.acl"),
    log: join(home, "redis.log"),
  };
  const config = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${home}`,
    `logfile ${paths.log}`,
    'save ""',
    "repl-diskless-sync-delay 0",
    ...(options.password ? [`requirepass ${options.password}`] : []),
    ...(options.masteruser ? [`masteruser ${options.masteruser}`] : []),
    ...(options.masterauth ? [`masterauth ${options.masterauth}`] : []),
    ...(options.replicaOf ? [`replicaof ${options.replicaOf.host} ${options.replicaOf.port}`] : []),
    ...(options.aclFile ? [`aclfile ${paths.acl}`] : []),
    ...(options.settings ?? []),
    "",
  ].join("\n");
  if (options.aclFile) {
    const admin = options.password ? [`user default on #${sha256(options.password)} ~* &* +@all`] : [];
    await writeFile(paths.acl, [...admin, ...options.aclFile, ""].join("\n"), { mode: 0o600 });
  }
  if (options.configFile !== false) await writeFile(paths.config, config, { mode: 0o600 });

  let child: ChildProcess;
  async function launch(): Promise<void> {
    const source = options.configFile === false ? "-" : paths.config;
    child = spawn(binary, [source], { cwd: home, stdio: ["pipe", "ignore", "ignore"] });
    child.stdin?.end(options.configFile === false ? config : "");
    const deadline = Date.now() + 10_000;
    while (!(await answers(port))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        const said = await readFile(paths.log, "utf8").catch(() => "");
        throw new Error(`redis-server did not start: ${said.split("\n").slice(-4).join(" ")}`);
      }
      await sleep(20);
    }
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }
  try {
    await launch();
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
  return {
    host: "127.0.0.1",
    port,
    home,
    async command<T = string>(as: { username?: string; password?: string }, ...words: string[]): Promise<T> {
      const answer = withRedisClient({ ...as, host: "127.0.0.1", port }, (client) =>
        client.sendCommand(words),
      );
      return (await answer) as T;
    },
    async restart() {
      await end("SIGTERM");
      await launch();
    },
    kill: () => end("SIGKILL"),
    logText: () => readFile(paths.log, "utf8"),
    configText: () => readFile(paths.config, "utf8"),
    async stop() {
      await end("SIGKILL");
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Listening is not enough while a big file loads, but these servers start empty. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const isOpen = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "error").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return isOpen;
}
