/**
 * Bundles the Lambda handlers that serverless.yml names, one CommonJS file each, and their drivers. The deployment, the tests and the local
 * cloud all run what comes out of here, so that what was tested is what is deployed.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuildOptions as BuildSettings, build, type Metafile, type Plugin } from "esbuild";
import { readPages } from "./lib/adapters/runbookFiles.ts";
import { compileRunbooks } from "./lib/incident/compile.ts";

const ROOT = import.meta.dirname;

const OPTIONS = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: "node",
  target: "node24",
  format: "cjs",
  mainFields: ["module", "main"],
  // Both are optional accelerators that the driver asks for and does without.
  external: ["pg-native", "cloudflare:sockets"],
  // An import() of a file of ours becomes a require, which finds the names that the file exports.
  supported: { "dynamic-import": false },
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  logLevel: "silent",
} as const satisfies BuildSettings;

export interface BuildOptions {
  /** Where the bundles go, as `handlers/<name>.cjs` below it. */
  readonly outDir?: string;
  /** This function alone. */
  readonly only?: string;
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
  const names = (await functionNames()).filter((name) => only === undefined || name === only);
  await Promise.all(
    Object.entries(DRIVERS).map(([name, file]) => bundleDriver(name, join(outDir, "handlers", file))),
  );
  const bundles = await Promise.all(
    names.map((name) =>
      bundle(join(ROOT, "handlers", `${name}.ts`), join(outDir, "handlers", `${name}.cjs`)),
    ),
  );
  return Object.fromEntries(names.map((name, at) => [name, bundles[at]?.file ?? ""]));
}

/**
 * What is loaded on first use, each in a file of its own beside the handlers: in the handler's file, even unused, it would
 * be read at every cold start.
 */
export const DRIVERS: Readonly<Record<string, string>> = {
  "@redis/client": "driver-redis.cjs",
  pg: "driver-pg.cjs",
  "@slack/web-api": "driver-slack.cjs",
  "./iamClients.ts": "driver-iam.cjs",
  "./lambdaClient.ts": "driver-lambda.cjs",
  "./s3Client.ts": "driver-s3.cjs",
  "./runbookFiles.ts": "driver-runbooks.cjs",
  "./snsClient.ts": "driver-sns.cjs",
};

const driversApart: Plugin = {
  name: "drivers-apart",
  setup(building) {
    building.onResolve({ filter: /.*/ }, ({ kind, path }) => {
      const file = kind === "dynamic-import" ? DRIVERS[path] : undefined;
      return file === undefined ? undefined : { path: `./${file}`, external: true };
    });
  },
};

/** The runbooks stand in the bundle as what they compile to; a mistake in one fails the build as one in the source does. */
const runbooksCompiled: Plugin = {
  name: "runbooks-compiled",
  setup(building) {
    building.onLoad({ filter: /[\\/]lib[\\/]adapters[\\/]runbookFiles\.ts$/ }, () => {
      const { runbooks, problems } = compileRunbooks(readPages());
      return {
        contents: `const all = ${JSON.stringify(runbooks)};\nexport const runbooks = () => all;\n`,
        errors: problems.map(({ file, line, what, fix }) => ({
          text: `${what}; ${fix}`,
          location: { file, line, column: 0 },
        })),
        loader: "js",
      };
    });
  },
};

async function bundleDriver(name: string, file: string): Promise<void> {
  await build({
    ...OPTIONS,
    // A file of ours stands among the adapters; for a package it is all the same.
    stdin: {
      contents: `module.exports = require(${JSON.stringify(name)})`,
      resolveDir: join(ROOT, "lib", "adapters"),
    },
    outfile: file,
    plugins: [runbooksCompiled],
  });
}

/**
 * `.cjs` because `sls invoke local` does not load `.mjs`. No `conditions`: `module` entry points through `mainFields` give
 * the AWS clients 370 KiB, with `conditions` it is 510. Names are kept whole: stack traces are read by people.
 */
export async function bundle(entry: string, file: string): Promise<Bundle> {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile: file,
    ...OPTIONS,
    plugins: [driversApart, runbooksCompiled],
    metafile: true,
  });
  return { file, metafile };
}

/** From `handler: handlers/<name>.handler`; a function is called as its file. */
export async function functionNames(): Promise<string[]> {
  const yaml = await readFile(join(ROOT, "serverless.yml"), "utf8");
  return [...yaml.matchAll(/^\s+handler:\s*handlers\/(\w+)\.handler\s*$/gm)].map(([, name = ""]) => name);
}
