/**
 * The core: events, what is kept, and what is known in; episodes and what is to be kept out. Pure, and indifferent to the
 * order of the events.
 *
 * What one event tells by itself is told at once. Everything else waits until the events that belong to it must have come,
 * and is then looked at in the order of time, each event before what it teaches is learnt.
 */
import { Batch, type Detected, watchedKey } from "./batch.ts";
import { take } from "./draft.ts";
import { type Known, NOTHING_KNOWN } from "./known.ts";
import { BESIDE_MS } from "./refresh.ts";
import type { Rule } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";
import type { DetectionState, Watched } from "./state.ts";
import { ripe } from "./windows.ts";

/** After which an event's companions must have come, as far as they come at all. */
export const SETTLE_MS = BESIDE_MS + 30_000;

/** @param untold ids of events of which people are still to be told, so that they are not forgotten before */
export function detect(
  rules: readonly Rule[],
  events: readonly SecretEvent[],
  state: DetectionState,
  now: Date,
  known: Known = NOTHING_KNOWN,
  untold: ReadonlySet<string> = new Set(),
): Detected {
  const batch = new Batch(rules, state, known);
  for (const event of events) take(batch.of(watchedKey(event)), event);
  batch.lookAtOnce(events);
  batch.lookAround(now.getTime() - SETTLE_MS);
  batch.lookThrough(now);
  batch.lookForMissing(now);
  return batch.result(now, untold);
}

/** Whether something of a principal must be looked at again by itself, whatever else comes. */
export function isUnripe(rules: readonly Rule[], { held, marks }: Watched, now: Date): boolean {
  return (
    held.size > 0 ||
    rules.some((rule) => {
      const own = "unless" in rule.when ? (marks.get(rule.id) ?? []) : [];
      return ripe(rule, own, now).length < own.length;
    })
  );
}
