/** A file's contents, whether it is zipped or not. */
import { gunzipSync } from "node:zlib";

/** A trail's files have some 50 MB at the most; what unpacks to more than this was made to fill the memory. */
const LARGEST_BYTES = 2 ** 30;
const [LEAST_CHUNK_BYTES, MOST_CHUNK_BYTES] = [2 ** 14, 2 ** 26];

/** @throws Error if the file is broken, or has more than a gibibyte in it */
export function unzipped(file: Buffer): Buffer {
  if (file[0] !== 0x1f || file[1] !== 0x8b) return file;
  // The last four bytes tell the size. With room for all of it, nothing is copied together from pieces afterwards; a file
  // that tells another size than it has is unpacked all the same.
  const told = file.length < 4 ? 0 : file.readUInt32LE(file.length - 4) + 1;
  const chunkSize = Math.min(Math.max(told, LEAST_CHUNK_BYTES), MOST_CHUNK_BYTES);
  return gunzipSync(file, { chunkSize, maxOutputLength: LARGEST_BYTES });
}
