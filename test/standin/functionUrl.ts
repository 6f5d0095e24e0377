/** Function URLs: HTTP in, the event of a function URL to the registered function, its answer out. By `/function-url/<name>`. */
import { randomUUID } from "node:crypto";
import type { Lambda } from "./lambda.ts";
import type { Route } from "./server.ts";

export const FUNCTION_URLS = "/function-url/";

interface Answer {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

export function functionUrls(lambda: Lambda): Route {
  return async (request, body, response) => {
    const { pathname, search } = new URL(request.url ?? "", "http://localhost");
    const [full = "", ...path] = pathname.slice(FUNCTION_URLS.length).split("/");
    const name = lambda.find(full);
    if (name === undefined) {
      response.writeHead(404).end('{"Message":null}');
      return;
    }
    const { method = "GET", headers } = request;
    const type = headers["content-type"] ?? "";
    // As Lambda does: what it does not know to be text arrives encoded, Slack's forms among it.
    const isText = /^(text\/|application\/(json|javascript|xml))/.test(type);
    const rawPath = `/${path.join("/")}`;
    const { payload, failure } = await lambda.invoke(name, {
      version: "2.0",
      routeKey: "$default",
      rawPath,
      rawQueryString: search.slice(1),
      headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, String(value)])),
      requestContext: {
        accountId: "anonymous",
        domainName: "local",
        http: { method, path: rawPath, protocol: "HTTP/1.1", sourceIp: "127.0.0.1" },
        requestId: randomUUID(),
        stage: "$default",
      },
      ...(body.length > 0 ? { body: body.toString(isText ? "utf8" : "base64") } : {}),
      isBase64Encoded: body.length > 0 && !isText,
    });
    if (failure) {
      response.writeHead(502).end("Internal Server Error");
      return;
    }
    const answer = (payload ?? {}) as Answer;
    const content = Buffer.from(answer.body ?? "", answer.isBase64Encoded ? "base64" : "utf8");
    response.writeHead(answer.statusCode ?? 200, answer.headers).end(content);
  };
}
