/** One principal's part of the state, while a batch is worked through. */
import { byTime, type Mark } from "./mark.ts";
import { type Trace, tracesOf } from "./refresh.ts";
import type { SecretEvent } from "./secretEvent.ts";
import type { Watched } from "./state.ts";
import type { Placed } from "./windows.ts";

export interface Draft extends Watched {
  readonly seen: Map<string, number>;
  held: SecretEvent[];
  readonly traces: Trace[];
  readonly marks: Map<string, Placed[]>;
  readonly matches: Map<string, Map<string, Mark>>;
  readonly dry: Map<string, Map<string, Mark>>;
}

export const draftOf = ({ seen, held, traces, marks, matches, dry }: Watched): Draft => ({
  seen: new Map(seen),
  held: [...held],
  traces: [...traces],
  marks: new Map([...marks].map(([id, list]) => [id, [...list]])),
  matches: new Map([...matches].map(([id, own]) => [id, new Map(own)])),
  dry: new Map([...dry].map(([id, own]) => [id, new Map(own)])),
});

/** @returns whether the event is one that had not come before */
export function take(draft: Draft, event: SecretEvent): boolean {
  if (draft.seen.has(event.eventId)) return false;
  draft.seen.set(event.eventId, event.atMs);
  draft.held.push(event);
  draft.traces.push(...tracesOf(event));
  return true;
}

/** @returns the events whose companions must have come, and that are held no longer */
export function settled(draft: Draft, beforeMs: number): readonly SecretEvent[] {
  const ready = draft.held.filter(({ atMs }) => atMs <= beforeMs);
  draft.held = draft.held.filter(({ atMs }) => atMs > beforeMs).sort(byTime);
  return ready;
}

export function push<Of>(lists: Map<string, Of[]>, key: string, value: Of): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

export function add(matches: Map<string, Map<string, Mark>>, ruleId: string, mark: Mark): void {
  const own = matches.get(ruleId) ?? new Map<string, Mark>();
  matches.set(ruleId, own.set(mark.eventId, mark));
}
