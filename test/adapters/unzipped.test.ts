import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { unzipped } from "../../lib/adapters/unzipped.ts";

const TEXT = '{"Records":[]}'.repeat(10_000);
const zipped = gzipSync(TEXT);

/** The size that a zipped file tells stands in its last four bytes. */
function telling(bytes: number): Buffer {
  const file = Buffer.from(zipped);
  file.writeUInt32LE(bytes, file.length - 4);
  return file;
}

describe("a file's contents are read", () => {
  test.each<[string, Buffer, string]>([
    ["as they are, if it is not zipped", Buffer.from(TEXT), TEXT],
    ["of a zipped file", zipped, TEXT],
    ["of an empty one", gzipSync(""), ""],
    ["of two that were put together", Buffer.concat([zipped, gzipSync("the end")]), `${TEXT}the end`],
    ["of nothing", Buffer.alloc(0), ""],
  ])("%s", (_how, file, text) => {
    expect(unzipped(file).toString()).toBe(text);
  });
});

describe("a file is refused", () => {
  test.each<[string, Buffer, RegExp]>([
    ["that was cut off", zipped.subarray(0, 100), /unexpected end of file/],
    ["of which two bytes are left", zipped.subarray(0, 2), /unexpected end of file/],
    ["that tells a size which it has not", telling(7), /incorrect length check/],
    ["that tells a size which no memory has", telling(2 ** 32 - 1), /incorrect length check/],
  ])("%s", (_which, file, why) => {
    expect(() => unzipped(file)).toThrow(why);
  });

  test("that unpacks to more than it may, before it has done so", () => {
    expect(() => unzipped(zipped, 1_000)).toThrow(/larger than 1000 bytes/);
    expect(() => unzipped(telling(7), 1_000)).toThrow(/larger than 1000 bytes/);
    expect(unzipped(zipped, TEXT.length).toString()).toBe(TEXT);
  });
});
