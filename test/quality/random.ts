/**
 * Chance that can be had again: the same seed gives the same numbers on every machine (mulberry32, seeded by an FNV-1a hash).
 * Whoever takes a branch is not moved by how much the others draw, so that a new archetype leaves the old ones as they were.
 */

export interface Random {
  /** At least 0, below 1. */
  readonly next: () => number;
  /** Both ends included. */
  readonly int: (low: number, high: number) => number;
  readonly chance: (share: number) => boolean;
  readonly pick: <T>(from: readonly T[]) => T;
  /** Distinct ones, in any order; all if there are fewer. */
  readonly some: <T>(from: readonly T[], count: number) => T[];
  readonly text: (length: number, alphabet?: string) => string;
  readonly uuid: () => string;
  readonly branch: (name: string) => Random;
}

const HEX = "0123456789abcdef";
export const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
export const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export function randomOf(seed: string): Random {
  let state = hashOf(seed);
  const word = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const next = () => word() / 0x1_0000_0000;
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  const hex8 = () => word().toString(16).padStart(8, "0");
  const pick = <T>(from: readonly T[]): T => {
    const place = int(0, from.length - 1);
    if (place >= from.length || place < 0) throw new Error("there is nothing to pick from");
    return from[place] as T;
  };
  return {
    next,
    int,
    pick,
    chance: (share) => next() < share,
    some: (from, count) => {
      const left = [...from];
      const taken: typeof left = [];
      while (taken.length < count && left.length > 0) taken.push(...left.splice(int(0, left.length - 1), 1));
      return taken;
    },
    text: (length, alphabet = HEX) =>
      Array.from({ length }, () => alphabet.charAt(int(0, alphabet.length - 1))).join(""),
    uuid: () => {
      const all = hex8() + hex8() + hex8() + hex8();
      return `${all.slice(0, 8)}-${all.slice(8, 12)}-4${all.slice(13, 16)}-a${all.slice(17, 20)}-${all.slice(20)}`;
    },
    branch: (name) => randomOf(`${seed}/${name}`),
  };
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let place = 0; place < text.length; place++)
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
  return hash;
}
