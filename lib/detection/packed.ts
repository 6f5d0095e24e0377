/** What is kept of a principal as text, and back. Maps are lists of pairs in it. */
import { RekeyError } from "../errors.ts";
import type { Known } from "./known.ts";
import type { Mark } from "./mark.ts";
import type { Watched } from "./state.ts";
import type { Told } from "./telling.ts";

interface Packed {
  readonly held: readonly [
    string,
    Watched["held"] extends ReadonlyMap<string, infer Event> ? Event : never,
  ][];
  readonly traces: Watched["traces"];
  readonly marks: readonly (readonly [
    string,
    Watched["marks"] extends ReadonlyMap<string, infer Own> ? Own : never,
  ])[];
  readonly matches: readonly PackedMatches[];
  readonly dry: readonly PackedMatches[];
  readonly told: readonly Told[];
}

type PackedMatches = readonly [rule: string, marks: readonly Mark[]];

export function pack(watched: Watched, told: readonly Told[]): string {
  const flat = (matches: Watched["matches"]): PackedMatches[] =>
    [...matches].map(([rule, marks]) => [rule, [...marks.values()]]);
  return JSON.stringify({
    held: [...watched.held],
    traces: watched.traces,
    marks: [...watched.marks],
    matches: flat(watched.matches),
    dry: flat(watched.dry),
    told,
  } satisfies Packed);
}

/** @throws RekeyError RECORD_INVALID if it is not what `pack` makes */
export function unpack(text: string): { readonly watched: Watched; readonly told: readonly Told[] } {
  const back = (matches: readonly PackedMatches[]): Watched["matches"] =>
    new Map(matches.map(([rule, marks]) => [rule, new Map(marks.map((mark) => [mark.eventId, mark]))]));
  try {
    const { held, traces, marks, matches, dry, told } = JSON.parse(text) as Packed;
    const watched = {
      held: new Map(held),
      traces,
      marks: new Map(marks),
      matches: back(matches),
      dry: back(dry),
    };
    return { watched, told };
  } catch (error) {
    throw new RekeyError(
      "RECORD_INVALID",
      "what is kept of a principal does not read back; delete the item",
      {
        cause: error,
      },
    );
  }
}

const SET = "set of";
const MAP = "map of";

/** Sets and maps stand in it under a word of their own, at any depth. */
export const packKnown = (known: Known): string =>
  JSON.stringify(known, (_, value: unknown) => {
    if (value instanceof Set) return { [SET]: [...value] };
    return value instanceof Map ? { [MAP]: [...value] } : value;
  });

/** @throws RekeyError RECORD_INVALID if it is not what `packKnown` makes */
export function unpackKnown(text: string): Known {
  try {
    return JSON.parse(text, (_, value: unknown) => {
      if (typeof value !== "object" || value === null) return value;
      if (SET in value) return new Set(value[SET] as Iterable<unknown>);
      return MAP in value ? new Map(value[MAP] as Iterable<[unknown, unknown]>) : value;
    }) as Known;
  } catch (error) {
    throw new RekeyError(
      "RECORD_INVALID",
      "what is known of the account does not read back; delete the item",
      {
        cause: error,
      },
    );
  }
}
