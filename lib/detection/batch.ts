/** One batch of events on its way through the rules. */
import { leastAgainstUsual } from "./busy.ts";
import { add, type Draft, draftOf, push, settled, watchedOf } from "./draft.ts";
import { type Episode, episodesOf } from "./episodes.ts";
import { isSeeded, Learning, type Sighting } from "./history.ts";
import { holds } from "./holds.ts";
import type { Known } from "./known.ts";
import { lessonsOf } from "./lessons.ts";
import { byTime, type Mark, markOf } from "./mark.ts";
import { missedReReads } from "./missing.ts";
import { actionsOf, type Needs, needsOf } from "./needs.ts";
import { isSharedNetwork } from "./newness.ts";
import { refreshes } from "./refresh.ts";
import type { Rule, Test } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";
import { type DetectionState, forgetting, isEmpty, NOBODY_WATCHED, type Watched } from "./state.ts";
import { withVersions } from "./versionInUse.ts";
import { isOurs, PLAIN_VIEW, type View } from "./view.ts";
import { matchesOf, type Part, partsOf, ripe } from "./windows.ts";

export interface Detected {
  /** Episodes that began, grew, or changed. */
  readonly found: readonly Episode[];
  /** What rules that need a history would have said, had there been one. */
  readonly dry: readonly Episode[];
  readonly state: DetectionState;
  /** To be merged into what is usual, by subject and fact. */
  readonly news: ReadonlyMap<string, ReadonlyMap<string, Sighting>>;
}

/** Under what a principal's events are kept; what a service did by itself is the account's. */
export const watchedKey = ({ principal, account }: SecretEvent): string => principal?.key ?? account;

interface RulePart {
  readonly rule: Rule;
  readonly needs: Needs;
  readonly part: Part;
  readonly test: Test;
  readonly actions: ReadonlySet<string> | undefined;
}

/** Used once, in the order of its methods. */
export class Batch {
  readonly #rules: readonly (readonly [Rule, Needs])[];
  readonly #parts: readonly RulePart[];
  readonly #byAction = new Map<string, readonly RulePart[]>();
  readonly #state: DetectionState;
  readonly #known: Known;
  readonly #usual: Learning;
  readonly #drafts = new Map<string, Draft>();

  constructor(rules: readonly Rule[], state: DetectionState, known: Known) {
    this.#rules = rules.map((rule) => [rule, needsOf(rule)]);
    this.#parts = this.#rules.flatMap(([rule, needs]) =>
      partsOf(rule.when).map(([part, test]) => ({ rule, needs, part, test, actions: actionsOf(test) })),
    );
    this.#state = state;
    this.#known = known;
    this.#usual = new Learning(state.usual);
    // Also who did nothing since: what was held of them may be ripe.
    for (const key of state.principals.keys()) this.of(key);
  }

  of(key: string): Draft {
    const draft = this.#drafts.get(key) ?? draftOf(this.#state.principals.get(key) ?? NOBODY_WATCHED);
    this.#drafts.set(key, draft);
    return draft;
  }

  lookAtOnce(events: readonly SecretEvent[]): void {
    const view = { ...PLAIN_VIEW, known: this.#known, usual: this.#usual };
    for (const event of events) this.#hold(event, view, true);
  }

  lookAround(beforeMs: number): void {
    const drafts = [...this.#drafts.values()];
    const refreshed = new Set(drafts.flatMap(({ traces }) => [...refreshes(traces)]));
    const view = { known: this.#known, usual: this.#usual, refreshed };
    const ready = withVersions(
      drafts.flatMap((draft) => settled(draft, beforeMs)),
      this.#known,
    ).toSorted(byTime);
    for (const event of ready) {
      this.#hold(event, view, false);
      this.#usual.learn(lessonsOf(event, refreshed.has(event.eventId)));
    }
  }

  lookThrough(now: Date): void {
    for (const [key, draft] of this.#drafts) {
      for (const [rule, needs] of this.#rules) {
        const marks = [...(draft.marks.get(rule.id)?.values() ?? [])];
        if (marks.length === 0 || !("withinSeconds" in rule.when)) continue;
        if ("unless" in rule.when) {
          for (const { part: _, ...mark } of ripe(rule, marks, now))
            if (!isSharedNetwork(this.#usual, mark)) this.#tell(rule, needs, draft, mark);
          continue;
        }
        const { atLeast } = rule.when;
        const least =
          typeof atLeast === "number"
            ? () => atLeast
            : leastAgainstUsual(this.#usual, key, marks, atLeast, rule.when.withinSeconds * 1000);
        for (const mark of matchesOf(rule.when, marks, least)) this.#tell(rule, needs, draft, mark);
      }
    }
  }

  lookForMissing(now: Date): void {
    const missed = missedReReads(this.#known, this.#usual, now);
    for (const [rule] of this.#rules) {
      if (!("missing" in rule.when)) continue;
      for (const { principal, mark } of missed) add(this.of(principal).matches, rule.id, mark);
    }
  }

  result(now: Date, untold: ReadonlySet<string>): Detected {
    const rules = this.#rules.map(([rule]) => rule);
    const principals = new Map<string, Watched>();
    const [found, dry]: [Episode[], Episode[]] = [[], []];
    for (const [key, draft] of this.#drafts) {
      const before = this.#state.principals.get(key) ?? NOBODY_WATCHED;
      const told = (of: "matches" | "dry") =>
        unlike(episodesOf(rules, key, draft[of]), episodesOf(rules, key, before[of]));
      found.push(...told("matches"));
      dry.push(...told("dry"));
      const kept = forgetting(watchedOf(draft), rules, now, new Set([...untold, ...newIn(draft, before)]));
      if (!isEmpty(kept)) principals.set(key, kept);
    }
    const { seen, seededAtMs } = this.#usual;
    const usual = { seen, ...(seededAtMs === undefined ? {} : { seededAtMs }) };
    return { found, dry, state: { principals, usual }, news: this.#usual.news };
  }

  #hold(event: SecretEvent, view: View, atOnce: boolean): void {
    const draft = this.of(watchedKey(event));
    const ours = isOurs(view, event);
    for (const { rule, needs, part, test } of this.#partsFor(event.action)) {
      if (needs.nothing !== atOnce || ours !== (rule.watchesUs === true)) continue;
      if (!holds(test, event, view)) continue;
      if ("each" in rule.when && !("unless" in rule.when)) this.#tell(rule, needs, draft, markOf(event));
      else push(draft.marks, rule.id, { ...markOf(event), part });
    }
  }

  #partsFor(action: string): readonly RulePart[] {
    const known = this.#byAction.get(action);
    if (known) return known;
    const parts = this.#parts.filter(({ actions }) => actions === undefined || actions.has(action));
    this.#byAction.set(action, parts);
    return parts;
  }

  #tell(rule: Rule, needs: Needs, draft: Draft, mark: Mark): void {
    const isDry = needs.history && !isSeeded(this.#usual, mark.atMs);
    add(isDry ? draft.dry : draft.matches, rule.id, mark);
  }
}

/** Nobody can have been told of what was found just now, however late it came. */
const newIn = ({ matches }: Draft, before: Watched): readonly string[] =>
  [...matches].flatMap(([id, own]) =>
    [...own.keys()].filter((eventId) => !before.matches.get(id)?.has(eventId)),
  );

/** What grew or changed; what is the same was told before. */
function unlike(after: readonly Episode[], before: readonly Episode[]): readonly Episode[] {
  const known = new Set(before.map((episode) => JSON.stringify(episode)));
  return after.filter((episode) => !known.has(JSON.stringify(episode)));
}
