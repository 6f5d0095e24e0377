/** An arena in a process of its own, so that several are at work at once. Plans come over IPC, one at a time, and so do verdicts. */
import { type OpenArena, openArena } from "./arena.ts";
import type { Plan } from "./points.ts";
import type { Scenario } from "./smallWorld.ts";
import { tryOnce, type Verdict } from "./trial.ts";

export interface LaneOrder {
  readonly scenario: Scenario;
  readonly bundles: Readonly<Record<string, string>>;
}
export type LaneTask = { readonly plan?: Plan } | { readonly stop: true };
export type LaneAnswer =
  | { readonly ready: true }
  | { readonly verdict: Verdict; readonly log: string }
  | { readonly failed: string };

const LOG_LINES = 40;

let arena: OpenArena | undefined;
let opening: Promise<OpenArena> | undefined;

async function end(code: number): Promise<void> {
  try {
    // One that is still opening has processes, too.
    await (await opening)?.stop();
  } finally {
    process.exit(code);
  }
}

// Whoever started it is gone, perhaps killed: nobody else would stop the servers.
process.once("disconnect", () => void end(1));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end(130));

const say = (answer: LaneAnswer) => process.send?.(answer, () => undefined);

process.on("message", async (message: LaneOrder | LaneTask) => {
  try {
    if ("scenario" in message) {
      opening = openArena(message.scenario, message.bundles);
      arena = await opening;
      say({ ready: true });
    } else if ("stop" in message) await end(0);
    else if (arena) {
      const { workers } = arena;
      const worker = workers.current;
      worker.log.length = 0;
      const verdict = await tryOnce(arena, message.plan);
      const wrote = worker === workers.current ? worker.log : [...worker.log, ...workers.current.log];
      say({ verdict, log: wrote.join("").split("\n").slice(-LOG_LINES).join("\n") });
    }
  } catch (error) {
    say({ failed: error instanceof Error ? (error.stack ?? error.message) : "unknown" });
  }
});
