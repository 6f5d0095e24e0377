/** What is kept between two batches of records: of each principal, and of what is usual. */
import type { Matches } from "./episodes.ts";
import { GAP_MS } from "./episodes.ts";
import { NOTHING_USUAL, type Usual } from "./history.ts";
import type { Mark } from "./mark.ts";
import { PLANNED_MS, type Trace } from "./refresh.ts";
import type { Rule } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";
import type { Placed } from "./windows.ts";

export interface DetectionState {
  /** By the principal's key; by the account for what a service did by itself. */
  readonly principals: ReadonlyMap<string, Watched>;
  readonly usual: Usual;
}

export interface Watched {
  /** Event id -> its time: the same record may come by another road, or again by this one. */
  readonly seen: ReadonlyMap<string, number>;
  /** Too fresh to be judged: what belongs to them may still come. */
  readonly held: readonly SecretEvent[];
  readonly traces: readonly Trace[];
  /** By rule. */
  readonly marks: ReadonlyMap<string, readonly Placed[]>;
  readonly matches: Matches;
  /** What rules that need a history would have said before there was one. */
  readonly dry: Matches;
}

export const NOTHING_SEEN: DetectionState = { principals: new Map(), usual: NOTHING_USUAL };

export const NOBODY_WATCHED: Watched = {
  seen: new Map(),
  held: [],
  traces: [],
  marks: new Map(),
  matches: new Map(),
  dry: new Map(),
};

/** How late a record may be and still count: CloudTrail promises nothing, and is an hour behind at the worst on record. */
const LATEST_MS = 6 * 3_600_000;
/** More of them for one rule and one principal say nothing more; the oldest go first. */
const MOST_MARKS = 2_000;

export const isEmpty = ({ seen, held, marks, matches, dry }: Watched): boolean =>
  seen.size + held.length + marks.size + matches.size + dry.size === 0;

/** Without what nothing that may still come can have to do with. */
export function forgetting(watched: Watched, rules: readonly Rule[], now: Date): Watched {
  const oldest = now.getTime() - LATEST_MS;
  const spans = new Map(
    rules.map(({ id, when }) => [id, "withinSeconds" in when ? when.withinSeconds * 1000 : 0]),
  );
  return {
    seen: new Map([...watched.seen].filter(([, atMs]) => atMs >= oldest)),
    held: watched.held,
    traces: watched.traces.filter(({ atMs }) => atMs >= oldest - PLANNED_MS),
    marks: filled(watched.marks, (id, marks) =>
      marks.filter(({ atMs }) => atMs >= oldest - (spans.get(id) ?? 0)).slice(-MOST_MARKS),
    ),
    matches: recent(watched.matches, oldest),
    dry: recent(watched.dry, oldest),
  };
}

function filled<Of extends { readonly length: number }>(
  map: ReadonlyMap<string, Of>,
  change: (key: string, value: Of) => Of,
): ReadonlyMap<string, Of> {
  const changed = [...map].map(([key, value]): [string, Of] => [key, change(key, value)]);
  return new Map(changed.filter(([, value]) => value.length > 0));
}

/** An episode's end is kept for as long as something may still join it. */
function recent(matches: Matches, oldest: number): Matches {
  const kept = [...matches].map(([id, marks]): [string, ReadonlyMap<string, Mark>] => [
    id,
    new Map([...marks].filter(([, { atMs }]) => atMs >= oldest - GAP_MS)),
  ]);
  return new Map(kept.filter(([, marks]) => marks.size > 0));
}
