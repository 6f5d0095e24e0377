/** Plays one script on a fresh world, then lets everything calm down, and says which law was broken first. */
import { Laws } from "./laws.ts";
import { mend } from "./person.ts";
import { drained, numbersFrom } from "./schedule.ts";
import { happen, LAYOUTS, type Script } from "./script.ts";
import { type Plant, World } from "./world.ts";

/** Long enough for every freeze, lease, rollout, way back and token life in a row. */
const CALM_MS = 45 * 60_000;
const MOST_STEPS = 20_000;
/** A person who mends everything may have to do it again: what waited first may have hidden what waits next. */
const MOST_MENDED = 2;
/** For how long nothing may move before a run counts as one that waits for a person. */
const STILL_MS = 150_000;

export interface Played {
  readonly violation: string | undefined;
  readonly calls: number;
  readonly outcomes: readonly string[];
}

export interface Variation {
  readonly plant?: Plant;
  readonly trace?: (line: string) => void;
}

export async function play(script: Script, { plant, trace }: Variation = {}): Promise<Played> {
  const layout = LAYOUTS[script.layout] ?? LAYOUTS[0];
  if (!layout) throw new Error("no layout");
  const world = new World(layout, script.seed, plant);
  const { schedule } = world;
  const begun = schedule.now;
  if (trace) schedule.trace = (line) => trace(`${((schedule.now - begun) / 1000).toFixed(3)} ${line}`);
  const laws = new Laws(world);
  const isBroken = () => {
    laws.check();
    return laws.violations.length > 0;
  };
  const waited: string[] = [];
  const played = (violation = laws.violations[0]): Played => ({
    violation,
    calls: schedule.answered,
    outcomes: [
      ...waited,
      ...[...world.records.rotations.values()].flatMap((ofRun) =>
        [...ofRun.values()].map(({ outcome }) => outcome ?? "open"),
      ),
    ],
  });

  world.start("rotateAll", 300_000);
  for (const step of script.steps) {
    const choose = numbersFrom(step.order);
    for (let call = 0; call < step.calls; call++) {
      await schedule.step(choose);
      if (isBroken()) return played();
    }
    happen(world, laws, step);
    // Who was answered goes on before anything else happens to it.
    await drained();
    if (isBroken()) return played();
  }

  for (const trouble of world.troubles) trouble.left = 0;
  for (let mended = 0; ; mended++) {
    const end = await calmDown(world, laws);
    if (laws.violations.length > 0) return played();
    if (end === "ended") break;
    const left = world.records.openRotations().map((one) => `${one.secretName}: ${one.because}`);
    if (end === "moving" || mended === MOST_MENDED)
      return played(`stuck, mended ${mended} times: ${left.join("; ")}`);
    waited.push(...left.map(() => "waiting"));
    mend(world, laws);
  }
  laws.endings.checkEnd();
  // A claim that an ended rotation left behind must not be in the way of the next one.
  for (const claim of laws.violations.length === 0 ? laws.endings.leftClaims() : []) {
    world.start("rotateAll", 300_000);
    for (let steps = 0; steps < 60 && laws.endings.leftClaims().includes(claim); steps++)
      await schedule.step(() => 0);
    if (laws.endings.leftClaims().includes(claim))
      return played(`${claim} has ended and is claimed for ever`);
  }
  return played();
}

/** Until every run has ended, or nothing moves any more and a person is waited for, or neither in a long time. */
async function calmDown(world: World, laws: Laws): Promise<"ended" | "waiting" | "moving"> {
  const { schedule, records } = world;
  const calm = schedule.now + CALM_MS;
  let still = { since: schedule.now, writes: records.writes };
  for (let steps = 0; schedule.now < calm && steps < MOST_STEPS; steps++) {
    if (records.open.size === 0 && world.workers.every(({ alive }) => !alive)) return "ended";
    await schedule.step(() => 0);
    laws.check();
    if (laws.violations.length > 0) return "ended";
    if (records.writes !== still.writes) still = { since: schedule.now, writes: records.writes };
    else if (schedule.now - still.since > STILL_MS && laws.endings.waitsForPerson()) return "waiting";
  }
  return records.openRotations().length > 0 ? "moving" : "ended";
}
