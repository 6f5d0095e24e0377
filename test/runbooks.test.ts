/**
 * Whoever is paged finds an answer: every code, rule, finding and stop leads to a runbook, every duty of the guide is a step
 * of one, and what a runbook tells people to type exists.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { bundle } from "../build.ts";
import { readPages, runbooks } from "../lib/adapters/runbookFiles.ts";
import { loadRunbook } from "../lib/adapters/runbooks.ts";
import { RULES } from "../lib/detection/rules.ts";
import { ACTIONS } from "../lib/incident/actions.ts";
import { atoms, holds } from "../lib/incident/condition.ts";
import { STOPS } from "../lib/incident/inputs.ts";
import { BY_FAMILY, BY_RULE, runbookFor } from "../lib/incident/runbookFor.ts";
import { builtHandlers } from "./builtHandlers.ts";
import { GUIDE } from "./guide.ts";

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), "utf8");

const codes = [...read("lib/errors.ts").matchAll(/^ {2}\| "([A-Z_]+)";?$/gm)].map(([, code]) => code);
const rows = [...read("runbooks/rotation-failed.md").matchAll(/^\| `([A-Z_]+)` \| (.*) \| (.*) \|$/gm)];

test("every error code has one row in the runbook, in the order of the list, and the runbook has no other", () => {
  expect(codes.length).toBeGreaterThan(40);
  expect(rows.map(([, code]) => code)).toEqual(codes);
});

test("each row says what happened and what to do, in words of its own", () => {
  for (const [, code, happened = "", todo = ""] of rows) {
    expect(happened.length, code).toBeGreaterThan(10);
    expect(todo.length, code).toBeGreaterThan(5);
  }
  expect(new Set(rows.map(([, , happened]) => happened)).size).toBe(rows.length);
});

const all = runbooks();
const byId = new Map(all.map((one) => [one.id, one]));
const stepIds = (id: string) => byId.get(id)?.steps.map((step) => step.id) ?? [];

test("every page compiles, under the name of its file", () => {
  const files = readdirSync(fileURLToPath(new URL("../runbooks", import.meta.url))).filter((name) =>
    name.endsWith(".md"),
  );
  expect(all.map(({ id }) => `${id}.md`)).toEqual(files.toSorted());
  expect(all).toHaveLength(14);
  expect(new Set(all.map(({ hash }) => hash)).size).toBe(14);
});

describe("the guide's", () => {
  test.each(GUIDE)("$part: $bullet", ({ runbook, steps }) => {
    expect(steps.length).toBeGreaterThan(0);
    expect(stepIds(runbook)).toEqual(expect.arrayContaining([...steps]));
  });

  test("bullets are all there: six and five, four duties, ten and ten checks", () => {
    const counts = new Map<string, number>();
    for (const { part } of GUIDE) counts.set(part, (counts.get(part) ?? 0) + 1);
    expect([...counts.values()]).toEqual([6, 5, 4, 10, 10]);
  });

  test("checks are steps of their own: no step stands for two of them", () => {
    const checks = GUIDE.filter(({ part }) => part.includes("checklist")).flatMap(({ runbook, steps }) =>
      steps.map((step) => `${runbook} ${step}`),
    );
    expect(new Set(checks).size).toBe(checks.length);
  });
});

describe("an alert leads to a runbook that is there:", () => {
  test("each rule of the detection, and each of its files", () => {
    const files = readdirSync(fileURLToPath(new URL("../lib/detection/rules", import.meta.url)));
    expect(RULES.map(({ id }) => `${id}.ts`).toSorted()).toEqual(files.toSorted());
    for (const { id, family } of RULES) {
      const runbook = runbookFor({ from: "detection", family, rules: [id] });
      expect(byId.get(runbook)?.triggers, `${id} -> ${runbook}`).toContain("finding");
      expect(Object.keys(BY_FAMILY), id).toContain(family);
    }
  });

  test("no rule or family is named that is not there", () => {
    const rules = RULES.map(({ id }) => id);
    for (const rule of Object.keys(BY_RULE)) expect(rules).toContain(rule);
    expect(new Set(Object.keys(BY_FAMILY))).toEqual(new Set(RULES.map(({ family }) => family)));
  });

  test("one decisive rule among many decides, and a family that nobody knows is looked at", () => {
    const reading = (...rules: string[]) => runbookFor({ from: "detection", family: "reading", rules });
    expect(reading("batchOfEverything")).toBe("suspicious-access");
    expect(reading("batchOfEverything", "foreignReader")).toBe("secret-compromised");
    expect(reading("foreignReader", "longTermKey")).toBe("aws-key-compromised");
    expect(runbookFor({ from: "detection", family: "constructor", rules: ["toString"] })).toBe(
      "suspicious-access",
    );
  });

  test("drift, a rotation that failed, and a stop", () => {
    expect(stepIds(runbookFor({ from: "drift" }))).toContain("mend");
    expect(stepIds(runbookFor({ from: "rotation" }))).toContain("again");
    expect(byId.get(runbookFor({ from: "stop" }))?.triggers).toContain("stop");
  });

  test.each(STOPS)("a stop of the kind %s gives a person something to look at", (stop) => {
    const known = {
      value: (name: string) => (name === "evidence.stop" ? stop : undefined),
      isDone: () => true,
    };
    const steps = byId.get("container-stopped")?.steps.filter(({ run }) => run === "human") ?? [];
    const reached = steps.filter(({ phase, when }) => phase === "Check" && when && holds(when, known));
    expect(reached.length + (stop === "spotInterruption" ? 1 : 0)).toBeGreaterThan(0);
  });
});

test("every action is a step of some runbook, or what takes one back", () => {
  const used = new Set(all.flatMap(({ steps }) => steps.map(({ run }) => run)));
  const takesBack = Object.values(ACTIONS).flatMap(({ undo }) => ("by" in undo ? [undo.by] : []));
  expect(
    Object.keys(ACTIONS).filter((name) => !used.has(name as never) && !takesBack.includes(name as never)),
  ).toEqual([]);
});

test("a step that cuts somebody off names a person to agree, and every step a proof of its action", () => {
  for (const { id, steps } of all) {
    for (const step of steps) {
      const { risk, proofs } = ACTIONS[step.run];
      expect(Object.keys(proofs), `${id} ${step.id}`).toContain(step.prove);
      const least = { read: 0, safe: 0, reversible: 1, disruptive: 1, destructive: 2 }[risk];
      expect(step.approve?.people ?? 0, `${id} ${step.id}`).toBeGreaterThanOrEqual(least);
      expect(step.when ? atoms(step.when).length : 1, `${id} ${step.id}`).toBeGreaterThan(0);
    }
  }
});

describe("what a runbook tells people to type", () => {
  const require = createRequire(import.meta.url);
  const told = readPages().flatMap(({ file, text }) =>
    [...text.matchAll(/(?:npx sls (?:invoke|logs) -f|npm(?: run)?|aws) [\w-]+(?: [\w-]+)?/g)].map(
      ([line]) => ({ file, line }),
    ),
  );
  /** For services whose client Rekey does not carry. */
  const BY_HAND = ["ecr describe-image-scan-findings"];

  test("is found at all", () => expect(told.length).toBeGreaterThan(40));

  test("of Rekey names its functions and scripts", () => {
    const functions = [...read("serverless.yml").matchAll(/handler: handlers\/(\w+)\.handler/g)].map(
      ([, name]) => name,
    );
    const scripts = [...Object.keys(JSON.parse(read("package.json")).scripts), "audit", "outdated"];
    for (const { file, line } of told) {
      const called = /-f (\w+)/.exec(line)?.[1];
      if (called !== undefined) expect(functions, `${file}: ${line}`).toContain(called);
      const script = /^npm (?:run )?([\w-]+)/.exec(line)?.[1];
      if (script !== undefined) expect(scripts, `${file}: ${line}`).toContain(script);
    }
  });

  test("of AWS names operations that AWS has", () => {
    for (const { file, line } of told) {
      const [, service, operation = ""] = /^aws ([\w-]+) ([\w-]+)$/.exec(line) ?? [];
      if (service === undefined || BY_HAND.includes(`${service} ${operation}`)) continue;
      const client = { secretsmanager: "secrets-manager" }[service] ?? service;
      const command = operation.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
      expect(Object.keys(require(`@aws-sdk/client-${client}`)), `${file}: ${line}`).toContain(
        `${command}Command`,
      );
    }
  });

  test("to read is there", () => {
    for (const { file, text } of readPages())
      for (const [, name] of text.matchAll(/`?([\w-]+\.md)`?/g))
        expect(
          all.map(({ id }) => `${id}.md`),
          file,
        ).toContain(name);
  });
});

describe("a Lambda", () => {
  test("has the runbooks as they were compiled, in a file of its own, and no parser", async () => {
    const [handler = ""] = Object.values(await builtHandlers());
    const file = join(dirname(handler), "driver-runbooks.cjs");
    const built = createRequire(import.meta.url)(file) as { runbooks(): unknown };
    expect(built.runbooks()).toEqual(JSON.parse(JSON.stringify(all)));
    const text = readFileSync(file, "utf8");
    expect(text).not.toMatch(/micromark|parseDocument|LineCounter/);
    expect(text.length).toBeLessThan(100_000);
  });

  test.each(["next", "start", "approval", "choice", "record", "runbookFor", "containment", "deadlocks"])(
    "that decides by lib/incident/%s.ts carries no parser either",
    async (name) => {
      const folder = mkdtempSync(join(tmpdir(), "rekey-incident-"));
      const entry = fileURLToPath(new URL(`../lib/incident/${name}.ts`, import.meta.url));
      const { metafile } = await bundle(entry, join(folder, `${name}.cjs`));
      rmSync(folder, { recursive: true });
      const packages = Object.keys(metafile.inputs).flatMap(
        (file) => /node_modules\/([^/]+)/.exec(file)?.[1] ?? [],
      );
      expect(new Set(packages.filter((one) => one !== "zod"))).toEqual(new Set());
    },
  );

  test("finds one by its name, and is told the names when there is none", async () => {
    expect((await loadRunbook("drill")).title).toBe("Monthly drill with a canary secret");
    await expect(loadRunbook("__proto__")).rejects.toMatchObject({
      code: "PAYLOAD_INVALID",
      message: expect.stringContaining("annual-audit, aws-key-compromised, container-stopped"),
    });
  });
});
