/**
 * The stand-in's one HTTP door. AWS JSON 1.1 by `x-amz-target`, Lambda invocations and Slack methods by path, DynamoDB
 * handed on to an emulator. Token buckets answer as AWS throttles, and every AWS call is reported to one observer, from
 * which CloudTrail is made.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { AwsError, type AwsService, type Caller } from "./service.ts";

export interface ServedCall {
  readonly service: AwsService;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly error?: AwsError;
  /** What was answered; holds values. */
  readonly output?: unknown;
  readonly caller: Caller;
  readonly requestId: string;
  readonly at: Date;
}

export type Route = (
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
) => void | Promise<void>;

export interface ServerOptions {
  readonly services: () => readonly AwsService[];
  /** By the beginning of the path. */
  readonly routes: Readonly<Record<string, Route>>;
  readonly dynamoPort: number;
  readonly principalOf: (accessKeyId: string) => string;
  readonly throttles: boolean;
  /** Milliseconds, for the rates; the machine's own when left out. */
  readonly now?: () => number;
  readonly onCall: (call: ServedCall) => void;
}

export interface Door {
  readonly endpoint: string;
  stop(): Promise<void>;
}

class Bucket {
  #tokens: number;
  #filledAt: number;
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #now: () => number;

  constructor(burst: number, perSecond: number, now = () => performance.now()) {
    this.#now = now;
    this.#filledAt = now();
    this.#tokens = burst;
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  take(): boolean {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

export async function startServer(options: ServerOptions): Promise<Door> {
  const buckets = new WeakMap<object, Bucket>();
  const toDynamo = new Agent({ keepAlive: true });

  function throttle(service: AwsService, operation: string): void {
    if (!options.throttles) return;
    for (const limit of service.limits.filter(({ operations }) => operations.includes(operation))) {
      const bucket = buckets.get(limit) ?? new Bucket(limit.burst, limit.perSecond, options.now);
      buckets.set(limit, bucket);
      if (!bucket.take()) throw new AwsError("ThrottlingException", "Rate exceeded");
    }
  }

  async function serveAws(target: string, request: IncomingMessage, body: Buffer, response: ServerResponse) {
    const [prefix = "", operation = ""] = target.split(".");
    const service = options.services().find(({ targetPrefix }) => targetPrefix === prefix);
    const run =
      service && Object.hasOwn(service.operations, operation) ? service.operations[operation] : undefined;
    const requestId = randomUUID();
    const accessKey = /Credential=([^/]+)\//.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const address = request.headers["x-forwarded-for"];
    const caller = {
      principalArn: options.principalOf(accessKey),
      userAgent: request.headers["user-agent"] ?? "",
      ...(typeof address === "string" ? { address } : {}),
    };
    const answer = (status: number, content: unknown) => {
      response.writeHead(status, {
        "content-type": "application/x-amz-json-1.1",
        "x-amzn-requestid": requestId,
      });
      response.end(JSON.stringify(content));
    };
    if (!service || !run) {
      return answer(400, { __type: "UnknownOperationException", message: `${target} is not served` });
    }
    const input = parseBody(body);
    if (input === undefined)
      return answer(400, { __type: "SerializationException", message: "the body is not JSON" });
    const call = { service, operation, input, caller, requestId, at: new Date() };
    try {
      throttle(service, operation);
      const output = await run(call.input, caller);
      options.onCall({ ...call, output });
      answer(200, output ?? {});
    } catch (error) {
      const known =
        error instanceof AwsError ? error : new AwsError("InternalServerError", `${operation} crashed`, 500);
      options.onCall({ ...call, error: known });
      answer(known.status, { __type: known.type, message: known.message, Message: known.message });
    }
  }

  function handOn(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const { host: _, ...headers } = request.headers;
    const there = {
      host: "127.0.0.1",
      port: options.dynamoPort,
      method: request.method,
      path: request.url,
      headers,
      agent: toDynamo,
    };
    const handed = httpRequest(there, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    handed.on("error", () => response.destroy());
    handed.end(body);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const target = request.headers["x-amz-target"];
    if (typeof target === "string") {
      if (target.startsWith("DynamoDB_")) handOn(request, body, response);
      else await serveAws(target, request, body, response);
      return;
    }
    const route = Object.entries(options.routes).find(([path]) => request.url?.startsWith(path))?.[1];
    if (route) await route(request, body, response);
    else response.writeHead(404).end();
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async stop() {
      toDynamo.destroy();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function parseBody(body: Buffer): Record<string, unknown> | undefined {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString("utf8"));
  } catch {
    // What the caller is told of it is an answer of its own.
    return undefined;
  }
}
