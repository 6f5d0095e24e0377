/** One principal, and everything on record that it did to the secret. */
import { type Activity, activityOf } from "./activity.ts";
import type { Deliveries, Delivery } from "./deliveries.ts";
import type { ClientFamily, Network, Principal, SecretEvent } from "./secretEvent.ts";

export interface Reader {
  /** A role, a user or a service; `nobody` for what the records ascribe to no one. */
  readonly principal: string;
  readonly kind: Principal["kind"];
  readonly account: string;
  readonly isPerson: boolean;
  /** Of another account than the secret. */
  readonly isForeign: boolean;
  /** Why it was to be expected: a consumer, or the resource policy. Absent for a stranger. */
  readonly knownAs?: string;
  readonly reads: number;
  /** Of the reads, those that only a Decrypt, or only a batch, tells of. */
  readonly shownByKmsAlone: number;
  readonly shownByBatchAlone: number;
  /** ISO 8601, of the reads. */
  readonly first?: string;
  readonly last?: string;
  readonly networks: readonly NetworkUse[];
  readonly clients: readonly { readonly client: ClientFamily; readonly reads: number }[];
  readonly versions: readonly VersionGiven[];
  /** Sessions of the role, of all that it did. */
  readonly sessions: number;
  /** Long-term access keys that were used. */
  readonly accessKeys: readonly string[];
  readonly denied: Tries;
  /** Reads that failed for another reason than a missing right. */
  readonly failed: Tries;
  readonly otherActions: readonly OtherAction[];
  readonly activity: readonly Activity[];
}

interface NetworkUse extends Pick<Network, "kind" | "key"> {
  readonly reads: number;
}

export interface VersionGiven {
  readonly versionId?: string;
  readonly label?: string;
  readonly known: "proven" | "inferred" | "unknown";
  readonly by: Delivery["versionBy"];
  readonly reads: number;
}

interface Tries {
  readonly count: number;
  readonly first?: string;
  readonly last?: string;
}

interface OtherAction extends Tries {
  readonly action: string;
  readonly outcome: SecretEvent["outcome"];
}

/** What a principal has of anything; more are counted in `reads` all the same. */
const MOST_OF_A_KIND = 20;

export const nameOf = ({ principal }: Pick<SecretEvent, "principal">): string => principal?.key ?? "nobody";

/** @param theirs of this principal alone, and not empty */
export function readerOf(
  principal: string,
  theirs: Omit<Deliveries, "readsWithoutDecrypt">,
  bucketMs: number,
  knownAs: string | undefined,
): Reader {
  const given = theirs.given.map(({ event }) => event);
  const everything = [...given, ...theirs.denied, ...theirs.failed, ...theirs.others];
  const [about] = everything;
  const times = triesOf(given);
  // The KMS record of a read was made by the service, and its surroundings are the service's.
  const seen = theirs.given.filter(({ shownBy }) => shownBy !== "kms").map(({ event }) => event);
  return {
    principal,
    kind: about?.principal?.kind ?? "unknown",
    account: about?.principal?.account ?? "",
    isPerson: everything.some((event) => event.principal?.isPerson === true),
    isForeign: everything.some(isForeign),
    ...(knownAs === undefined ? {} : { knownAs }),
    reads: given.length,
    shownByKmsAlone: theirs.given.filter(({ shownBy }) => shownBy === "kms").length,
    shownByBatchAlone: theirs.given.filter(({ shownBy }) => shownBy === "batch").length,
    ...(times.first === undefined ? {} : { first: times.first }),
    ...(times.last === undefined ? {} : { last: times.last }),
    networks: most(seen, ({ network }) => `${network.kind} ${network.key}`).map(({ one, reads }) => ({
      kind: one.network.kind,
      key: one.network.key,
      reads,
    })),
    clients: most(seen, ({ client }) => client).map(({ one, reads }) => ({ client: one.client, reads })),
    versions: versionsOf(theirs.given),
    sessions: new Set(everything.map((event) => event.principal?.session).filter(Boolean)).size,
    accessKeys: [
      ...new Set(
        everything.map((event) => event.principal?.accessKeyId).filter((id) => id?.startsWith("AKIA")),
      ),
    ]
      .filter((id) => id !== undefined)
      .toSorted()
      .slice(0, MOST_OF_A_KIND),
    denied: triesOf(theirs.denied),
    failed: triesOf(theirs.failed),
    otherActions: [...Map.groupBy(theirs.others, ({ action, outcome }) => `${action} ${outcome}`)]
      .map(
        ([, [one, ...rest]]) =>
          one && { action: one.action, outcome: one.outcome, ...triesOf([one, ...rest]) },
      )
      .filter((one) => one !== undefined)
      .toSorted((a, b) => b.count - a.count || (a.action < b.action ? -1 : 1))
      .slice(0, MOST_OF_A_KIND),
    activity: activityOf(given, theirs.denied, bucketMs),
  };
}

function isForeign({ principal, account }: SecretEvent): boolean {
  if (!principal || principal.kind === "service" || principal.account === "" || account === "") return false;
  return principal.account !== account;
}

function triesOf(events: readonly SecretEvent[]): Tries {
  if (events.length === 0) return { count: 0 };
  const times = events.map(({ atMs }) => atMs);
  const iso = (ms: number) => new Date(ms).toISOString();
  const [first, last] = times.reduce(
    ([low, high], ms): [number, number] => [Math.min(low, ms), Math.max(high, ms)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return { count: events.length, first: iso(first), last: iso(last) };
}

function most(events: readonly SecretEvent[], keyOf: (event: SecretEvent) => string) {
  return [...Map.groupBy(events, keyOf)]
    .flatMap(([key, [one, ...rest]]) => (one ? [{ key, one, reads: rest.length + 1 }] : []))
    .toSorted((a, b) => b.reads - a.reads || (a.key < b.key ? -1 : 1))
    .slice(0, MOST_OF_A_KIND);
}

function versionsOf(given: readonly Delivery[]): readonly VersionGiven[] {
  const keyOf = ({ event: { version }, versionBy }: Delivery) =>
    `${version?.id ?? ""} ${version?.id === undefined ? (version?.label ?? "") : ""} ${versionBy}`;
  return [...Map.groupBy(given, keyOf)]
    .flatMap(([key, group]) => {
      const [one] = group;
      if (one === undefined) return [];
      const { version } = one.event;
      return [
        {
          key,
          versionId: version?.id,
          label: version?.id === undefined ? version?.label : undefined,
          known: version?.known ?? ("unknown" as const),
          by: one.versionBy,
          reads: group.length,
        },
      ];
    })
    .toSorted((a, b) => b.reads - a.reads || (a.key < b.key ? -1 : 1))
    .slice(0, MOST_OF_A_KIND)
    .map(({ known, by, reads, versionId, label }) => ({
      ...(versionId === undefined ? {} : { versionId }),
      ...(label === undefined ? {} : { label }),
      known,
      by,
      reads,
    }));
}
