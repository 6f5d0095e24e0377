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
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    try {
      return request.url === "/health" ? { status: 200 } : await service.handle(request);
    } catch (error) {
      return { status: 500, body: { error: error instanceof Error ? error.name : "unknown" } };
    }
  };
  let isEnding = false;
  const server = createServer(async (request, response) => {
    const { status, body } = await answer(request);
    // Kept alive, the connection of a request that was in flight would hold the server open until its client leaves.
    if (isEnding) response.setHeader("connection", "close");
    response.writeHead(status, { "content-type": "application/json", "x-generation": service.generation });
    response.end(JSON.stringify(body ?? {}));
  });
  server.keepAliveTimeout = 60_000;
  server.listen(Number(process.env["PORT"]), "127.0.0.1");
  process.once("SIGTERM", () => {
    isEnding = true;
    server.close(() => service.close().finally(() => process.exit(0)));
    server.closeIdleConnections();
  });
}
