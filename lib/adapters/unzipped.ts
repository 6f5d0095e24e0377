/** A file's contents, whether it is zipped or not. */
import { gunzipSync } from "node:zlib";

/** As much as one text can have. A trail's files are far smaller; what unpacks to more was made to fill the memory. */
const LARGEST_BYTES = 2 ** 29;
const [LEAST_CHUNK_BYTES, MOST_CHUNK_BYTES] = [2 ** 14, 2 ** 26];

/** @throws Error if the file is broken, or has more than `largestBytes` in it */
export function unzipped(file: Buffer, largestBytes = LARGEST_BYTES): Buffer {
  if (file[0] !== 0x1f || file[1] !== 0x8b) return file;
  // The last four bytes tell the size. With room for all of it, nothing is put together from pieces afterwards; a file that
  // tells less or more than it has is unpacked all the same.
  const told = file.length < 4 ? 0 : file.readUInt32LE(file.length - 4) + 1;
  const chunkSize = Math.min(Math.max(told, LEAST_CHUNK_BYTES), MOST_CHUNK_BYTES);
  return gunzipSync(file, { chunkSize, maxOutputLength: largestBytes });
}
