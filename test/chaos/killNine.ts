/**
 * Kill -9 at any moment, with people using the backend: rotateAll of the demo's world is started and killed after a random
 * time, `advance` brings the run to its end, and then the next one begins.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { startCrowd } from "../demo/crowd.ts";
import { startWorld, TABLE } from "../demo/world.ts";
import { watchInvariant } from "./monitor.ts";
import { Records } from "./records.ts";

export interface KilledRuns {
  readonly runs: number;
  /** Of these the process was still at work when it was killed. */
  readonly killed: number;
  readonly requests: number;
  readonly failed: number;
  /** Values that could be read and were refused. */
  readonly refused: number;
  readonly tries: number;
  /** Runs that did not end. */
  readonly stuck: number;
  readonly seed: number;
  readonly seconds: number;
}

/** A whole rotation of this backend, but for the wait for its old keys' time, takes about as long. */
const LATEST_MS = 8_000;
const BOUND_MS = 180_000;

export async function killNine(runs: number, seed: number, isLoud: boolean): Promise<KilledRuns> {
  const begunAt = Date.now();
  const random = randomFrom(seed);
  const world = await startWorld({ env: { REKEY_ROLLOUT_SECONDS: "15", REKEY_LEASE_SECONDS: "60" } });
  const { cloud, client, postgres, primary, replica } = world;
  const records = new Records(client, TABLE);
  const crowd = startCrowd(cloud);
  const watch = watchInvariant({ cloud, postgres, redis: [primary, replica] }, { everyMs: 250 });
  let [killed, stuck] = [0, 0];
  try {
    for (let run = 1; run <= runs && stuck === 0; run += 1) {
      const afterMs = Math.floor(random() * LATEST_MS);
      const running = cloud.lambda.start("rotateAll", {});
      const early = await Promise.race([running.result, sleep(afterMs)]);
      running.kill();
      await running.result;
      if (!early) killed += 1;
      const { runIds } = await records.open();
      await Promise.all(runIds.map((runId) => records.ageLease(runId)));
      if (!(await converges(records, (name) => cloud.lambda.invoke(name, {})))) stuck += 1;
      if (isLoud)
        console.log(
          `${run}/${runs}  killed after ${afterMs} ms; ${crowd.requests()} requests, ${crowd.failures.length} failed, ${watch.refusals.length} refused`,
        );
    }
    await crowd.stop();
    await watch.stop();
    for (const refusal of watch.refusals.slice(0, 5)) console.error(JSON.stringify(refusal));
    for (const failure of crowd.failures.slice(0, 5)) console.error(JSON.stringify(failure));
    return {
      runs,
      killed,
      requests: crowd.requests(),
      failed: crowd.failures.length,
      refused: watch.refusals.length,
      tries: watch.tries,
      stuck,
      seed,
      seconds: Math.round((Date.now() - begunAt) / 1000),
    };
  } finally {
    crowd.kill();
    records.stop();
    await watch.stop().catch(() => undefined);
    await world.stop();
  }
}

async function converges(
  records: Records,
  invoke: (name: "rotateAll" | "advance") => Promise<unknown>,
): Promise<boolean> {
  for (const deadline = Date.now() + BOUND_MS; Date.now() < deadline; await sleep(500)) {
    const { held, runIds } = await records.open();
    if (held.length === 0) return true;
    const isUnborn = (await Promise.all(runIds.map((id) => records.run(id)))).every(({ run }) => !run);
    await invoke(isUnborn && (await records.agePointer()) ? "rotateAll" : "advance");
  }
  return false;
}

/** Mulberry32: the same moments again for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
