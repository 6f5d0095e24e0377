/**
 * The audit log of a run: what was asked, agreed, refused, done, proven and taken back, and by whom. Each entry holds the
 * hash of the one before it, and the run's record the hash of the last one, so that an entry that is changed, taken out, put
 * in between or cut off at the end is found, and where. Pure.
 */
import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { RekeyError } from "../errors.ts";

const entry = z.object({
  /** Of the run that it belongs to. */
  chain: z.string(),
  /** From 1, without a gap. */
  seq: z.number(),
  at: z.iso.datetime(),
  what: z.string(),
  /** A Slack user's id, or what of Rekey did it. */
  by: z.optional(z.string()),
  /** The step; `undo` in front of it for the taking back. */
  step: z.optional(z.string()),
  /** For people: why, what was asked, what was seen. */
  says: z.optional(z.string()),
  /** Of the question that was answered, or of the approval that was used up. */
  digest: z.optional(z.string()),
  /** Hash of the entry before; of nothing, for the first. */
  before: z.string(),
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof entry>;

/** What happened, before it has its place in the chain. */
export type Happening = Omit<AuditEntry, "chain" | "seq" | "before" | "hash">;

/** Where a chain ends. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

export const NOTHING_YET: Head = { seq: 0, hash: "" };

export function chained(chain: string, { seq, hash }: Head, happening: Happening): AuditEntry {
  const whole = { ...happening, chain, seq: seq + 1, before: hash };
  return { ...whole, hash: hashOf(whole) };
}

/** Of every field but the hash itself, in an order that does not depend on who wrote them. */
function hashOf(fields: Omit<AuditEntry, "hash">): string {
  const pairs = Object.entries(fields)
    .filter(([name, value]) => name !== "hash" && value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(pairs)).digest("hex");
}

/** @throws RekeyError RECORD_INVALID */
export function readAuditEntry(value: unknown): AuditEntry {
  const read = entry.safeParse(value);
  if (read.success) return read.data;
  const where = read.error.issues.map(({ path }) => path.join(".")).join(", ");
  throw new RekeyError("RECORD_INVALID", `stored audit entry is not readable at: ${where}`);
}

export type Checked =
  | { readonly holds: true; readonly entries: number }
  | { readonly holds: false; readonly entries: number; readonly broken: Broken };

export interface Broken {
  /** The first place at which it no longer holds. */
  readonly seq: number;
  readonly because: string;
}

/**
 * @param stored in the order of their keys, as they are kept
 * @param head as the run's own record has it; undefined if there is no such record
 */
export function checkChain(chain: string, stored: readonly unknown[], head: Head | undefined): Checked {
  let before = NOTHING_YET;
  const broken = (because: string): Checked => ({
    holds: false,
    entries: stored.length,
    broken: { seq: before.seq + 1, because },
  });
  for (const value of stored) {
    const { success, data } = entry.safeParse(value);
    if (!success) return broken("it does not read as an entry");
    if (data.chain !== chain) return broken(`it belongs to ${data.chain}`);
    if (data.seq !== before.seq + 1) return broken(`entry ${data.seq} stands in its place`);
    if (data.before !== before.hash) return broken("it does not follow the entry before it");
    if (data.hash !== hashOf(data)) return broken("it has been changed");
    before = data;
  }
  if (head === undefined) return broken("the run's own record is gone");
  if (head.seq > before.seq) return broken(`the entries up to ${head.seq} are gone`);
  if (head.seq < before.seq || head.hash !== before.hash) {
    const because = `the run's own record ends with another entry ${head.seq}`;
    return { holds: false, entries: stored.length, broken: { seq: Math.min(head.seq, before.seq), because } };
  }
  return { holds: true, entries: stored.length };
}
