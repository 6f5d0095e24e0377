/** The system's own Chromium, headless, for the tests that look at a page as people do and for pictures of it. */
import { type Browser, chromium } from "playwright-core";
import { pathOf } from "../aptGet.ts";

/** @throws Error that says how to get one, if there is no browser */
export async function startBrowser(): Promise<Browser> {
  const executablePath = pathOf("chromium");
  if (executablePath === undefined)
    throw new Error("chromium is missing; install it first, on Debian: apt-get install -y chromium");
  return chromium.launch({
    executablePath,
    args: [
      // Root, as in most containers, has no sandbox to put it in.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
