/**
 * The review of a week's access: who read which secret, who had not before, which secrets nobody read, who was refused, and
 * what was not told because somebody had said so. Pure, and indifferent to the order of records and to duplicates.
 */
import { isOf } from "./blastRadius.ts";
import { deliveriesOf, namelessBatches } from "./deliveries.ts";
import { nameOf } from "./reader.ts";
import type { SecretEvent, SecretRef } from "./secretEvent.ts";
import type { Suppression } from "./suppression.ts";

export interface ReviewInput {
  readonly events: readonly SecretEvent[];
  readonly fromMs: number;
  /** Excluded. */
  readonly toMs: number;
  /** `principal secret`, by their keys, of pairs that were seen before -> when first. */
  readonly known: ReadonlyMap<string, number>;
  /** Since when pairs are known. With nothing before the week, nobody can be called new. */
  readonly knownSinceMs: number;
  /** Undefined if the week was not searched whole: then nobody can say what was not read. */
  readonly managed?: readonly SecretRef[];
  readonly suppressions: readonly Suppression[];
  /** What the review could not see. */
  readonly gaps: readonly string[];
}

/** What somebody said is expected, and would else have been told. */
export interface Excused {
  readonly principal: string;
  readonly secret: string;
  readonly rule: string;
  readonly reason: string;
  readonly by: string;
  /** ISO 8601. */
  readonly until: string;
  /** Reads and refusals of the pair in the week, also where no rule would have spoken. */
  readonly times: number;
}

export interface WeeklyReview {
  /** ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly knownSince: string;
  readonly totals: {
    readonly secrets: number;
    readonly principals: number;
    readonly reads: number;
    readonly denied: number;
  };
  /** The most read first. */
  readonly secrets: readonly SecretReaders[];
  /** Pairs of which no read was known before the week. */
  readonly fresh: readonly Pair[];
  /** Managed secrets that nobody read; undefined if that is not known. */
  readonly neverRead?: readonly string[];
  readonly denied: readonly Pair[];
  readonly excused: readonly Excused[];
  /** Who asked for batches of which no single read is on record. */
  readonly namelessBatches: readonly string[];
  readonly gaps: readonly string[];
}

export interface SecretReaders {
  readonly secret: string;
  readonly isManaged: boolean;
  readonly reads: number;
  /** The most reads first. */
  readonly readers: readonly Pair[];
}

export interface Pair {
  readonly principal: string;
  readonly secret: string;
  readonly times: number;
  readonly first: string;
  readonly last: string;
  readonly isPerson: boolean;
  readonly isForeign: boolean;
}

/** The answer of a function must stay under 6 MB. */
const MOST = 2_000;

export const pairKey = (principal: string, secretKey: string): string => `${principal} ${secretKey}`;

/** Who read what in the past, to know whom to call new. @returns `principal secret` -> when first */
export function pairsIn(events: readonly SecretEvent[]): ReadonlyMap<string, number> {
  const pairs = new Map<string, number>();
  const all = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
  for (const { secret, given } of bySecret(events, all)) {
    for (const { event } of given) {
      const key = pairKey(nameOf(event), secret.key);
      pairs.set(key, Math.min(pairs.get(key) ?? Number.POSITIVE_INFINITY, event.atMs));
    }
  }
  return pairs;
}

export function weeklyReview(input: ReviewInput): WeeklyReview {
  const { fromMs, toMs, known, knownSinceMs, managed, suppressions, gaps } = input;
  const found = bySecret(input.events, { fromMs, toMs });
  const managedKeys = new Set(managed?.map(({ key }) => key));
  const secrets = found
    .map(({ secret, given }): SecretReaders & { readonly key: string } => ({
      key: secret.key,
      secret: secret.name,
      isManaged: managedKeys.has(secret.key),
      reads: given.length,
      readers: pairsOf(
        secret,
        given.map(({ event }) => event),
      ),
    }))
    .filter(({ reads }) => reads > 0)
    .toSorted((a, b) => b.reads - a.reads || (a.secret < b.secret ? -1 : 1));
  const denied = found.flatMap(({ secret, denied: refused }) => pairsOf(secret, refused));
  const fresh =
    knownSinceMs >= fromMs
      ? []
      : secrets.flatMap(({ key, readers }) =>
          readers.filter(({ principal }) => (known.get(pairKey(principal, key)) ?? fromMs) >= fromMs),
        );
  const read = new Set(secrets.map(({ key }) => key));
  const readers = new Set(secrets.flatMap((one) => one.readers.map(({ principal }) => principal)));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  return {
    from: iso(fromMs),
    to: iso(toMs),
    knownSince: iso(Math.min(knownSinceMs, fromMs)),
    totals: {
      secrets: secrets.length,
      principals: readers.size,
      reads: sum(secrets.map(({ reads }) => reads)),
      denied: sum(denied.map(({ times }) => times)),
    },
    secrets: secrets.slice(0, MOST).map(({ key: _, ...one }) => one),
    fresh: ranked(fresh).slice(0, MOST),
    ...(managed === undefined
      ? {}
      : {
          neverRead: managed
            .filter(({ key }) => !read.has(key))
            .map(({ name }) => name)
            .toSorted(),
        }),
    denied: ranked(denied).slice(0, MOST),
    excused: suppressions
      .filter(({ fromMs: since, untilMs }) => since < toMs && untilMs >= fromMs)
      .map(({ principal, secret: key, rule, reason, author, untilMs }) => {
        const own = found.find(({ secret }) => secret.key === key);
        const all = own ? [...own.given.map(({ event }) => event), ...own.denied] : [];
        return {
          principal,
          secret: own?.secret.name ?? key,
          rule,
          reason,
          by: author,
          until: iso(untilMs),
          times: all.filter((event) => nameOf(event) === principal).length,
        };
      }),
    namelessBatches: namelessBatches(input.events.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)),
    gaps,
  };
}

/** Every secret that a record names, with what was given out of it and what was refused. */
function bySecret(
  events: readonly SecretEvent[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
) {
  const refs = new Map<string, SecretRef>();
  const related = new Map<string, Map<string, SecretEvent>>();
  for (const event of events) {
    for (const ref of event.secrets) {
      if (refs.get(ref.key)?.arn === undefined) refs.set(ref.key, ref);
      const own = related.get(ref.key) ?? new Map();
      related.set(ref.key, own.set(event.eventId, event));
    }
  }
  return [...refs.values()].map((secret) => {
    const own = [...(related.get(secret.key)?.values() ?? [])].filter((event) => isOf(event, secret));
    const { given, denied } = deliveriesOf(own, [], ({ atMs }) => atMs >= fromMs && atMs < toMs);
    return { secret, given, denied };
  });
}

function pairsOf(secret: SecretRef, events: readonly SecretEvent[]): readonly Pair[] {
  const groups = [...Map.groupBy(events, nameOf)];
  return ranked(
    groups.map(([principal, theirs]) => {
      const times = theirs.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
      return {
        principal,
        secret: secret.name,
        times: theirs.length,
        first: iso(times[0] ?? 0),
        last: iso(times.at(-1) ?? 0),
        isPerson: theirs.some((event) => event.principal?.isPerson === true),
        isForeign: theirs.some(
          ({ principal: who, account }) => who?.kind !== "service" && isOther(who?.account, account),
        ),
      };
    }),
  );
}

const isOther = (theirs: string | undefined, ours: string) =>
  theirs !== undefined && theirs !== "" && ours !== "" && theirs !== ours;

const ranked = (pairs: readonly Pair[]): readonly Pair[] =>
  pairs.toSorted(
    (a, b) =>
      Number(b.isForeign) - Number(a.isForeign) ||
      b.times - a.times ||
      (`${a.principal} ${a.secret}` < `${b.principal} ${b.secret}` ? -1 : 1),
  );

const iso = (ms: number) => new Date(ms).toISOString();
