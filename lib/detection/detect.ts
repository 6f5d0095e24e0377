/** The core: events and what is known so far in, episodes and what is known now out. Pure, and indifferent to order. */
import { type Episode, endOf, GAP_MS, withMatch } from "./episodes.ts";
import type { Rule, When } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";
import { type Mark, markOf, matchWith, withMark } from "./windows.ts";

export interface DetectionState {
  /** Event id -> its time: the same record may come by another road, or again by this one. */
  readonly seen: ReadonlyMap<string, number>;
  /** `rule id`, then the principal's key -> what that rule has seen of it. */
  readonly marks: ReadonlyMap<string, readonly Mark[]>;
  readonly episodes: readonly Episode[];
}

export const NOTHING_SEEN: DetectionState = { seen: new Map(), marks: new Map(), episodes: [] };

/** How late a record may be and still count: CloudTrail promises nothing, and is an hour behind at the worst on record. */
const LATEST_MS = 6 * 3_600_000;

/** @returns the episodes that began or grew, and the state for the next batch */
export function detect(
  rules: readonly Rule[],
  events: readonly SecretEvent[],
  state: DetectionState,
  now: Date,
): { readonly found: readonly Episode[]; readonly state: DetectionState } {
  const seen = new Map(state.seen);
  const marks = new Map(state.marks);
  const severities = new Map(rules.map(({ id, severity }) => [id, severity]));
  const severityOf = (id: string) => severities.get(id) ?? "low";
  let { episodes } = state;
  for (const event of events) {
    if (seen.has(event.eventId)) continue;
    seen.set(event.eventId, event.atMs);
    const principal = event.principal?.key ?? event.account;
    for (const rule of rules) {
      for (const mark of markOf(rule.when, event)) {
        const key = `${rule.id} ${principal}`;
        const known = withMark(marks.get(key) ?? [], mark);
        if (!("each" in rule.when)) marks.set(key, known);
        const match = matchWith(rule.when, known, mark);
        if (match.length === 0) continue;
        episodes = withMatch(episodes, rule, principal, match, severityOf);
      }
    }
  }
  // What grew was made anew, and what is the same was not touched.
  const found = episodes.filter((one) => !state.episodes.includes(one));
  return { found, state: forget({ seen, marks, episodes }, rules, now) };
}

/** What nothing that may still come can have to do with. */
function forget(state: DetectionState, rules: readonly Rule[], now: Date): DetectionState {
  const oldest = now.getTime() - LATEST_MS;
  const spans = new Map(rules.map(({ id, when }) => [id, spanMsOf(when)]));
  const marks = [...state.marks].map(([key, list]): [string, readonly Mark[]] => {
    const spanMs = spans.get(key.slice(0, key.indexOf(" "))) ?? 0;
    return [key, list.filter(({ atMs }) => atMs >= oldest - spanMs)];
  });
  return {
    seen: new Map([...state.seen].filter(([, atMs]) => atMs >= oldest)),
    marks: new Map(marks.filter(([, list]) => list.length > 0)),
    episodes: state.episodes.filter((episode) => endOf(episode) >= oldest - GAP_MS),
  };
}

const spanMsOf = (when: When) => ("each" in when ? 0 : when.withinSeconds * 1000);
