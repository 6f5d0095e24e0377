/**
 * `npm run runbooks`: reads every page in `runbooks/` and tells each mistake with its file, line and mend, as the build does.
 * It also names the pages that nobody has read through for too long. The exit code is 1 if there is a mistake.
 */
import { readPages } from "./lib/adapters/runbookFiles.ts";
import { compileRunbooks } from "./lib/incident/compile.ts";
import { toldAs } from "./lib/incident/problem.ts";

const DAY_MS = 86_400_000;

const { runbooks, problems } = compileRunbooks(readPages());
for (const problem of problems) console.error(toldAs(problem));
for (const { id, owner, reviewed, reviewEveryDays } of runbooks) {
  const days = Math.floor((Date.now() - Date.parse(reviewed)) / DAY_MS);
  if (days > reviewEveryDays)
    console.log(`runbooks/${id}.md was read through ${days} days ago; its owner is: ${owner}`);
}
if (problems.length > 0) process.exitCode = 1;
else {
  const steps = runbooks.flatMap((one) => one.steps);
  const machine = steps.filter(({ run }) => run !== "human").length;
  console.log(`${runbooks.length} runbooks, ${steps.length} steps, ${machine} of them run by Rekey`);
}
