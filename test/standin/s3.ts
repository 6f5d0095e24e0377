/**
 * Files in S3, as far as somebody reads and writes them: GetObject and PutObject by path, signed for S3, with the conditions of
 * a write. Whatever else is asked is refused, so that no call goes unnoticed. Reads and writes of files are data events, and
 * leave no record.
 */
import { createHash, randomUUID } from "node:crypto";
import type { Route } from "./server.ts";

const SIGNED = /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/[a-z0-9-]+\/s3\/aws4_request, SignedHeaders=/;

interface StoredFile {
  readonly contents: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly at: Date;
}

const GZIPPED = { "content-type": "application/json", "content-encoding": "gzip" };

export class S3 {
  /** Where it is reached; the path style of a bucket's address follows. */
  static readonly PATH = "/s3/";
  /** Bucket -> key -> what was stored there, oldest first. */
  readonly buckets = new Map<string, Map<string, StoredFile[]>>();
  /** `unanswered`: the next write takes effect, and nobody hears of it. */
  mood: "served" | "forbidden" | "broken off" | "unanswered" = "served";
  /** `bucket/key` of every file that was asked for. */
  readonly asked: string[] = [];

  put(bucket: string, key: string, contents: Buffer, headers: StoredFile["headers"] = GZIPPED): void {
    const files = this.buckets.get(bucket) ?? new Map<string, StoredFile[]>();
    const versions = [...(files.get(key) ?? []), { contents, headers, at: new Date() }];
    this.buckets.set(bucket, files.set(key, versions));
  }

  /** As text, oldest first. */
  versions(bucket: string, key: string): string[] {
    return (this.buckets.get(bucket)?.get(key) ?? []).map(({ contents }) => contents.toString("utf8"));
  }

  readonly route: Route = (request, body, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://s3.invalid");
    const [bucket = "", ...rest] = pathname.slice(S3.PATH.length).split("/");
    const key = decodeURIComponent(rest.join("/"));
    const refuse = (status: number, code: string) => {
      response.writeHead(status, { "content-type": "application/xml", "x-amz-request-id": randomUUID() });
      response.end(
        `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`,
      );
    };
    const operation = `${request.method} ${searchParams.get("x-id")}`;
    const isKnown = operation === "GET GetObject" || operation === "PUT PutObject";
    if (!isKnown || key === "" || request.headers["content-encoding"] === "aws-chunked")
      return refuse(501, "NotImplemented");
    if (!SIGNED.test(request.headers.authorization ?? "")) return refuse(403, "AccessDenied");
    this.asked.push(`${bucket}/${key}`);
    if (this.mood === "forbidden") return refuse(403, "AccessDenied");
    const files = this.buckets.get(bucket);
    const file = files?.get(key)?.at(-1);
    if (files === undefined) return refuse(404, "NoSuchBucket");
    if (operation === "PUT PutObject") {
      const { "if-match": match, "if-none-match": noneMatch } = request.headers;
      if (match !== undefined && file === undefined) return refuse(404, "NoSuchKey");
      if (noneMatch !== undefined && noneMatch !== "*") return refuse(501, "NotImplemented");
      if ((noneMatch === "*" && file) || (match !== undefined && file && match !== etagOf(file)))
        return refuse(412, "PreconditionFailed");
      this.put(bucket, key, body, {
        "content-type": request.headers["content-type"] ?? "binary/octet-stream",
      });
      const stored = files.get(key)?.at(-1);
      if (this.mood === "unanswered") {
        this.mood = "served";
        response.destroy();
        return;
      }
      response.writeHead(200, { etag: stored ? etagOf(stored) : "", "x-amz-request-id": randomUUID() }).end();
      return;
    }
    if (file === undefined) return refuse(404, "NoSuchKey");
    const { contents, headers, at } = file;
    response.writeHead(200, {
      ...headers,
      "content-length": contents.length,
      etag: etagOf(file),
      "last-modified": at.toUTCString(),
      "x-amz-request-id": randomUUID(),
    });
    if (this.mood === "broken off") {
      response.write(contents.subarray(0, contents.length >> 1), () => response.destroy());
      return;
    }
    response.end(contents);
  };
}

const etagOf = ({ contents }: StoredFile) => `"${createHash("md5").update(contents).digest("hex")}"`;
