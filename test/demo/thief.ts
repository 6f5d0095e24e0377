/** Whoever has the leaked values: tries each of them all the time, and so knows to a quarter of a second when it died. */
import { setTimeout as sleep } from "node:timers/promises";
import { leakedValues } from "./proof.ts";
import type { World } from "./world.ts";

export interface Thief {
  /** Whether every value was refused when it was tried last. */
  isCutOff(): boolean;
  /** Value -> since when it is refused, epoch milliseconds; without those that are accepted. */
  diedAt(): Readonly<Record<string, number>>;
  readonly values: readonly string[];
  tries(): number;
  stop(): Promise<void>;
}

const PAUSE_MS = 250;

export async function startThief(world: World): Promise<Thief> {
  const values = await leakedValues(world);
  const dead = new Map<string, number>();
  let tries = 0;
  let isStopped = false;
  const trying = Object.entries(values).map(async ([value, isRefused]) => {
    while (!isStopped) {
      // No answer, as while a task is replaced, is neither yes nor no.
      const refused = await isRefused().catch(() => undefined);
      tries += 1;
      if (refused === false) dead.delete(value);
      if (refused === true && !dead.has(value)) dead.set(value, Date.now());
      await sleep(PAUSE_MS);
    }
  });
  return {
    values: Object.keys(values),
    isCutOff: () => dead.size === trying.length,
    diedAt: () => Object.fromEntries(dead),
    tries: () => tries,
    async stop() {
      isStopped = true;
      await Promise.all(trying);
    },
  };
}
