/**
 * A trail's files in S3. No more is taken into memory than the function has: a file that is larger, zipped or unzipped, is
 * given up as soon as it is seen to be. CloudTrail writes files of a few megabytes, and begins another one before they grow.
 */
import type { TrailFile, TrailFiles } from "../detection/trailFiles.ts";
import { awsError, CLIENT_OPTIONS } from "./awsCalls.ts";
import { unzipped } from "./unzipped.ts";

export interface Bounds {
  readonly zippedBytes: number;
  readonly unzippedBytes: number;
}

const BOUNDS: Bounds = { zippedBytes: 2 ** 25, unzippedBytes: 2 ** 27 };

export function s3TrailFiles(bounds: Bounds = BOUNDS): TrailFiles {
  const connected = connection();
  return {
    async read(bucket, key) {
      const { client, GetObjectCommand } = await connected();
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        // In Node it is a stream; the other kinds are the browser's.
        const bytes = await upTo(bounds.zippedBytes, Body as unknown as AsyncIterable<Uint8Array>);
        return bytes === undefined ? tooLarge("", bounds.zippedBytes) : open(bytes, bounds.unzippedBytes);
      } catch (error) {
        throw awsError(error, `read the trail's file s3://${bucket}/${key}`);
      }
    },
  };
}

function connection() {
  let made:
    | Promise<Pick<typeof import("./s3Client.ts"), "GetObjectCommand"> & { client: Client }>
    | undefined;
  return () => {
    made ??= import("./s3Client.ts").then(({ S3Client, GetObjectCommand }) => ({
      client: new S3Client(CLIENT_OPTIONS),
      GetObjectCommand,
    }));
    return made;
  };
}

type Client = InstanceType<typeof import("./s3Client.ts").S3Client>;

/** @returns undefined if there are more; who leaves the loop closes the connection */
async function upTo(most: number, body: AsyncIterable<Uint8Array>): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function open(bytes: Buffer, most: number): TrailFile {
  try {
    return { bytes: unzipped(bytes, most) };
  } catch (error) {
    const isTooLarge = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    return isTooLarge ? tooLarge(" unzipped", most) : { broken: "the file is cut off or damaged" };
  }
}

const tooLarge = (how: string, most: number): TrailFile => ({
  broken: `the file has more than ${most} bytes${how}`,
});
