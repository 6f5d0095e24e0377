/**
 * When to look for the KMS records that prove versions. All of KMS is a flood, and a read's Decrypt is of the same second: so
 * only the moments around reads are asked for, and those first whose answer is worth the most.
 */
import type { Period } from "./accessLog.ts";
import { SAME_CALL_MS } from "./moments.ts";
import type { SecretEvent } from "./secretEvent.ts";

export interface KeyWindow extends Period {
  /** Reads that may be proven by what is found. */
  readonly reads: number;
}

const SECOND_MS = 1_000;
/** Moments that are so near to one another are asked for at once: one call costs as much as a minute of KMS records. */
const NEAR_MS = 20_000;
/** A window that takes more pages than are allowed proves nothing, so none grows with a busy reader. */
const LONGEST_MS = 60_000;

/** @param reads that do not name their version; those whose version nothing else tells come first, then the rarest readers */
export function keyWindowsFor(reads: readonly SecretEvent[]): readonly KeyWindow[] {
  const counts = new Map<string, number>();
  for (const { principal } of reads) {
    const key = principal?.key ?? "";
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const rankOf = ({ principal, version }: SecretEvent) =>
    (version?.id === undefined ? 0 : 1e9) + (counts.get(principal?.key ?? "") ?? 0);
  const windows: { fromMs: number; toMs: number; reads: number; rank: number }[] = [];
  for (const read of reads.toSorted((a, b) => a.atMs - b.atMs)) {
    const fromMs = read.atMs - SAME_CALL_MS;
    const toMs = read.atMs + SAME_CALL_MS + SECOND_MS;
    const last = windows.at(-1);
    if (last !== undefined && fromMs - last.toMs <= NEAR_MS && toMs - last.fromMs <= LONGEST_MS) {
      last.toMs = toMs;
      last.reads += 1;
      last.rank = Math.min(last.rank, rankOf(read));
    } else windows.push({ fromMs, toMs, reads: 1, rank: rankOf(read) });
  }
  return windows
    .toSorted((a, b) => a.rank - b.rank || b.toMs - a.toMs)
    .map(({ fromMs, toMs, reads: count }) => ({ fromMs, toMs, reads: count }));
}
