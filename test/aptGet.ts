/** Programs that npm does not bring: on Debian as root they are installed, anywhere else somebody has to be asked. */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** @returns where it is, or undefined */
export const pathOf = (program: string): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });

export const onPath = (program: string) => pathOf(program) !== undefined;

/** @returns whether the program, which has its package's name, is there now */
export function installed(program: string, ...morePackages: readonly string[]): boolean {
  if (onPath(program)) return true;
  if (process.getuid?.() !== 0 || !onPath("apt-get")) return false;
  console.error(`${program} is missing; installing it with apt-get`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const apt = (...words: string[]) =>
    spawnSync("apt-get", ["-qq", ...words], { env, stdio: ["ignore", "ignore", "inherit"] });
  apt("update");
  return (
    apt("install", "-y", "--no-install-recommends", program, ...morePackages).status === 0 && onPath(program)
  );
}
