/**
 * What is remembered of stops: each verdict, so that an event that is delivered again is not judged again; each episode, its
 * message and its evidence. Every write of an episode is conditional, and whoever is showing one holds it meanwhile, so that
 * two invocations post one message.
 */
import * as z from "zod/mini";
import { RekeyError } from "../errors.ts";
import { QUESTIONS } from "./evidence.ts";
import type { Episode } from "./stopEpisode.ts";
import { GRAVEST_FIRST, type Verdict } from "./verdict.ts";

const severity = z.enum(GRAVEST_FIRST);
const counted = z.object({ id: z.string(), atMs: z.number() });
const held = z.object({ by: z.string(), untilMs: z.number() });

const episodeSchema = z.object({
  name: z.string(),
  cause: z.string(),
  container: z.optional(z.string()),
  openedBy: z.string(),
  stops: z.array(counted),
  more: z.number(),
  severity,
  isLoud: z.boolean(),
  repeat: z.optional(z.object({ count: z.number(), severity })),
  toldBy: counted,
  says: z.string(),
  lookAt: z.array(z.string()),
  recoveredAtMs: z.optional(z.number()),
});

const recordSchema = z.object({
  episode: episodeSchema,
  /** Of the message in the channel. */
  messageId: z.optional(z.string()),
  /** Digest of what stands there, and since when. */
  shown: z.optional(z.string()),
  shownAtMs: z.optional(z.number()),
  /** Who is bringing the message up to date. */
  showing: z.optional(held),
  pack: z.optional(
    z.array(
      z.object({
        question: z.enum(QUESTIONS),
        lines: z.array(z.string()),
        missing: z.optional(z.string()),
      }),
    ),
  ),
  gathering: z.optional(held),
  /** How many replies of the pack stand in the thread. */
  replies: z._default(z.number(), 0),
});

export type EpisodeRecord = Omit<z.infer<typeof recordSchema>, "episode"> & {
  readonly episode: Episode;
};

/** @throws RekeyError RECORD_INVALID: a record that does not read back whole is never acted upon */
export function readEpisode(value: unknown): EpisodeRecord {
  const parsed = recordSchema.safeParse(value);
  if (parsed.success) return parsed.data as EpisodeRecord;
  const where = parsed.error.issues.map((issue) => issue.path.join(".")).join(", ");
  throw new RekeyError("RECORD_INVALID", `stored episode is not readable at: ${where}`);
}

const verdictSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("planned"), says: z.string() }),
  z.object({ kind: z.literal("recovery"), says: z.string() }),
  z.object({
    kind: z.literal("alert"),
    severity,
    cause: z.string(),
    container: z.optional(z.string()),
    says: z.string(),
    lookAt: z.array(z.string()),
    post: z.enum(["now", "when repeated"]),
    repeat: z.optional(z.object({ count: z.number(), severity })),
    againAtSeconds: z.optional(z.number()),
  }),
]);

/** @throws RekeyError RECORD_INVALID */
export function readSettled(value: unknown): Settled {
  const parsed = verdictSchema.safeParse(value);
  if (parsed.success) return parsed.data as Settled;
  throw new RekeyError("RECORD_INVALID", "stored verdict of a stop is not readable");
}

export type Settled = Exclude<Verdict, { readonly kind: "wait" }>;

export interface EpisodeLog {
  /**
   * Keeps the verdict of a stop, unless one of the same event or of a later version is kept already, or the new one is
   * graver for the same version.
   * @returns what is kept now; undefined if it belongs to a later version, and this event is history
   */
  settle(id: string, version: number, verdict: Settled): Promise<Settled | undefined>;
  /** @returns the kept verdict; "history" if a later version has been judged; undefined if nothing is kept */
  settled(id: string, version: number): Promise<Settled | "history" | undefined>;
  episodes(name: string): Promise<readonly EpisodeRecord[]>;
  /**
   * Changes one record by reading it, and writing it only if nobody wrote meanwhile; otherwise once more. The same object
   * back from `change` writes nothing.
   * @returns the record as it stands then
   */
  change(
    name: string,
    key: string,
    change: (before: EpisodeRecord | undefined) => EpisodeRecord | undefined,
  ): Promise<EpisodeRecord | undefined>;
  /** When the service last said that it was well. */
  recover(name: string, atMs: number): Promise<void>;
  recoveredAt(name: string): Promise<number | undefined>;
}
