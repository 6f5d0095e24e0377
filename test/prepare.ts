/**
 * Before the tests and the demo: is there a Redis server? PostgreSQL comes with the npm packages, Redis does not. On
 * Debian as root it is installed; otherwise one line says what to install. `chromium` as an argument asks for a browser too.
 */
import { installed } from "./aptGet.ts";

if (Number(process.versions.node.split(".")[0]) < 24) {
  console.error(
    `Node ${process.versions.node} runs this; run it with npm, which uses the pinned one (npm ci first)`,
  );
  process.exit(1);
}
const wanted: readonly (readonly [program: string, ...packages: string[]])[] = [
  ["redis-server", "openssl"],
  ...(process.argv.includes("chromium") ? [["chromium", "fonts-noto-color-emoji"] as const] : []),
];
for (const [program, ...more] of wanted) {
  if (installed(program, ...more)) continue;
  console.error(`${program} is missing; install it first, on Debian: apt-get install -y ${program}`);
  process.exit(1);
}
