/**
 * The handlers as they are deployed, built once for each state of the source and kept: a test run starts a dozen worlds,
 * and each would build the same for seconds.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { buildHandlers } from "../build.ts";

const ROOT = resolve(import.meta.dirname, "..");
const KEPT = join(ROOT, ".build", "tested");
const MADE_FROM = [
  "build.ts",
  "package-lock.json",
  "serverless.yml",
  "{lib,handlers}/**/*.ts",
  "runbooks/*.md",
];

/** @returns function name -> path of its bundle */
export async function builtHandlers(): Promise<Record<string, string>> {
  const folder = join(KEPT, fingerprint());
  if (!existsSync(folder)) await build(folder);
  const names = globSync("*.cjs", {
    cwd: join(folder, "handlers"),
    exclude: (file) => file.startsWith("driver-"),
  });
  return Object.fromEntries(
    names.map((file) => [file.replace(/\.cjs$/, ""), join(folder, "handlers", file)]),
  );
}

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const file of globSync(MADE_FROM, { cwd: ROOT }).toSorted())
    hash.update(`${file}\0`).update(readFileSync(join(ROOT, file)));
  return hash.digest("hex").slice(0, 16);
}

/** Built aside and moved as one, because two test files may want it at once. */
async function build(folder: string): Promise<void> {
  await mkdir(KEPT, { recursive: true });
  const aside = await mkdtemp(`${folder}-`);
  await buildHandlers({ outDir: aside });
  try {
    await rename(aside, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    await rm(aside, { recursive: true });
  }
}
