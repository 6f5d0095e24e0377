/**
 * Whether a container answers: `GET` of a path for a health check of the form ["CMD","http","/health"], an accepted
 * connection for a port without one. One question, one answer; how often to ask is the task runner's business.
 */
import { get } from "node:http";
import { connect, createServer } from "node:net";
import type { ContainerDefinition } from "@aws-sdk/client-ecs";

export interface Probe {
  readonly port: number;
  /** Undefined: it is enough that the port accepts. */
  readonly path: string | undefined;
}

export function probeOf(container: ContainerDefinition, port: number | undefined): Probe | undefined {
  if (port === undefined) return undefined;
  const [, kind, path] = container.healthCheck?.command ?? [];
  return { port, path: kind === "http" ? (path ?? "/") : undefined };
}

export function answers(probe: Probe, timeoutMs: number): Promise<boolean> {
  return probe.path === undefined
    ? accepts(probe.port, timeoutMs)
    : getsOk(probe.port, probe.path, timeoutMs);
}

function getsOk(port: number, path: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    // No agent: a kept connection would hold up the container's own orderly shutdown.
    const request = get({ host: "127.0.0.1", port, path, agent: false, timeout: timeoutMs }, (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      resolve(status >= 200 && status < 400);
    });
    request.once("timeout", () => request.destroy());
    request.once("error", () => resolve(false));
    request.once("close", () => resolve(false));
  });
}

function accepts(port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: timeoutMs });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(false));
    socket.once("error", () => settle(false));
  });
}

const recent: number[] = [];

/** A port that was free a moment ago and that no task was lately given: two tasks may start in the same moment. */
export async function freePort(): Promise<number> {
  const port = await new Promise<number>((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
  if (recent.includes(port)) return freePort();
  recent.push(port);
  if (recent.length > 500) recent.shift();
  return port;
}
