/** The picture that a run leaves. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import type { Crowd } from "./crowd.ts";
import type { Progress } from "./progress.ts";
import { drawTimeline } from "./timeline.ts";

/** @returns where it is, from here if it is below here */
export async function writeTimeline(
  picture: string,
  title: string,
  crowd: Crowd,
  progress: Progress,
): Promise<string> {
  await mkdir(dirname(picture), { recursive: true });
  const firstGeneration = crowd.firstGeneration();
  await writeFile(picture, drawTimeline({ title, reports: crowd.reports, progress, firstGeneration }));
  const fromHere = relative(process.cwd(), picture);
  return fromHere.startsWith("..") ? picture : fromHere;
}
