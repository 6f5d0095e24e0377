/** Runs a line as a person would who pastes it into a terminal whose `aws` reaches the local cloud. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const AWS = fileURLToPath(new URL("./awsCli.ts", import.meta.url));

export interface Shell {
  /** @returns what it printed, on both streams. @throws if it ends with another code than 0 */
  paste(line: string): Promise<string>;
  stop(): Promise<void>;
}

export async function openShell(env: Readonly<Record<string, string>>): Promise<Shell> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-shell-"));
  await writeFile(join(folder, "aws"), `#!/bin/sh\nexec '${process.execPath}' '${AWS}' "$@"\n`);
  await chmod(join(folder, "aws"), 0o755);
  const path = [folder, dirname(process.execPath), process.env["PATH"]].join(delimiter);
  return {
    paste: (line) =>
      new Promise((resolve, reject) => {
        const options = { cwd: ROOT, env: { ...process.env, ...env, PATH: path } };
        const child = execFile("sh", ["-c", line], options, (error, stdout, stderr) => {
          if (error) reject(new Error(`${line}\n${stdout}${stderr}`));
          else resolve(stdout + stderr);
        });
        child.stdin?.end();
      }),
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}
