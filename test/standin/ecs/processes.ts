/**
 * Containers as child processes, each the leader of its own process group so that whatever it starts dies with it. Not a
 * shell, and no secret in an argument: only the environment carries values. When this process ends in any way that it can
 * still notice, every group is killed.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";

export interface ContainerProcess {
  readonly pid: number;
  /** The exit code as a container runtime reports it: 128 + signal number when a signal ended it. */
  readonly exited: Promise<number>;
  /** SIGTERM, and SIGKILL to the whole group when it is still there after `stopTimeoutMs`. */
  end(stopTimeoutMs: number): Promise<number>;
}

const groups = new Set<number>();

/** @throws when the program cannot be started at all */
export async function startContainer(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
): Promise<ContainerProcess> {
  const [program, ...args] = command;
  if (program === undefined) throw new Error("the container has no command");
  const child = spawn(program, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const { promise: exited, resolve } = Promise.withResolvers<number>();
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", onLine);
  child.once("exit", (code, signal) => {
    const pid = child.pid ?? 0;
    killGroup(pid, "SIGKILL");
    forget(pid);
    resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
  });
  await new Promise<void>((started, failed) => {
    child.once("spawn", started);
    child.once("error", failed);
  });
  const pid = child.pid ?? 0;
  remember(pid);
  return {
    pid,
    exited,
    async end(stopTimeoutMs) {
      killGroup(pid, "SIGTERM");
      const timer = setTimeout(() => killGroup(pid, "SIGKILL"), stopTimeoutMs);
      const code = await exited;
      clearTimeout(timer);
      return code;
    },
  };
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    if (pid > 0) process.kill(-pid, signal);
  } catch {
    // Nobody left in the group: what was to be reached.
  }
}

function killAll(): void {
  for (const pid of groups) killGroup(pid, "SIGKILL");
  groups.clear();
}

function killAllAndPassOn(signal: NodeJS.Signals): void {
  killAll();
  unhook();
  // Listening took the signal's default effect away; nobody else listens, so it is given back.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function remember(pid: number): void {
  if (groups.size === 0) {
    process.on("exit", killAll);
    for (const signal of SIGNALS) process.on(signal, killAllAndPassOn);
  }
  groups.add(pid);
}

function forget(pid: number): void {
  groups.delete(pid);
  if (groups.size === 0) unhook();
}

function unhook(): void {
  process.off("exit", killAll);
  for (const signal of SIGNALS) process.off(signal, killAllAndPassOn);
}
