/** What has to be made anew before the incident is over, and why: values that were given out, and keys that asked for them. */
import type { PossibleReader } from "./possibleReaders.ts";
import type { Reader } from "./reader.ts";

export interface Reissue {
  readonly what: "value" | "access key";
  /** A version's id, or an access key's. */
  readonly id: string;
  readonly because: string;
}

export interface VersionUse {
  readonly versionId: string;
  readonly isCurrent: boolean;
  readonly reads: number;
  readonly principals: number;
  /** ISO 8601; absent where it is not known. */
  readonly currentFrom?: string;
  readonly currentTo?: string;
  /** When it was tried at its target and refused. */
  readonly revokedAt?: string;
}

/**
 * Access keys first. Of the values those that are not known to be dead: a version that nothing says is revoked may still
 * open something, current or not.
 */
export function reissuesOf(
  observed: readonly Reader[],
  versions: readonly VersionUse[],
  unknownReads: number,
): readonly Reissue[] {
  const keys = observed.flatMap(({ accessKeys, principal, reads }) =>
    accessKeys.map((id): Reissue => {
      const did = reads > 0 ? `read the value ${times(reads)}` : "tried to read the value";
      return { what: "access key", id, because: `a long-term key of ${principal}, which ${did}` };
    }),
  );
  const alive = versions.filter(({ reads, revokedAt }) => reads > 0 && revokedAt === undefined);
  const values = alive.map(({ versionId, isCurrent, reads, principals }): Reissue => {
    const who = `given out ${times(reads)} to ${principals} principal${principals === 1 ? "" : "s"}`;
    const state = isCurrent
      ? "it is current: rotate it"
      : "nothing on record says that its value is refused: try it where it opened something";
    return { what: "value", id: versionId, because: `${who}; ${state}` };
  });
  const unknown: readonly Reissue[] =
    unknownReads === 0
      ? []
      : [
          {
            what: "value",
            id: "unknown",
            because: `of ${times(unknownReads)} that it was given out it is not known which version it was: count every version of the window as given out`,
          },
        ];
  return [...keys, ...values, ...unknown];
}

const times = (count: number) => (count === 1 ? "once" : `${count} times`);

/** Those that could have read it and did not, as far as was searched. */
export function withoutReaders(
  possible: readonly PossibleReader[],
  observed: readonly Reader[],
): readonly PossibleReader[] {
  const readers = new Set(observed.filter(({ reads }) => reads > 0).map(({ principal }) => principal));
  return possible.filter(({ principal }) => !readers.has(principal));
}
