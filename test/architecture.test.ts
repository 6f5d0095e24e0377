import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync, Visitor } from "oxc-parser";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** File -> room. The first pattern that fits. */
const ROOMS: readonly (readonly [RegExp, string])[] = [
  [/^lib\/(secret|finding|message|errors|fields)\.ts$/, "nouns"],
  [/^lib\/config\.ts$/, "config"],
  [/^lib\/log\.ts$/, "log"],
  [/^lib\/app\.ts$/, "app"],
  [/^lib\/(rotation|strategies|detection|incident|audit|journeys|adapters)\//, "$1"],
  [/^handlers\//, "handlers"],
  [/^test\//, "test"],
];

/** Room -> what it may import: rooms of ours, and packages by the beginning of their name. */
const ARROWS: Readonly<Record<string, { rooms: readonly string[]; packages: readonly string[] }>> = {
  nouns: { rooms: ["nouns"], packages: [] },
  config: { rooms: ["nouns"], packages: ["zod"] },
  log: { rooms: ["nouns"], packages: [] },
  rotation: { rooms: ["rotation", "nouns"], packages: ["zod", "picomatch"] },
  strategies: {
    rooms: ["strategies", "rotation/strategy", "nouns"],
    packages: ["pg", "@redis/client", "jose"],
  },
  detection: { rooms: ["detection", "nouns"], packages: [] },
  incident: { rooms: ["incident", "nouns"], packages: ["zod", "yaml", "mdast-util-from-markdown"] },
  adapters: {
    rooms: ["adapters", "rotation", "detection", "incident", "nouns"],
    packages: ["@aws-sdk/", "@slack/"],
  },
  journeys: {
    rooms: ["journeys", "rotation", "detection", "incident", "nouns"],
    packages: ["zod", "p-limit"],
  },
  app: {
    rooms: [
      ...["journeys", "rotation", "detection", "incident", "adapters", "strategies"],
      ...["config", "log", "nouns"],
    ],
    packages: [],
  },
  handlers: { rooms: ["app", "nouns"], packages: ["@middy/", "aws-lambda"] },
};
const BARRED_NAMES = /(^|\/)(utils?|helpers?|common|types|constants)(\/|\.ts$)/;

interface Source {
  readonly file: string;
  readonly text: string;
}

const roomOf = (file: string) => {
  for (const [pattern, room] of ROOMS) {
    const found = pattern.exec(file);
    if (found) return room.replace("$1", found[1] ?? "");
  }
  return undefined;
};

function importsOf({ file, text }: Source): string[] {
  const { module } = parseSync(file, text);
  const dynamic = module.dynamicImports.map(({ moduleRequest }) =>
    text.slice(moduleRequest.start + 1, moduleRequest.end - 1),
  );
  const exported = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
  );
  return [...module.staticImports.map(({ moduleRequest }) => moduleRequest.value), ...exported, ...dynamic];
}

function complaintsAbout(sources: readonly Source[]): string[] {
  return sources
    .flatMap((source) => [...wrongImports(source), ...wrongGlobals(source), ...wrongName(source)])
    .concat(cycles(sources));
}

function wrongImports(source: Source): string[] {
  const room = roomOf(source.file);
  const allowed = room === undefined ? undefined : ARROWS[room];
  if (!allowed) return room === "test" ? [] : [`${source.file} stands in no room`];
  return importsOf(source).flatMap((target) => {
    if (target.startsWith("node:")) return [];
    if (!target.startsWith(".")) {
      return allowed.packages.some((name) => target.startsWith(name))
        ? []
        : [`${source.file} (${room}) may not import the package ${target}`];
    }
    const file = normalize(join(dirname(source.file), target));
    const other = roomOf(file) ?? "outside";
    const isNamed = allowed.rooms.includes(file.replace(/^lib\//, "").replace(/\.ts$/, ""));
    return allowed.rooms.includes(other) || isNamed
      ? []
      : [`${source.file} (${room}) may not import ${file} (${other})`];
  });
}

function wrongGlobals({ file, text }: Source): string[] {
  const complaints: string[] = [];
  new Visitor({
    MemberExpression({ object, property }) {
      if (object.type !== "Identifier" || property.type !== "Identifier") return;
      if (object.name === "process" && property.name === "env" && !file.startsWith("handlers/")) {
        complaints.push(`${file} reads process.env; only handlers do`);
      }
      if (
        (object.name === "console" || (object.name === "process" && property.name.startsWith("std"))) &&
        file !== "lib/log.ts"
      ) {
        complaints.push(`${file} writes output; only lib/log.ts does`);
      }
    },
  }).visit(parseSync(file, text).program);
  return complaints;
}

const wrongName = ({ file }: Source) =>
  BARRED_NAMES.test(file) ? [`${file} is named for nothing in particular`] : [];

function cycles(sources: readonly Source[]): string[] {
  const graph = new Map(
    sources.map((source) => [
      source.file,
      importsOf(source)
        .filter((target) => target.startsWith("."))
        .map((target) => normalize(join(dirname(source.file), target))),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) found.push(`cycle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
    else if (!done.has(file)) {
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    }
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

const sources = ["lib", "handlers"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry): Source => {
      const path = join(entry.parentPath, entry.name);
      return { file: relative(ROOT, path), text: readFileSync(path, "utf8") };
    }),
);

test("every import follows the arrows of the design", () => {
  expect(sources.length).toBeGreaterThan(30);
  expect(complaintsAbout(sources)).toEqual([]);
});

test.each([
  [
    "lib/rotation/x.ts",
    'import { a } from "../adapters/ecs.ts";',
    "lib/rotation/x.ts (rotation) may not import lib/adapters/ecs.ts (adapters)",
  ],
  [
    "lib/rotation/x.ts",
    'import type { A } from "../journeys/ports.ts";',
    "lib/rotation/x.ts (rotation) may not import lib/journeys/ports.ts (journeys)",
  ],
  [
    "lib/strategies/x.ts",
    'import { decide } from "../rotation/decide.ts";',
    "lib/strategies/x.ts (strategies) may not import lib/rotation/decide.ts (rotation)",
  ],
  [
    "lib/adapters/x.ts",
    'export { jwt } from "../strategies/jwt.ts";',
    "lib/adapters/x.ts (adapters) may not import lib/strategies/jwt.ts (strategies)",
  ],
  [
    "lib/journeys/x.ts",
    'import { ECSClient } from "@aws-sdk/client-ecs";',
    "lib/journeys/x.ts (journeys) may not import the package @aws-sdk/client-ecs",
  ],
  [
    "lib/journeys/x.ts",
    'const a = await import("../app.ts");',
    "lib/journeys/x.ts (journeys) may not import lib/app.ts (app)",
  ],
  [
    "lib/incident/x.ts",
    'import { RULES } from "../detection/rules.ts";',
    "lib/incident/x.ts (incident) may not import lib/detection/rules.ts (detection)",
  ],
  ["lib/secret.ts", 'import { a } from "./log.ts";', "lib/secret.ts (nouns) may not import lib/log.ts (log)"],
  [
    "lib/rotation/x.ts",
    "const a = process.env.HOME;",
    "lib/rotation/x.ts reads process.env; only handlers do",
  ],
  ["lib/rotation/x.ts", 'console.log("a");', "lib/rotation/x.ts writes output; only lib/log.ts does"],
  ["lib/rotation/utils.ts", "", "lib/rotation/utils.ts is named for nothing in particular"],
  ["lib/unknown/x.ts", "", "lib/unknown/x.ts stands in no room"],
])("a planted mistake in %s is caught: %s", (file, text, complaint) => {
  expect(complaintsAbout([{ file, text }])).toContain(complaint);
});

test("a planted cycle is caught", () => {
  const planted = [
    { file: "lib/rotation/a.ts", text: 'import { b } from "./b.ts";' },
    { file: "lib/rotation/b.ts", text: 'import { a } from "./a.ts";' },
  ];
  expect(complaintsAbout(planted)).toEqual([
    "cycle: lib/rotation/a.ts -> lib/rotation/b.ts -> lib/rotation/a.ts",
  ]);
});

test("the median file can be read at one sitting", () => {
  const lines = sources.map(({ text }) => text.split("\n").length).toSorted((a, b) => a - b);
  expect(lines[Math.floor(lines.length / 2)]).toBeLessThan(160);
});
