/**
 * What only looks, or writes down: its result is kept under the run and the step, and that it is kept is the proof. Done
 * again, it looks again.
 */
import { absent, type Effect, nothingBefore, passed, type Task } from "../incident/effect.ts";
import type { Findings, IncidentStore } from "../incident/incidentStore.ts";

export function keptEffect(
  incidents: IncidentStore,
  now: () => Date,
  check: string,
  find: (task: Task) => Promise<Pick<Findings, "lines" | "gave">>,
): Effect {
  return {
    before: nothingBefore,
    async act(task) {
      const found = await find(task);
      await incidents.keep(task.runId, task.order.place, { ...found, at: now().toISOString() });
      return found.gave;
    },
    async prove({ runId, order, beganAt }) {
      const kept = await incidents.kept(runId, order.place);
      if (kept === undefined || Date.parse(kept.at) < beganAt.getTime())
        return absent("nothing is kept of it");
      const shows = kept.lines[0] ?? "kept";
      return passed(check, shows, now(), kept.gave ? { gave: kept.gave } : {});
    },
  };
}
