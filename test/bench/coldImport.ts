/**
 * What a cold start pays for Rekey's own code: the time to load each handler's bundle, against a bundle of nothing but the
 * same AWS clients. Each load happens in a fresh process, the two kinds by turns, so that a busy machine slows both alike.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseSync } from "oxc-parser";
import { bundle, functionNames } from "../../build.ts";
import { median } from "./line.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const PAIRS = 15;
const MEASURE = `
  const begun = performance.now();
  require(process.argv[1]);
  process.stdout.write(String(performance.now() - begun));
`;

export interface ColdImport {
  readonly handler: string;
  readonly handlerMs: number;
  /** The AWS clients alone. */
  readonly clientsMs: number;
  /** Median of the pairs' ratios, not ratio of the medians. */
  readonly ratio: number;
  readonly handlerBytes: number;
  readonly clientsBytes: number;
}

/** @param pairs how often each handler is loaded, at least 15 for a number worth keeping */
export async function coldImport(pairs = PAIRS): Promise<ColdImport[]> {
  // Inside the project, where the entry finds its packages; `.build/` is not under version control.
  const folder = await mkdtemp(join(await madeDirectory(join(ROOT, ".build")), "bench-"));
  try {
    const entry = join(folder, "clients.ts");
    await writeFile(entry, await clientsOfAdapters());
    const clients = (await bundle(entry, join(folder, "clients.cjs"))).file;
    const results: ColdImport[] = [];
    for (const handler of await functionNames()) {
      const { file } = await bundle(join(ROOT, "handlers", `${handler}.ts`), join(folder, `${handler}.cjs`));
      results.push({ handler, ...(await compare(file, clients, pairs)) });
    }
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function madeDirectory(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  return path;
}

async function compare(file: string, clients: string, pairs: number): Promise<Omit<ColdImport, "handler">> {
  const times: { handler: number; clients: number }[] = [];
  // The first of each only warms the disk's cache, which Lambda's image has warm too.
  await load(file);
  await load(clients);
  for (let pair = 0; pair < pairs; pair++) {
    const isHandlerFirst = pair % 2 === 0;
    const first = await load(isHandlerFirst ? file : clients);
    const second = await load(isHandlerFirst ? clients : file);
    times.push(isHandlerFirst ? { handler: first, clients: second } : { handler: second, clients: first });
  }
  return {
    handlerMs: median(times.map((time) => time.handler)),
    clientsMs: median(times.map((time) => time.clients)),
    ratio: median(times.map((time) => time.handler / time.clients)),
    handlerBytes: (await stat(file)).size,
    clientsBytes: (await stat(clients)).size,
  };
}

/** @returns milliseconds, as the new process counted them: its own start is not in them */
async function load(file: string): Promise<number> {
  const env = { PATH: process.env["PATH"] ?? "", NODE_DISABLE_COMPILE_CACHE: "1" };
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", MEASURE, file], { env }).catch(
    (error) => {
      // A bundle is one line of a megabyte, which Node repeats; the reason stands in the line after it.
      const reason = /^\w*Error: .*$/m.exec(String(error.stderr))?.[0] ?? `exit code ${error.code}`;
      throw new Error(`${file} did not load: ${reason}`);
    },
  );
  return Number(stdout);
}

/** The very names that the adapters import, so that tree shaking leaves the same of each client in both bundles. */
async function clientsOfAdapters(): Promise<string> {
  const folder = join(ROOT, "lib", "adapters");
  const names = new Map<string, Set<string>>();
  for (const file of await readdir(folder)) {
    const { module } = parseSync(file, await readFile(join(folder, file), "utf8"));
    for (const { moduleRequest, entries } of module.staticImports) {
      if (!moduleRequest.value.startsWith("@aws-sdk/")) continue;
      const wanted = names.get(moduleRequest.value) ?? new Set();
      for (const { importName, isType } of entries)
        if (!isType && importName.name) wanted.add(importName.name);
      names.set(moduleRequest.value, wanted);
    }
  }
  return [...names]
    .filter(([, wanted]) => wanted.size > 0)
    .map(([from, wanted]) => `export { ${[...wanted].join(", ")} } from "${from}";`)
    .join("\n");
}
