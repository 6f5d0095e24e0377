/**
 * Who was given a secret's value in a window, and what else they did to it: what was observed, apart from what was merely
 * possible, each with what it rests on. Pure, and indifferent to the order of records and to duplicates.
 */
import { bucketMsFor } from "./activity.ts";
import { type Deliveries, deliveriesOf, namelessBatches } from "./deliveries.ts";
import type { PossibleReader } from "./possibleReaders.ts";
import { nameOf, type Reader, readerOf } from "./reader.ts";
import { type Reissue, reissuesOf, type VersionUse, withoutReaders } from "./reissue.ts";
import type { SecretEvent, SecretRef } from "./secretEvent.ts";
import type { Coverage } from "./trailCoverage.ts";
import type { VersionSpan } from "./versionTimeline.ts";

export interface Question {
  readonly secret: SecretRef;
  readonly fromMs: number;
  /** Excluded. */
  readonly toMs: number;
  readonly timeline: readonly VersionSpan[];
  /** Versions whose value was tried at its target and refused, also of before the timeline -> when. */
  readonly revoked: ReadonlyMap<string, number>;
  readonly possible: readonly PossibleReader[];
  readonly coverage: Coverage;
}

export interface BlastRadius {
  readonly secret: SecretRef;
  /** ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly totals: {
    readonly principals: number;
    readonly reads: number;
    readonly denied: number;
    readonly otherActions: number;
  };
  /**
   * Who was given the value, tried, or did anything else to the secret: other accounts first, then whoever was not to be
   * expected, so that a crowd hides none of them; of each the most reads first.
   */
  readonly observed: readonly Reader[];
  /** Beyond the number that is listed. */
  readonly notListed: { readonly principals: number; readonly reads: number; readonly denied: number };
  /** Who could have read it and, as far as was searched, did not. */
  readonly possible: readonly PossibleReader[];
  readonly versions: readonly VersionUse[];
  /** When another version became current in the window, in the order of time; the same one may come back. */
  readonly moves: readonly { readonly at: string; readonly versionId: string }[];
  /** How far the records of Secrets Manager and of KMS agree. */
  readonly pairing: {
    readonly readsProvenByKms: number;
    /** Found, or looked for: `coverage.provable` says of how many. */
    readonly readsWithoutDecrypt: number;
    /** Values that were decrypted for somebody without a read on record, as when only a batch is recorded. */
    readonly decryptsWithoutRead: number;
    /** Batches that name the secret, with neither a read nor a Decrypt on record. */
    readonly batchesAlone: number;
  };
  readonly reissue: readonly Reissue[];
  /** The width of the buckets in which `activity` counts. */
  readonly bucketSeconds: number;
  readonly coverage: Coverage;
}

/** More would not be read, and the answer of a function must stay under 6 MB. */
const MOST_LISTED = 200;

/** @param events of any secret; those some seconds outside of the window help to prove versions */
export function blastRadius(events: readonly SecretEvent[], question: Question): BlastRadius {
  const { secret, fromMs, toMs, timeline, coverage } = question;
  const isInside = ({ atMs }: SecretEvent) => atMs >= fromMs && atMs < toMs;
  const distinct = [...new Map(events.map((event) => [event.eventId, event])).values()];
  const related = distinct.filter((event) => isOf(event, secret));
  const found = deliveriesOf(related, timeline, isInside);
  const possible = [
    ...question.possible,
    ...namelessBatches(distinct)
      .filter((principal) => distinct.some((event) => isInside(event) && nameOf(event) === principal))
      .map((principal) => ({
        principal,
        because: "asked for a batch by filters, of which no single read is on record",
      })),
  ];
  const bucketMs = bucketMsFor(fromMs, toMs);
  const known = new Map(question.possible.map(({ principal, because }) => [principal, because]));
  const observed = [...byPrincipal(found)]
    .map(([principal, theirs]) => readerOf(principal, theirs, bucketMs, known.get(principal)))
    .toSorted(
      (a, b) =>
        strangeness(b) - strangeness(a) ||
        b.reads - a.reads ||
        b.denied.count - a.denied.count ||
        (a.principal < b.principal ? -1 : 1),
    );
  const beyond = observed.slice(MOST_LISTED);
  const sum = (readers: readonly Reader[], of: (reader: Reader) => number) =>
    readers.reduce((total, reader) => total + of(reader), 0);
  const versions = usesOf(found, question);
  const counted = (test: (delivery: Deliveries["given"][number]) => boolean) =>
    found.given.filter(test).length;
  return {
    secret,
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    totals: {
      principals: observed.filter(({ reads }) => reads > 0).length,
      reads: found.given.length,
      denied: found.denied.length,
      otherActions: found.others.length,
    },
    observed: observed.slice(0, MOST_LISTED),
    notListed: {
      principals: beyond.length,
      reads: sum(beyond, ({ reads }) => reads),
      denied: sum(beyond, ({ denied }) => denied.count),
    },
    possible: withoutReaders(possible, observed).slice(0, MOST_LISTED),
    versions,
    moves: timeline
      .flatMap(({ versionId, currentFromMs: ms }) =>
        ms !== undefined && ms >= fromMs && ms < toMs ? [{ at: new Date(ms).toISOString(), versionId }] : [],
      )
      .slice(-MOST_LISTED),
    pairing: {
      readsProvenByKms: counted(({ shownBy, versionBy }) => shownBy === "read" && versionBy === "kms"),
      readsWithoutDecrypt: found.readsWithoutDecrypt,
      decryptsWithoutRead: counted(({ shownBy }) => shownBy === "kms"),
      batchesAlone: counted(({ shownBy }) => shownBy === "batch"),
    },
    reissue: reissuesOf(
      observed,
      versions,
      counted(({ event }) => event.version?.id === undefined),
    ),
    bucketSeconds: bucketMs / 1000,
    coverage,
  };
}

const strangeness = ({ isForeign, knownAs }: Reader) => Number(isForeign) * 2 + Number(knownAs === undefined);

export function isOf({ secrets }: Pick<SecretEvent, "secrets">, { key, arn }: SecretRef): boolean {
  // An ARN whose random end looks like a word is not told from a partial one, and its key then holds the end.
  const whole = arn?.split(":secret:")[1];
  return secrets.some(
    (one) =>
      one.key === key ||
      (arn !== undefined && one.arn === arn) ||
      (whole !== undefined && one.name === whole),
  );
}

function byPrincipal({ given, denied, failed, others }: Deliveries) {
  const names = new Set([...given.map(({ event }) => event), ...denied, ...failed, ...others].map(nameOf));
  const [ofGiven, ofDenied, ofFailed, ofOthers] = [
    Map.groupBy(given, ({ event }) => nameOf(event)),
    Map.groupBy(denied, nameOf),
    Map.groupBy(failed, nameOf),
    Map.groupBy(others, nameOf),
  ];
  return [...names].map(
    (name) =>
      [
        name,
        {
          given: ofGiven.get(name) ?? [],
          denied: ofDenied.get(name) ?? [],
          failed: ofFailed.get(name) ?? [],
          others: ofOthers.get(name) ?? [],
        },
      ] as const,
  );
}

/** Versions that were given out, or were current in the window. */
function usesOf({ given }: Deliveries, { fromMs, toMs, timeline, revoked }: Question): readonly VersionUse[] {
  const spans = timeline.filter(
    ({ currentFromMs = fromMs, currentToMs = toMs }) => currentFromMs < toMs && currentToMs >= fromMs,
  );
  const ids = new Set([
    ...spans.map(({ versionId }) => versionId),
    ...given.flatMap(({ event: { version } }) => (version?.id === undefined ? [] : [version.id])),
  ]);
  const iso = (name: string, ms: number | undefined) =>
    ms === undefined ? {} : { [name]: new Date(ms).toISOString() };
  return [...ids].slice(0, MOST_LISTED).map((versionId) => {
    const reads = given.filter(({ event }) => event.version?.id === versionId);
    const own = timeline.filter((span) => span.versionId === versionId);
    // A label that was moved back made it current twice.
    const last = own.at(-1);
    return {
      versionId,
      isCurrent: last !== undefined && last.currentToMs === undefined,
      reads: reads.length,
      principals: new Set(reads.map(({ event }) => nameOf(event))).size,
      ...iso("currentFrom", own[0]?.currentFromMs),
      ...iso("currentTo", last?.currentToMs),
      ...iso("revokedAt", last?.revokedAtMs ?? revoked.get(versionId)),
    };
  });
}
