/**
 * The door in front of the local cloud: hands every request on, counts it, and does to one of them what was armed. After
 * the effect and before the answer is a place of its own: the cloud has acted by then, and the caller never hears of it.
 */
import { once } from "node:events";
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type ServerResponse,
} from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Injector, Target } from "./points.ts";
import type { StaleReads } from "./staleReads.ts";

const SERVICES: Readonly<Record<string, Target>> = {
  secretsmanager: "secretsmanager",
  AmazonEC2ContainerServiceV20141113: "ecs",
  DynamoDB_20120810: "dynamodb",
};

/** Silence before a caller's patience ends; the line is cut then. */
const TIMEOUT_MS = 200;

export interface Door {
  readonly endpoint: string;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export async function startWebDoor(upstream: string, injector: Injector, stale: StaleReads): Promise<Door> {
  const { hostname, port } = new URL(upstream);
  const agent = new Agent({ keepAlive: true });

  function handOn(method: string, path: string, headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({ hostname, port, method, path, headers, agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () =>
          resolve({
            status: response.statusCode ?? 500,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      request.once("error", reject);
      request.end(body);
    });
  }

  async function serve(
    call: { readonly target: Target; readonly operation: string },
    request: { method: string; path: string; headers: IncomingHttpHeaders; body: Buffer },
    response: ServerResponse,
  ): Promise<void> {
    const { target, operation } = call;
    const fault = injector.arrive(target, operation);
    const { method, path, headers, body } = request;
    if (fault === "kill-before") {
      await injector.kill();
      return;
    }
    if (fault === "throttle" || fault === "error-500") {
      refuse(response, target, fault);
      return;
    }
    const input = target === "secretsmanager" ? JSON.parse(body.toString("utf8") || "{}") : {};
    if (fault === "stale") stale.from(input);
    const old = target === "secretsmanager" ? stale.answer(operation, input) : undefined;
    if (old !== undefined) {
      response.writeHead(old.status, { "content-type": "application/x-amz-json-1.1" }).end(old.body);
      return;
    }
    const answer = await handOn(method, path, headers, body);
    if (fault === "kill-after") await injector.kill();
    else if (fault === "timeout") {
      await sleep(TIMEOUT_MS);
      response.destroy();
    } else {
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body);
    }
  }

  const server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const { method = "POST", url: path = "/", headers } = request;
      await serve(callOf(path, headers, body), { method, path, headers, body }, response);
    } catch {
      // The caller was killed, or the cloud is being stopped; either way nobody waits for an answer.
      response.destroy();
    }
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    endpoint: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    async stop() {
      agent.destroy();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function callOf(
  path: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
): { target: Target; operation: string } {
  const [prefix = "", operation = ""] = String(headers["x-amz-target"] ?? "").split(".");
  const target = SERVICES[prefix];
  if (target) return { target, operation };
  if (path.startsWith("/api/")) return { target: "slack", operation: path.slice("/api/".length) };
  // IAM and STS name the operation in a form.
  return { target: "iam", operation: new URLSearchParams(body.toString("utf8")).get("Action") ?? path };
}

/** As each service says it, so that the client's own retries know it. */
function refuse(response: ServerResponse, target: Target, how: "throttle" | "error-500"): void {
  const type = {
    "content-type": target === "dynamodb" ? "application/x-amz-json-1.0" : "application/x-amz-json-1.1",
  };
  const say = (status: number, body: object, headers: object = {}) =>
    response.writeHead(status, { ...type, ...headers }).end(JSON.stringify(body));
  if (target === "iam") {
    const [status, code] = how === "throttle" ? [400, "Throttling"] : [500, "InternalFailure"];
    const xml = `<ErrorResponse><Error><Code>${code}</Code><Message>planted</Message></Error></ErrorResponse>`;
    response.writeHead(status, { "content-type": "text/xml" }).end(xml);
  } else if (how === "error-500") {
    say(500, { __type: "InternalServerError", message: "planted" });
  } else if (target === "slack") {
    say(429, { ok: false, error: "ratelimited" }, { "content-type": "application/json", "retry-after": "1" });
  } else {
    say(400, { __type: "ThrottlingException", message: "Rate exceeded" });
  }
}
