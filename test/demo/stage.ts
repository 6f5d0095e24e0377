/** Everything of a demo that is running, so that whoever ends it can end all of it, finished or not. */
import type { Watch } from "../chaos/monitor.ts";
import type { Crowd } from "./crowd.ts";
import type { View } from "./view.ts";
import type { World } from "./world.ts";

export interface Stage {
  world?: Promise<World>;
  crowd?: Crowd;
  view?: View;
  watch?: Watch;
  isEnding?: boolean;
}

/** Somebody asked for the end before it was reached. */
export class Interrupted extends Error {}

/** @throws Interrupted meanwhile: nothing may be started in a world that is being stopped */
export async function worldOf(running: Stage): Promise<World> {
  const world = await running.world;
  if (world === undefined || running.isEnding) throw new Interrupted();
  return world;
}

export async function endStage(running: Stage): Promise<void> {
  running.isEnding = true;
  running.view?.stop();
  // Its tries end with the world; an interrupted one has nothing to tell.
  running.watch?.stop().catch(() => undefined);
  running.crowd?.kill();
  // A world that did not come up has cleared itself away; why, is told by whoever waited for it.
  const built = await running.world?.catch(() => undefined);
  await built?.stop();
}
