/**
 * The staged leak as a person meets it: the demo is started, the channel's page is opened in a real browser, and one click
 * later the leaked values are dead. Nothing here knows how; the demo's own thief tells when each of them was refused.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { startBrowser } from "../standin/browser.ts";

const DEMO = fileURLToPath(new URL("./demo.ts", import.meta.url));

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function end(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, signal);
}

test("one click in the channel kills every leaked value within a minute", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-leak-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const words = [DEMO, "--incident", "leak", "--svg", join(folder, "timeline.svg")];
  const child = spawn(process.execPath, words, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  const gone = once(child, "close");
  closers.push(() => end(child, "SIGKILL"));
  let said = "";
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  const browser = await startBrowser();
  closers.push(() => browser.close());

  await expect.poll(() => said, { timeout: 60_000 }).toMatch(/http:\S+\/slack\//);
  const page = await browser.newPage();
  await page.goto(/http:\S+\/slack\//.exec(said)?.[0] ?? "");
  const alert = page
    .getByRole("listitem")
    .filter({ hasText: "Somebody of another account read a secret" })
    .first();
  await alert.waitFor({ timeout: 60_000 });
  expect(await alert.textContent()).toContain("arn:aws:iam::210987654321:role/data-export");
  expect(await alert.textContent()).toContain("203.0.113.66");
  await alert.getByRole("button", { name: "Rotate now" }).click();
  await alert.locator(".thread > summary").click();
  await alert.getByText("has started a rotation of").waitFor({ timeout: 30_000 });

  await expect
    .poll(() => said, { timeout: 180_000 })
    .toMatch(/The channel stays open until you press Ctrl-C/);
  const [, seconds] = /every leaked value was refused ([\d.]+) s after the click/.exec(said) ?? [];
  expect(Number(seconds)).toBeLessThan(60);
  expect(said).not.toContain("NEVER");
  expect(await page.locator("#messages").textContent()).toContain("Secrets rotated");
  end(child, "SIGINT");
  expect(await gone).toEqual([0, null]);
}, 400_000);
