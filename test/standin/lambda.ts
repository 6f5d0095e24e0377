/** Lambda: each invocation of a registered bundle runs in a fresh process, is killed at its time limit, and leaves its log. */
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Route } from "./server.ts";

const RUNNER = fileURLToPath(new URL("./lambdaRunner.mjs", import.meta.url));

export interface LambdaFunction {
  readonly bundle: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
}

export interface InvocationResult {
  readonly payload?: unknown;
  readonly failure?: { readonly errorType: string; readonly errorMessage: string };
  readonly log: readonly string[];
}

export interface RunningInvocation {
  /** Of the process that runs it; undefined if none could be started. */
  readonly pid: number | undefined;
  readonly result: Promise<InvocationResult>;
  kill(): void;
}

export class Lambda {
  /** `line` (function name, text): what a function writes, as it writes it. */
  readonly emitter = new EventEmitter<{ line: [string, string] }>();
  readonly #functions = new Map<string, LambdaFunction>();
  readonly #running = new Set<RunningInvocation>();

  register(name: string, definition: LambdaFunction): void {
    this.#functions.set(name, definition);
  }

  /** The short name behind a deployed one or an ARN. */
  find(full: string): string | undefined {
    const deployed = full.split(":")[6] ?? full;
    return [...this.#functions.keys()].find((one) => deployed === one || deployed.endsWith(`-${one}`));
  }

  start(name: string, event: unknown): RunningInvocation {
    const definition = this.#functions.get(name);
    if (!definition) throw new Error(`no function ${name} is registered`);
    const timeoutMs = definition.timeoutSeconds * 1000;
    const child = fork(RUNNER, [], {
      env: { ...definition.env },
      execArgv: [`--max-old-space-size=${definition.memoryMb}`, "--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "json",
    });
    const log: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on("line", (line) => {
        log.push(line);
        this.emitter.emit("line", name, line);
      });
    }
    const result = new Promise<InvocationResult>((resolve) => {
      let outcome: Omit<InvocationResult, "log"> | undefined;
      const timer = setTimeout(() => {
        const seconds = definition.timeoutSeconds.toFixed(2);
        outcome = {
          failure: { errorType: "Sandbox.Timedout", errorMessage: `Task timed out after ${seconds} seconds` },
        };
        child.kill("SIGKILL");
      }, timeoutMs);
      child.once("message", (message: Omit<InvocationResult, "log">) => {
        outcome = message;
      });
      child.once("close", () => {
        clearTimeout(timer);
        this.#running.delete(running);
        const died = { failure: { errorType: "Runtime.ExitError", errorMessage: "Runtime exited" } };
        resolve({ ...(outcome ?? died), log });
      });
    });
    const running: RunningInvocation = { pid: child.pid, result, kill: () => child.kill("SIGKILL") };
    this.#running.add(running);
    child.send({ bundle: definition.bundle, name, event, timeoutMs, requestId: randomUUID() });
    return running;
  }

  invoke(name: string, event: unknown): Promise<InvocationResult> {
    return this.start(name, event).result;
  }

  /** `POST /2015-03-31/functions/<name>/invocations`, by the deployed name (`rekey-dev-rotateAll`) or the short one. */
  readonly route: Route = async (request, body, response) => {
    const full = /functions\/([^/]+)\/invocations/.exec(request.url ?? "")?.[1] ?? "";
    const name = this.find(full);
    if (!name) {
      response
        .writeHead(404, { "x-amzn-errortype": "ResourceNotFoundException" })
        .end(`{"Message":"Function not found: ${full}"}`);
      return;
    }
    const event = body.length === 0 ? {} : JSON.parse(body.toString("utf8"));
    if (request.headers["x-amz-invocation-type"] === "Event") {
      this.start(name, event);
      response.writeHead(202).end();
      return;
    }
    const { payload, failure } = await this.invoke(name, event);
    const headers = {
      "content-type": "application/json",
      ...(failure ? { "x-amz-function-error": "Unhandled" } : {}),
    };
    response.writeHead(200, headers).end(JSON.stringify(failure ?? payload ?? null));
  };

  async stop(): Promise<void> {
    const running = [...this.#running];
    for (const invocation of running) invocation.kill();
    await Promise.all(running.map(({ result }) => result));
  }
}
