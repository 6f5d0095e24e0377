/** What `ps` would have shown anybody on the machine, from before the servers start until the rotation is done. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Report } from "../../lib/rotation/report.ts";
import { startWorld, type World } from "../demo/world.ts";

const LOOK_MS = 25;

/** Looks at every process of the machine again and again, since a short-lived one shows for milliseconds. */
class Watch {
  /** Every command line that ever stood there. */
  readonly lines = new Set<string>();
  readonly pids = new Set<number>();
  looks = 0;
  readonly #timer = setInterval(() => this.#look(), LOOK_MS);

  #look(): void {
    this.looks += 1;
    for (const entry of readdirSync("/proc")) {
      const line = /^\d+$/.test(entry) ? commandLine(entry) : "";
      if (line === "") continue;
      this.lines.add(line);
      this.pids.add(Number(entry));
    }
  }

  showing(values: readonly string[]): string[] {
    return values.filter((value) => [...this.lines].some((line) => line.includes(value)));
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Empty for a kernel thread, and for a process that ended meanwhile. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

let watch: Watch;
let world: World;
beforeAll(async () => {
  watch = new Watch();
  world = await startWorld({ env: { REKEY_ROLLOUT_SECONDS: "20" } });
}, 120_000);
afterAll(async () => {
  watch?.stop();
  await world?.stop();
});

test("no value of any secret, old or new, ever stands in a command line while everything rotates", async () => {
  const looksBefore = watch.looks;
  const running = world.cloud.lambda.start("rotateAll", {});
  const { payload, failure } = await running.result;
  expect(failure).toBeUndefined();
  expect((payload as Report).totals["rotated"]).toBe(3);

  const values = [...world.cloud.secrets.secrets.values()]
    .flatMap(({ versions }) => [...versions.values()].map(({ text }) => text))
    .flatMap((text) => (text.startsWith("{") ? Object.values(JSON.parse(text)) : [text]))
    .filter((value): value is string => typeof value === "string" && value.length >= 40);
  const canaries = [...new Set([...world.seeds.canaries, ...values])];
  // Three new passwords and a new JWT key beside what was seeded.
  expect(canaries.length).toBeGreaterThanOrEqual(world.seeds.canaries.length + 4);
  expect(watch.looks - looksBefore).toBeGreaterThan(50);
  expect(running.pid).toBeGreaterThan(0);
  expect(watch.pids).toContain(running.pid);
  expect(watch.lines).toContainEqual(expect.stringContaining("lambdaRunner.ts"));
  expect(watch.lines).toContainEqual(expect.stringContaining("redis-server"));
  expect(watch.lines).toContainEqual(expect.stringMatching(/^postgres: /));
  expect(watch.showing(canaries)).toEqual([]);
}, 120_000);

test("a value that does stand in one is seen", async () => {
  const planted = "planted-value-that-is-no-secret";
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 10_000)", planted], { stdio: "ignore" });
  try {
    await expect.poll(() => watch.showing([planted])).toEqual([planted]);
  } finally {
    const gone = once(child, "exit");
    child.kill();
    await gone;
  }
});
