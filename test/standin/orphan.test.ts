/** A Lambda process must not outlive whoever started it, also when that one is killed. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("an invocation ends with its starter, killed or not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rekey-orphan-"));
  const bundle = join(folder, "sample.cjs");
  writeFileSync(
    bundle,
    "exports.handler = async () => { console.log('pid ' + process.pid); await new Promise((r) => setTimeout(r, 60_000)); };",
  );
  const program = `import { Lambda } from ${JSON.stringify(new URL("lambda.ts", import.meta.url).href)};
    const lambda = new Lambda();
    lambda.register("sample", { bundle: ${JSON.stringify(bundle)}, env: {}, timeoutSeconds: 60, memoryMb: 64 });
    lambda.emitter.on("line", (name, line) => console.log(line));
    lambda.start("sample", {});`;
  const starter = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let pid = 0;
  try {
    for await (const line of createInterface({ input: starter.stdout })) {
      pid = Number(/pid (\d+)/.exec(line)?.[1]);
      break;
    }
    expect(isAlive(pid)).toBe(true);
    starter.kill("SIGKILL");
    for (const deadline = Date.now() + 3_000; isAlive(pid) && Date.now() < deadline; ) await sleep(50);
    expect(isAlive(pid)).toBe(false);
  } finally {
    starter.kill("SIGKILL");
    if (pid > 0 && isAlive(pid)) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
