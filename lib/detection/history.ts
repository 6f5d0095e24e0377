/**
 * What has been usual: for each subject (a principal, a secret, an account) the facts that were seen of it, with their first
 * and their last time. Sightings merge to the same whatever their order and however often they come, so that duplicates,
 * late records and a seed that runs beside the live scan do no harm. What was not seen for ninety days is as good as new.
 */

export interface Sighting {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Of what is counted: the most there ever was. */
  readonly most?: number;
}

export interface Usual {
  /** Subject, then fact. */
  readonly seen: ReadonlyMap<string, ReadonlyMap<string, Sighting>>;
  /** From when on the history is long enough to say what is new; undefined while it is not. */
  readonly seededAtMs?: number;
}

export const NOTHING_USUAL: Usual = { seen: new Map() };

export const DAY_MS = 86_400_000;
export const KEPT_MS = 90 * DAY_MS;

export interface Lesson {
  readonly subject: string;
  readonly fact: string;
  readonly atMs: number;
  readonly most?: number;
}

export function merged(one: Sighting | undefined, other: Sighting): Sighting {
  if (one === undefined || other.firstMs - one.lastMs > KEPT_MS) return other;
  if (one.firstMs - other.lastMs > KEPT_MS) return one;
  const most = Math.max(one.most ?? 0, other.most ?? 0);
  return {
    firstMs: Math.min(one.firstMs, other.firstMs),
    lastMs: Math.max(one.lastMs, other.lastMs),
    ...(most > 0 ? { most } : {}),
  };
}

/** What is usual while events are gone through one by one; the one that it began with is left as it was. */
export class Learning implements Usual {
  readonly seen: ReadonlyMap<string, ReadonlyMap<string, Sighting>>;
  readonly seededAtMs?: number;
  readonly #subjects: Map<string, ReadonlyMap<string, Sighting>>;
  readonly #own = new Map<string, Map<string, Sighting>>();

  constructor({ seen, seededAtMs }: Usual) {
    this.#subjects = new Map(seen);
    this.seen = this.#subjects;
    if (seededAtMs !== undefined) this.seededAtMs = seededAtMs;
  }

  learn(lessons: readonly Lesson[]): void {
    for (const { subject, fact, atMs, most } of lessons) {
      const facts = this.#factsOf(subject);
      const sighting = { firstMs: atMs, lastMs: atMs, ...(most === undefined ? {} : { most }) };
      facts.set(fact, merged(facts.get(fact), sighting));
    }
  }

  /** What was learnt since, by subject and fact, as it is to be merged with what others learnt meanwhile. */
  get news(): ReadonlyMap<string, ReadonlyMap<string, Sighting>> {
    return this.#own;
  }

  #factsOf(subject: string): Map<string, Sighting> {
    const known = this.#own.get(subject);
    if (known) return known;
    const facts = new Map(this.#subjects.get(subject));
    this.#own.set(subject, facts);
    this.#subjects.set(subject, facts);
    return facts;
  }
}

/** Whether it had been seen before that time. */
export function wasKnown(usual: Usual, subject: string, fact: string, atMs: number): boolean {
  const sighting = usual.seen.get(subject)?.get(fact);
  return sighting !== undefined && sighting.firstMs < atMs;
}

/** Whether it had been seen on a day before: what happened minutes ago is no habit. */
export function wasUsual(usual: Usual, subject: string, fact: string, atMs: number): boolean {
  if (usual.seededAtMs === undefined || atMs < usual.seededAtMs) return false;
  const sighting = usual.seen.get(subject)?.get(fact);
  return sighting !== undefined && sighting.firstMs < atMs - DAY_MS;
}

export const isSeeded = ({ seededAtMs }: Usual, atMs: number): boolean =>
  seededAtMs !== undefined && atMs >= seededAtMs;

export function factsOf(
  usual: Usual,
  subject: string,
  prefix: string,
): readonly (readonly [string, Sighting])[] {
  const facts = usual.seen.get(subject) ?? new Map<string, Sighting>();
  return [...facts]
    .filter(([fact]) => fact.startsWith(prefix))
    .map(([fact, sighting]) => [fact.slice(prefix.length), sighting] as const);
}

/** What of the news is not known already. */
export function changesTo(usual: Usual, news: Learning["news"]): Learning["news"] {
  const changed = [...news].map(([subject, facts]): [string, ReadonlyMap<string, Sighting>] => {
    const known = usual.seen.get(subject);
    return [subject, new Map([...facts].filter(([fact, sighting]) => known?.get(fact) !== sighting))];
  });
  return new Map(changed.filter(([, facts]) => facts.size > 0));
}
