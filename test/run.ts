/** `npm test`: what `npm run check` looks at, and then every test; the results also go to $REKEY_TEST_RESULTS as JSON. */
import { spawnSync } from "node:child_process";

const run = (command: string, ...words: string[]) =>
  spawnSync(command, words, { stdio: "inherit" }).status ?? 1;

const results = process.env["REKEY_TEST_RESULTS"];
const reporters = results ? ["--reporter=default", "--reporter=json", `--outputFile.json=${results}`] : [];
const checked = run("npm", "run", "--silent", "check");
const tested = run("vitest", "run", ...reporters, ...process.argv.slice(2));
process.exit(checked || tested);
