/** Processes that run the built handlers and can be killed; one is always kept warm for when the one at work has died. */
import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Order } from "./runner.ts";

const RUNNER = fileURLToPath(new URL("./runner.ts", import.meta.url));

export interface Invoked {
  readonly payload?: unknown;
  readonly failure?: { readonly errorType: string; readonly errorMessage: string };
  readonly died?: boolean;
}

export class Worker {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  readonly #ready: Promise<unknown>;
  /** What it wrote. */
  readonly log: string[] = [];

  constructor(files: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = fork(RUNNER, [...files], {
      env: { ...env },
      execArgv: ["--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (chunk) => this.log.push(String(chunk)));
    this.#gone = once(this.#child, "exit");
    this.#ready = once(this.#child, "message");
  }

  get isDead(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async invoke(name: string, event: unknown, timeoutMs: number): Promise<Invoked> {
    await Promise.race([this.#ready, this.#gone]);
    if (this.isDead) return { died: true };
    const answer = once(this.#child, "message").then(([message]) => message as Invoked);
    const died = this.#gone.then((): Invoked => ({ died: true }));
    const order: Order = { name, event, timeoutMs, requestId: randomUUID() };
    this.#child.send(order, () => undefined);
    return Promise.race([answer, died]);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }
}

export class Workers {
  readonly #files: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  #atWork: Worker;
  #spare: Worker;

  /** @param bundles as `builtHandlers` returns them */
  constructor(bundles: Readonly<Record<string, string>>, env: Readonly<Record<string, string>>) {
    this.#files = ["rotateAll", "advance"].map((name) => bundles[name] ?? "");
    this.#env = env;
    this.#atWork = new Worker(this.#files, env);
    this.#spare = new Worker(this.#files, env);
  }

  /** The one at work, or its successor if it has died. */
  get current(): Worker {
    if (this.#atWork.isDead) {
      this.#atWork = this.#spare;
      this.#spare = new Worker(this.#files, this.#env);
    }
    return this.#atWork;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#atWork.kill(), this.#spare.kill()]);
  }
}
