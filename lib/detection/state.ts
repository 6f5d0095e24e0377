/**
 * What is kept between two batches of records: of each principal, and of what is usual. All of it is kept by event id or merges
 * with itself, so that a record that comes again, by another road or by this one, changes nothing and nobody need
 * remember which have come.
 */
import type { Matches } from "./episodes.ts";
import { endOf, episodesOf, GAP_MS } from "./episodes.ts";
import { NOTHING_USUAL, type Usual } from "./history.ts";
import { byTime, type Mark } from "./mark.ts";
import { PLANNED_MS, type Trace } from "./refresh.ts";
import type { Rule } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";
import { type Placed, thinned } from "./windows.ts";

export interface DetectionState {
  /** By the principal's key; by the account for what a service did by itself. */
  readonly principals: ReadonlyMap<string, Watched>;
  readonly usual: Usual;
}

export interface Watched {
  /** By event id. Too fresh to be judged: what belongs to them may still come. */
  readonly held: ReadonlyMap<string, SecretEvent>;
  readonly traces: readonly Trace[];
  /** By rule. */
  readonly marks: ReadonlyMap<string, readonly Placed[]>;
  readonly matches: Matches;
  /** What rules that need a history would have said before there was one. */
  readonly dry: Matches;
}

export const NOTHING_SEEN: DetectionState = { principals: new Map(), usual: NOTHING_USUAL };

export const NOBODY_WATCHED: Watched = {
  held: new Map(),
  traces: [],
  marks: new Map(),
  matches: new Map(),
  dry: new Map(),
};

/** How late a record may be and still be judged with those that belong to it: an hour is the worst on record. */
const LATEST_MS = 3_600_000;
/** More of them for one rule and one principal say nothing more. */
const MOST = 500;
const FIRST = 10;
const MOST_TRACES = 5_000;

export const isEmpty = ({ held, marks, matches, dry }: Watched): boolean =>
  held.size + marks.size + matches.size + dry.size === 0;

/**
 * Without what nothing that may still come can have to do with.
 *
 * @param untold ids of events that people are still to be told of
 */
export function forgetting(
  watched: Watched,
  rules: readonly Rule[],
  now: Date,
  untold: ReadonlySet<string>,
): Watched {
  const oldest = now.getTime() - LATEST_MS;
  const whens = new Map(rules.map(({ id, when }) => [id, when]));
  const marks = [...watched.marks].map(([id, own]): [string, readonly Placed[]] => {
    const when = whens.get(id);
    const spanMs = when !== undefined && "withinSeconds" in when ? when.withinSeconds * 1000 : 0;
    const recent = own.filter(({ atMs }) => atMs >= oldest - spanMs);
    return [id, (when === undefined ? recent : thinned(when, recent)).toSorted(byTime).slice(-MOST)];
  });
  return {
    held: watched.held,
    traces: watched.traces.filter(({ atMs }) => atMs >= oldest - PLANNED_MS).slice(-MOST_TRACES),
    marks: new Map(marks.filter(([, own]) => own.length > 0)),
    matches: recent(watched.matches, rules, oldest, untold),
    dry: recent(watched.dry, rules, oldest),
  };
}

/**
 * An episode is kept for as long as something may still join it, and until it was told; of a long one, how it began and how it
 * goes on.
 */
function recent(
  matches: Matches,
  rules: readonly Rule[],
  oldest: number,
  spared: ReadonlySet<string> = new Set(),
): Matches {
  const over = episodesOf(rules, "", matches).filter(
    (episode) =>
      endOf(episode) < oldest - GAP_MS && !episode.events.some(({ eventId }) => spared.has(eventId)),
  );
  const gone = new Set(
    over.flatMap(({ family, events }) => events.map(({ eventId }) => `${family} ${eventId}`)),
  );
  const kept = rules.flatMap(({ id, family }): [string, ReadonlyMap<string, Mark>][] => {
    const own = [...(matches.get(id)?.values() ?? [])].filter(
      ({ eventId }) => !gone.has(`${family} ${eventId}`),
    );
    const marks = own.toSorted(byTime);
    const some = marks.length > MOST ? [...marks.slice(0, FIRST), ...marks.slice(FIRST - MOST)] : marks;
    return some.length === 0 ? [] : [[id, new Map(some.map((mark) => [mark.eventId, mark]))]];
  });
  return new Map(kept);
}
