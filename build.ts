/**
 * Bundles the Lambda handlers that serverless.yml names, one CommonJS file each. The deployment, the tests and the local
 * cloud all run what comes out of here, so that what was tested is what is deployed.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";

const ROOT = import.meta.dirname;

export interface BuildOptions {
  /** Where the bundles go, as `handlers/<name>.cjs` below it. */
  readonly outDir?: string;
  /** Only these functions. */
  readonly only?: readonly string[];
}

export interface Bundle {
  readonly file: string;
  readonly metafile: Metafile;
}

/**
 * @returns function name -> path of its bundle
 * @throws Error whose message has `file:line:column: ERROR: what` on a line for everything that does not compile
 */
export async function buildHandlers(options: BuildOptions = {}): Promise<Record<string, string>> {
  const { outDir = join(ROOT, ".build"), only } = options;
  const names = (await functionNames()).filter((name) => only === undefined || only.includes(name));
  const bundles = await Promise.all(
    names.map((name) =>
      bundle(join(ROOT, "handlers", `${name}.ts`), join(outDir, "handlers", `${name}.cjs`)),
    ),
  );
  return Object.fromEntries(names.map((name, at) => [name, bundles[at]?.file ?? ""]));
}

/**
 * `.cjs` because `sls invoke local` does not load `.mjs`. No `conditions`: `module` entry points through `mainFields` give
 * the AWS clients 370 KiB, with `conditions` it is 510. Names are kept whole: stack traces are read by people.
 */
export async function bundle(entry: string, file: string): Promise<Bundle> {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile: file,
    absWorkingDir: ROOT,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    mainFields: ["module", "main"],
    // Both are optional accelerators that the driver asks for and does without.
    external: ["pg-native", "cloudflare:sockets"],
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    metafile: true,
    logLevel: "silent",
  });
  return { file, metafile };
}

/** From `handler: handlers/<name>.handler`; a function is called as its file. */
export async function functionNames(): Promise<string[]> {
  const yaml = await readFile(join(ROOT, "serverless.yml"), "utf8");
  return [...yaml.matchAll(/^\s+handler:\s*handlers\/(\w+)\.handler\s*$/gm)].map(([, name = ""]) => name);
}
