/** Plays one script on a fresh world, then lets everything calm down, and says which law was broken first. */
import { Laws } from "./laws.ts";
import { numbersFrom } from "./schedule.ts";
import { happen, LAYOUTS, type Script } from "./script.ts";
import { type Plant, World } from "./world.ts";

/** Long enough for every freeze, lease, rollout, way back and token life in a row. */
const CALM_MS = 45 * 60_000;
const MOST_STEPS = 20_000;
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
  const played = (violation = laws.violations[0]): Played => ({
    violation,
    calls: schedule.answered,
    outcomes: [...world.records.rotations.values()].flatMap((ofRun) =>
      [...ofRun.values()].map(({ outcome }) => outcome ?? "waiting"),
    ),
  });

  world.start("rotateAll", 300_000);
  for (const step of script.steps) {
    const choose = numbersFrom(step.order);
    for (let call = 0; call < step.calls; call++) {
      await schedule.step(choose);
      if (isBroken()) return played();
    }
    happen(world, laws, step);
    if (isBroken()) return played();
  }

  for (const trouble of world.troubles) trouble.left = 0;
  const calm = schedule.now + CALM_MS;
  let still = { since: schedule.now, revisions: "" };
  for (let steps = 0; schedule.now < calm && steps < MOST_STEPS; steps++) {
    if (world.records.open.size === 0 && world.workers.every(({ alive }) => !alive)) break;
    await schedule.step(() => 0);
    if (isBroken()) return played();
    const revisions = world.records
      .openRotations()
      .map(({ rev }) => rev)
      .join();
    if (revisions !== still.revisions) still = { since: schedule.now, revisions };
    else if (schedule.now - still.since > STILL_MS && laws.waitsForPerson()) break;
  }
  laws.checkEnd();
  // A claim that an ended rotation left behind must not be in the way of the next one.
  for (const claim of laws.violations.length === 0 ? laws.leftClaims() : []) {
    world.start("rotateAll", 300_000);
    for (let steps = 0; steps < 60 && laws.leftClaims().includes(claim); steps++)
      await schedule.step(() => 0);
    if (laws.leftClaims().includes(claim)) return played(`${claim} has ended and is claimed for ever`);
  }
  return played();
}
