/**
 * The demo as a program: what it leaves behind when it is stopped, what it says when something is missing, and what its
 * picture tells. That no request fails is what the demo itself shows, and its exit code says.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { readOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import { drawTimeline } from "./timeline.ts";
import type { TrafficReport } from "./traffic.ts";

const DEMO = fileURLToPath(new URL("./demo.ts", import.meta.url));

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startDemo(env: Readonly<Record<string, string>> = {}) {
  const home = await mkdtemp(join(tmpdir(), "rekey-demo-"));
  // PostgreSQL runs as a user of its own when root starts it.
  await chmod(home, 0o755);
  closers.push(() => rm(home, { recursive: true, force: true }));
  // A process group of its own, as a terminal gives one: Ctrl-C reaches all of it.
  const child = spawn(process.execPath, [DEMO], {
    env: { ...process.env, TMPDIR: home, ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  closers.push(() => signalGroup(child, "SIGKILL"));
  const said = { out: "", err: "" };
  child.stdout.on("data", (chunk) => {
    said.out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    said.err += chunk;
  });
  const gone = once(child, "close");
  return { child, home, said, gone };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-(child.pid ?? 0), signal);
  } catch {
    // Nobody left in the group.
  }
}

/** Every process below this one, whatever its group. */
function descendants(root: number): number[] {
  const rows = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const parents = new Map(rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]));
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (parents.get(pid) === root || isBelow(parents.get(pid)));
  return [...parents.keys()].filter(isBelow);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1_200; attempt += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited two minutes in vain: ${what}`);
}

test("Ctrl-C in the middle of a rotation leaves no process and no file behind", async () => {
  const { child, home, said, gone } = await startDemo();
  await until("a phase is done", () => said.out.includes("stage done"));
  const processes = descendants(child.pid ?? 0);
  // PostgreSQL, two Redis servers, six tasks, the clients, the handler.
  expect(processes.length).toBeGreaterThanOrEqual(11);

  signalGroup(child, "SIGINT");

  expect(await gone).toEqual([130, null]);
  expect(processes.filter(isAlive)).toEqual([]);
  expect(await readdir(home)).toEqual([]);
}, 180_000);

test("a termination while everything is still starting ends the demo and leaves nothing behind", async () => {
  const { child, home, said, gone } = await startDemo();
  await until("it starts", () => said.out.includes("Starting"));
  await until("a server is up", () => descendants(child.pid ?? 0).length >= 2);
  const processes = descendants(child.pid ?? 0);
  child.kill("SIGTERM");
  expect(await gone).toEqual([130, null]);
  expect(processes.filter(isAlive)).toEqual([]);
  expect(await readdir(home)).toEqual([]);
}, 60_000);

test("without redis-server the demo says so in one line and leaves nothing behind", async () => {
  const bin = await mkdtemp(join(tmpdir(), "rekey-bin-"));
  closers.push(() => rm(bin, { recursive: true, force: true }));
  // Everything that the PostgreSQL server takes from the system, and nothing else.
  await symlink(execFileSync("which", ["chown"], { encoding: "utf8" }).trim(), join(bin, "chown"));
  const { home, said, gone } = await startDemo({ PATH: `${dirname(process.execPath)}${delimiter}${bin}` });
  expect(await gone).toEqual([1, null]);
  expect(said.err).toBe("demo: redis-server is not installed; on Debian: apt-get install redis-server\n");
  expect(await readdir(home)).toEqual([]);
}, 60_000);

test("a bundle's fields that are revoked one by one are one phase, open until the bundle is finished", () => {
  const progress = new Progress(["app/production"]);
  const line = (second: number, event: object) =>
    progress.readLine(JSON.stringify({ time: `2026-11-24T10:00:0${second}.000Z`, ...event }));
  line(1, { event: "run.started", runId: "r" });
  line(2, { event: "rotation.phase", secret: "app/production", phase: "confirm" });
  line(3, { event: "rotation.phase", secret: "app/production", phase: "revoke" });
  line(5, { event: "rotation.phase", secret: "app/production", phase: "revoke" });
  const at = (second: number) => Date.UTC(2026, 10, 24, 10, 0, second);
  expect(progress.phaseOf("app/production")).toEqual({ phase: "revoke", since: at(2) });
  expect(progress.secrets.get("app/production")).toEqual([
    { phase: "confirm", from: at(1), to: at(2) },
    { phase: "revoke", from: at(2), to: at(5) },
  ]);
  line(6, { event: "run.done", runId: "r" });
  expect(progress.phaseOf("app/production")).toBeUndefined();
});

test("the picture counts every request once and marks the failed ones", () => {
  const report = (at: number, byGeneration: Record<string, number>, failed: number): TrafficReport => ({
    at,
    seconds: 1,
    byGeneration,
    generationAt: {},
    failures: Array.from({ length: failed }, () => ({ at, service: "gateway", reason: "status 500" })),
    unanswered: 0,
    last: false,
  });
  const reports = [
    report(1_000, { a: 100 }, 0),
    report(2_000, { a: 60, b: 40 }, 7),
    report(3_000, { b: 100 }, 0),
  ];
  const progress = new Progress(["odd <name> & more"]);
  const picture = drawTimeline({ title: "A & B", reports, progress, firstGeneration: "a" });
  expect(picture).toContain("300 requests, 7 failed");
  expect(picture.match(/<rect class="old"/g)).toHaveLength(1 + 2);
  expect(picture.match(/<rect class="new"/g)).toHaveLength(1 + 2);
  expect(picture.match(/<rect class="failed"/g)).toHaveLength(1 + 1);
  expect(picture).toContain("odd &lt;name&gt; &amp; more");
  expect(picture).toContain('aria-label="A &amp; B"');
});

test.each([
  [
    ["--break", "gatway"],
    '--break: "gatway" is no service of the demo; there are gateway, tokenguard, trustguard',
  ],
  [["--break", "gateway:slow"], "--break gateway: tasks can crash or hang; write gateway or gateway:hang"],
  [["--break", "gateway", "--emergency"], "--break and --emergency exclude each other; give one of them"],
  [["--incident", "fire"], '--incident: "fire" is none that the demo knows; there is leak'],
  [["--incident", "leak", "--emergency"], "--emergency and --incident exclude each other; give one of them"],
  [["--click"], "--click and --screenshot belong to --incident leak"],
  [["everything"], '"everything" is not an option'],
  [["--seconds", "soon"], "--seconds must be a number of seconds"],
])("%j is refused with one sentence", (args, sentence) => {
  expect(() => readOptions(args)).toThrow(new Error(sentence));
});

test.each([
  [["--break", "gateway"], { kind: "break", service: "gateway", fault: "crash" }],
  [["--break", "trustguard:hang"], { kind: "break", service: "trustguard", fault: "unhealthy" }],
  [["--emergency"], { kind: "emergency", only: "codeguardians-gateway/production" }],
  [["--emergency", "codeguardians-gateway/*"], { kind: "emergency", only: "codeguardians-gateway/*" }],
  [["--aws-order"], { kind: "awsOrder" }],
  [["--incident", "leak"], { kind: "leak", clicksItself: false }],
  [["--incident", "leak", "--click"], { kind: "leak", clicksItself: true }],
  [[], { kind: "rotate" }],
])("%j shows %j", (args, scene) => {
  expect(readOptions(args)?.scene).toEqual(scene);
});

test("a way back is told step by step, and a deployment that another one takes the place of has ended", () => {
  const progress = new Progress(["app"]);
  progress.note({ event: "run.started" }, 1_000);
  progress.note({ event: "rotation.phase", secret: "app", phase: "promote" }, 2_000);
  progress.note({ event: "deployment.requested", service: "cluster/gateway" }, 3_000);
  progress.note({ event: "deployment.requested", service: "cluster/tokenguard" }, 3_000);
  progress.note({ event: "deployment.done", service: "cluster/gateway", status: "failed" }, 4_000);
  expect(progress.wayBackOf("app")).toBeUndefined();
  progress.note({ event: "rotation.giveUp", secret: "app" }, 4_100);
  expect(progress.wayBackOf("app")).toEqual({ after: "failed", since: 4_100 });
  progress.note({ event: "rotation.demote", secret: "app" }, 4_200);
  expect(progress.wayBackOf("app")).toEqual({ after: "demote", since: 4_200 });
  progress.note({ event: "deployment.requested", service: "cluster/tokenguard", back: true }, 5_000);
  progress.note({ event: "rotation.withdraw", secret: "app" }, 9_000);
  expect(progress.phaseOf("app")).toBeUndefined();
  expect(progress.secrets.get("app")).toEqual([
    { phase: "promote", from: 1_000, to: 2_000 },
    { phase: "failed", from: 2_000, to: 4_100 },
    { phase: "demote", from: 4_100, to: 4_200 },
    { phase: "withdraw", from: 4_200, to: 9_000 },
  ]);
  expect(progress.deployments).toEqual([
    { service: "gateway", back: false, from: 3_000, to: 4_000, status: "failed" },
    { service: "tokenguard", back: false, from: 3_000, to: 5_000, status: "superseded" },
    { service: "tokenguard", back: true, from: 5_000 },
  ]);
});
