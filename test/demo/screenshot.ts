/** A picture of the channel's page, its threads opened, in the system's Chromium. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { startBrowser } from "../standin/browser.ts";

const WIDTH = 860;
/** Sharp on the screens that people have. */
const SCALE = 1.5;

/** @throws Error that says how to get Chromium, if there is none */
export async function photograph(url: string, file: string): Promise<void> {
  const browser = await startBrowser();
  try {
    const page = await browser.newPage({
      viewport: { width: WIDTH, height: 600 },
      deviceScaleFactor: SCALE,
    });
    await page.goto(url);
    await page.locator("#messages > .message").first().waitFor();
    for (const thread of await page.locator(".thread > summary").all()) await thread.click();
    await page.mouse.move(0, 0);
    // The whole channel in one window: what sticks to an edge of it would stand over the messages in a longer picture.
    const height = await page.locator("body").evaluate((body) => body.scrollHeight);
    await page.setViewportSize({ width: WIDTH, height });
    await mkdir(dirname(file), { recursive: true });
    await page.screenshot({ path: file });
  } finally {
    await browser.close();
  }
}
