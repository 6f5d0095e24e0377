/**
 * Which records were met before. An id is needed again only while its record is young enough to be read by the next window,
 * or stands in the second at which a page ended; everything else is forgotten, so that a backlog of millions costs nothing.
 *
 * A hundred records a second make 132,000 ids in the time that is read twice: too many for one item of a table, and an item
 * for each would cost more than the reading. So ids are sixteen characters, a few hundred stand in the cursor, which moves
 * and remembers in one write, and full lots are filed apart under the cursor's revision. A lot's content follows from the
 * revision, so that filing it twice, or by two at once, is filing it once.
 */
import { createHash } from "node:crypto";
import { fieldsOf, textOf } from "../fields.ts";
import { type Cursor, type Edge, type PageRead, settledBy } from "./cursor.ts";

/** Five kilobytes of ids, in a cursor that is written with every page. */
const LOT = 200;
/** Of one second. Beyond it a refused token may count a record twice. */
const MOST_AT_EDGE = 2_000;

/** @param seen the short ids of earlier windows and pages, both filed and in the cursor */
export function readPage(cursor: Cursor, seen: ReadonlySet<string>, records: readonly unknown[]): PageRead {
  const { open } = cursor;
  const youngFromMs = open && cursor.kind === "live" ? settledBy(open) : Number.POSITIVE_INFINITY;
  const met = new Set(open?.edge?.ids);
  const fresh: unknown[] = [];
  const remember: Record<string, number> = {};
  const times: Mark[] = [];
  for (const record of records) {
    const { id, atMs } = markOf(record);
    const isKnown = id !== undefined && (seen.has(id) || met.has(id));
    if (!isKnown) fresh.push(record);
    if (id === undefined) continue;
    met.add(id);
    // A record without a time may stand anywhere, so it is kept as long as the youngest.
    const heldMs = atMs ?? open?.toMs ?? 0;
    if (!isKnown && heldMs >= youngFromMs) remember[id] = heldMs;
    // One from outside of what was asked for says nothing about how far the pages have come.
    if (atMs !== undefined && open && atMs >= open.fromMs && atMs < open.askedToMs) times.push({ id, atMs });
  }
  return { records: records.length, fresh, remember, ...edgeOf(open?.edge, times) };
}

/** Whether the cursor's own ids are to be filed before it moves on. */
export const isFull = ({ recent }: Cursor): boolean => Object.keys(recent).length >= LOT;

interface Mark {
  readonly id: string;
  readonly atMs: number;
}

function edgeOf(before: Edge | undefined, marks: readonly Mark[]): Pick<PageRead, "edge" | "isInOrder"> {
  if (marks.length === 0) return { edge: before, isInOrder: true };
  const times = marks.map(({ atMs }) => atMs);
  const atMs = Math.min(...times, before?.atMs ?? Number.POSITIVE_INFINITY);
  const isInOrder = before === undefined || Math.max(...times) <= before.atMs;
  const ids = new Set(before?.atMs === atMs ? before.ids : []);
  for (const mark of marks) if (mark.atMs === atMs) ids.add(mark.id);
  return { edge: { atMs, ids: [...ids].slice(-MOST_AT_EDGE) }, isInOrder };
}

/**
 * By the event's own id, or its text if it did not parse. What has neither is never known: taken once more rather than
 * taken for another one.
 */
function markOf(record: unknown): { readonly id: string | undefined; readonly atMs: number | undefined } {
  const fields = fieldsOf(record);
  const name = typeof record === "string" ? record : textOf(fields["eventID"]);
  const atMs = Date.parse(textOf(fields["eventTime"]) ?? "");
  return {
    id: name === undefined ? undefined : createHash("sha256").update(name).digest("base64url").slice(0, 16),
    atMs: Number.isNaN(atMs) ? undefined : atMs,
  };
}
