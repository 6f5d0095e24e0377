/**
 * Pages in a bucket that keeps every version. The link leads to AWS's console: who opens it signs in as themselves, and it is
 * as good in a year. A presigned link would let in whoever reads the channel, and would be dead with the session of the role
 * that signed it, hours later.
 */
import { RekeyError } from "../errors.ts";
import type { Pages } from "../incident/pages.ts";
import { awsError, CLIENT_OPTIONS, isSdkError } from "./awsCalls.ts";

/** @param region of the bucket, for the link */
export function s3Pages(bucket: string, region: string): Pages {
  const connected = connection();
  const keyOf = (name: string) => `post-mortems/${encodeURIComponent(name)}.md`;
  const placeOf = (name: string) => `s3://${bucket}/${keyOf(name)}`;
  return {
    async read(name) {
      const { client, GetObjectCommand } = await connected();
      try {
        const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(name) }));
        const bytes = (await got.Body?.transformToByteArray()) ?? new Uint8Array();
        const { ETag: tag = "", LastModified: storedAt = new Date(0) } = got;
        return { text: exactly(bytes, placeOf(name)), tag, storedAt };
      } catch (error) {
        if (isSdkError(error, "NoSuchKey")) return undefined;
        throw awsError(error, `read ${placeOf(name)}`);
      }
    },

    async write(name, text, over) {
      const { client, PutObjectCommand } = await connected();
      const ifUnchanged = over === undefined ? { IfNoneMatch: "*" } : { IfMatch: over };
      const page = { Body: text, ContentType: "text/markdown; charset=utf-8" };
      try {
        await client.send(
          new PutObjectCommand({ Bucket: bucket, Key: keyOf(name), ...page, ...ifUnchanged }),
        );
        return true;
      } catch (error) {
        // 412: it is another one by now. 409: somebody was writing at that moment. 404: what was to be replaced is gone.
        if (isSdkError(error, "PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")) return false;
        throw awsError(error, `write ${placeOf(name)}`);
      }
    },

    placeOf,

    linkTo(name) {
      const prefix = encodeURIComponent(keyOf(name));
      return `https://${region}.console.aws.amazon.com/s3/object/${bucket}?region=${region}&prefix=${prefix}`;
    },
  };
}

type Loaded = typeof import("./s3Client.ts");
type Connected = Pick<Loaded, "GetObjectCommand" | "PutObjectCommand"> & {
  readonly client: InstanceType<Loaded["S3Client"]>;
};

function connection() {
  let made: Promise<Connected> | undefined;
  return () => {
    made ??= import("./s3Client.ts").then(({ S3Client, GetObjectCommand, PutObjectCommand }) => ({
      client: new S3Client(CLIENT_OPTIONS),
      GetObjectCommand,
      PutObjectCommand,
    }));
    return made;
  };
}

/** Bytes that would not come back as they were are somebody's, and are not written over. */
function exactly(bytes: Uint8Array, place: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    const message = `${place} is not UTF-8, and was left as it is; save it as UTF-8 and ask again`;
    throw new RekeyError("RECORD_INVALID", message, { cause: error });
  }
}
