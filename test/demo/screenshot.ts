/** A picture of the channel's page, its threads opened, in the system's Chromium. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { startBrowser } from "../standin/browser.ts";

const SIZE = { width: 900, height: 1_000 };

/** @throws Error that says how to get Chromium, if there is none */
export async function photograph(url: string, file: string): Promise<void> {
  const browser = await startBrowser();
  try {
    const page = await browser.newPage({ viewport: SIZE });
    await page.goto(url);
    await page.locator("#messages > .message").first().waitFor();
    for (const thread of await page.locator(".thread > summary").all()) await thread.click();
    await mkdir(dirname(file), { recursive: true });
    await page.screenshot({ path: file, fullPage: true });
  } finally {
    await browser.close();
  }
}
