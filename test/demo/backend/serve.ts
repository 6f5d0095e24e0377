/** A small HTTP server: ready when its stores are, answers JSON, and on SIGTERM finishes what it has begun. */
import { createServer, type IncomingMessage } from "node:http";

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

export interface Service {
  readonly generation: string;
  handle(request: IncomingMessage): Promise<Answer>;
  close(): Promise<void>;
}

export function serve(service: Service): void {
  const server = createServer((request, response) => {
    const answer = request.url === "/health" ? Promise.resolve({ status: 200, body: {} }) : service.handle(request);
    answer
      .catch((error: unknown): Answer => ({ status: 500, body: { error: error instanceof Error ? error.name : "unknown" } }))
      .then(({ status, body }: Answer) => {
        response.writeHead(status, { "content-type": "application/json", "x-generation": service.generation });
        response.end(JSON.stringify(body ?? {}));
      });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(Number(process.env["PORT"]), "127.0.0.1");
  process.once("SIGTERM", () => {
    server.close(() => service.close().finally(() => process.exit(0)));
    server.closeIdleConnections();
  });
}
