/**
 * Before the tests and the demo: is there a Redis server? PostgreSQL comes with the npm packages, Redis does not. On
 * Debian as root it is installed; otherwise one line says what to install.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const onPath = (program: string) =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

function install(): boolean {
  if (process.getuid?.() !== 0 || !onPath("apt-get")) return false;
  console.error("redis-server is missing; installing it with apt-get");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const apt = (...words: string[]) =>
    spawnSync("apt-get", ["-qq", ...words], { env, stdio: ["ignore", "ignore", "inherit"] });
  apt("update");
  return (
    apt("install", "-y", "--no-install-recommends", "redis-server", "openssl").status === 0 &&
    onPath("redis-server")
  );
}

if (Number(process.versions.node.split(".")[0]) < 24) {
  console.error(
    `Node ${process.versions.node} runs this; run it with npm, which uses the pinned one (npm ci first)`,
  );
  process.exit(1);
}
if (!onPath("redis-server") && !install()) {
  console.error("redis-server is missing; install it first, on Debian: apt-get install -y redis-server");
  process.exit(1);
}
