/** One principal's part of the state, while a batch is worked through. */
import type { Mark } from "./mark.ts";
import { type Trace, tracesOf } from "./refresh.ts";
import type { SecretEvent } from "./secretEvent.ts";
import type { Watched } from "./state.ts";
import type { Placed } from "./windows.ts";

export interface Draft {
  readonly held: Map<string, SecretEvent>;
  readonly traces: Trace[];
  readonly traced: Set<string>;
  /** By rule, then by part and event id. */
  readonly marks: Map<string, Map<string, Placed>>;
  readonly matches: Map<string, Map<string, Mark>>;
  readonly dry: Map<string, Map<string, Mark>>;
}

export const draftOf = ({ held, traces, marks, matches, dry }: Watched): Draft => ({
  held: new Map(held),
  traces: [...traces],
  traced: new Set(traces.map(({ eventId }) => eventId)),
  marks: new Map(
    [...marks].map(([id, own]) => [id, new Map(own.map((mark) => [`${mark.part} ${mark.eventId}`, mark]))]),
  ),
  matches: new Map([...matches].map(([id, own]) => [id, new Map(own)])),
  dry: new Map([...dry].map(([id, own]) => [id, new Map(own)])),
});

export function take(draft: Draft, event: SecretEvent): void {
  draft.held.set(event.eventId, event);
  if (draft.traced.has(event.eventId)) return;
  draft.traced.add(event.eventId);
  draft.traces.push(...tracesOf(event));
}

/** @returns the events whose companions must have come, and that are held no longer */
export function settled(draft: Draft, beforeMs: number): readonly SecretEvent[] {
  const ready = [...draft.held.values()].filter(({ atMs }) => atMs <= beforeMs);
  for (const { eventId } of ready) draft.held.delete(eventId);
  return ready;
}

export function push(marks: Draft["marks"], ruleId: string, mark: Placed): void {
  const own = marks.get(ruleId) ?? new Map<string, Placed>();
  marks.set(ruleId, own.set(`${mark.part} ${mark.eventId}`, mark));
}

export function add(matches: Map<string, Map<string, Mark>>, ruleId: string, mark: Mark): void {
  const own = matches.get(ruleId) ?? new Map<string, Mark>();
  matches.set(ruleId, own.set(mark.eventId, mark));
}

export const watchedOf = ({ held, traces, marks, matches, dry }: Draft): Watched => ({
  held,
  traces,
  marks: new Map([...marks].map(([id, own]) => [id, [...own.values()]])),
  matches,
  dry,
});
