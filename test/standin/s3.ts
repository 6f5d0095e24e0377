/**
 * Files in S3, as far as somebody reads them: GetObject by path, signed for S3. Whatever else is asked is refused, so that no
 * call goes unnoticed. Reads of files are data events, and leave no record.
 */
import { createHash, randomUUID } from "node:crypto";
import type { Route } from "./server.ts";

const SIGNED = /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/[a-z0-9-]+\/s3\/aws4_request, SignedHeaders=/;

export class S3 {
  /** Where it is reached; the path style of a bucket's address follows. */
  static readonly PATH = "/s3/";
  /** Bucket -> key -> contents. */
  readonly buckets = new Map<string, Map<string, Buffer>>();
  mood: "served" | "forbidden" | "broken off" = "served";
  /** `bucket/key` of every file that was asked for. */
  readonly asked: string[] = [];

  put(bucket: string, key: string, contents: Buffer): void {
    const files = this.buckets.get(bucket) ?? new Map<string, Buffer>();
    this.buckets.set(bucket, files.set(key, contents));
  }

  readonly route: Route = (request, _body, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://s3.invalid");
    const [bucket = "", ...rest] = pathname.slice(S3.PATH.length).split("/");
    const key = decodeURIComponent(rest.join("/"));
    const refuse = (status: number, code: string) => {
      response.writeHead(status, { "content-type": "application/xml", "x-amz-request-id": randomUUID() });
      response.end(
        `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`,
      );
    };
    if (request.method !== "GET" || key === "" || searchParams.get("x-id") !== "GetObject")
      return refuse(501, "NotImplemented");
    if (!SIGNED.test(request.headers.authorization ?? "")) return refuse(403, "AccessDenied");
    this.asked.push(`${bucket}/${key}`);
    if (this.mood === "forbidden") return refuse(403, "AccessDenied");
    const files = this.buckets.get(bucket);
    const contents = files?.get(key);
    if (contents === undefined) return refuse(404, files === undefined ? "NoSuchBucket" : "NoSuchKey");
    response.writeHead(200, {
      "content-type": "application/json",
      "content-encoding": "gzip",
      "content-length": contents.length,
      etag: `"${createHash("md5").update(contents).digest("hex")}"`,
      "last-modified": new Date().toUTCString(),
      "x-amz-request-id": randomUUID(),
    });
    if (this.mood === "broken off") {
      response.write(contents.subarray(0, contents.length >> 1), () => response.destroy());
      return;
    }
    response.end(contents);
  };
}
