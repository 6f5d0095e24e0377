import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { partsOf } from "./loader.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-parts-"));
  await mkdir(join(folder, "archetypes"));
  await mkdir(join(folder, "attacks"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a file that is put into a folder is picked up, and what is no program is not", async () => {
  await writeFile(join(folder, "archetypes", "night.ts"), "export const night = () => [];\n");
  await writeFile(
    join(folder, "attacks", "raid.ts"),
    "export const raid = () => ({ records: [], episodes: [] });\n",
  );
  await writeFile(join(folder, "attacks", "README.md"), "no program");
  const { archetypes, attacks } = await partsOf(folder);
  expect([[...archetypes.keys()], [...attacks.keys()]]).toEqual([["night"], ["raid"]]);
});

test("a file that does not export its name is told, and not left out", async () => {
  await writeFile(join(folder, "attacks", "raid.ts"), "export const other = () => [];\n");
  await expect(partsOf(folder)).rejects.toThrow("raid.ts exports no function raid");
});
