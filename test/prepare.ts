/**
 * Before the tests and the demo: is there a Redis server? PostgreSQL comes with the npm packages, Redis does not. On
 * Debian as root it is installed; otherwise one line says what to install.
 */
import { installed } from "./aptGet.ts";

if (Number(process.versions.node.split(".")[0]) < 24) {
  console.error(
    `Node ${process.versions.node} runs this; run it with npm, which uses the pinned one (npm ci first)`,
  );
  process.exit(1);
}
if (!installed("redis-server", "openssl")) {
  console.error("redis-server is missing; install it first, on Debian: apt-get install -y redis-server");
  process.exit(1);
}
