/**
 * The runbooks, as they stand in `runbooks/`. In a Lambda stands what `runbooks()` answered when it was built (see build.ts):
 * no file is read there, and no parser carried.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RekeyError } from "../errors.ts";
import { compileRunbooks } from "../incident/compile.ts";
import type { Page } from "../incident/parseRunbook.ts";
import { toldAs } from "../incident/problem.ts";
import type { Runbook } from "../incident/runbook.ts";

const ROOT = join(import.meta.dirname, "..", "..");

export const readPages = (): Page[] =>
  readdirSync(join(ROOT, "runbooks"))
    .filter((name) => name.endsWith(".md"))
    .toSorted()
    .map((name) => ({ file: `runbooks/${name}`, text: readFileSync(join(ROOT, "runbooks", name), "utf8") }));

/** @throws RekeyError CONFIG_INVALID with every mistake of every page, each on a line of its own */
export function runbooks(): readonly Runbook[] {
  const { runbooks: read, problems } = compileRunbooks(readPages());
  if (problems.length > 0) throw new RekeyError("CONFIG_INVALID", problems.map(toldAs).join("\n"));
  return read;
}
