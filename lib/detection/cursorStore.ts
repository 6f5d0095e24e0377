/** Where cursors live, and what is read back of one: another release may have written it, or a hand. */
import { RekeyError } from "../errors.ts";
import { fieldsOf } from "../fields.ts";
import type { Cursor, CursorKind, Remembered } from "./cursor.ts";

export interface CursorStore {
  /** @throws RekeyError RECORD_INVALID if what is stored is no cursor */
  readonly read: (place: string, kind: CursorKind) => Promise<Cursor | undefined>;
  /**
   * Writes it only if nobody wrote it since it was read.
   * @returns it with its next revision, or undefined if somebody did
   */
  readonly save: (cursor: Cursor) => Promise<Cursor | undefined>;
  /** Keeps the cursor's own ids apart, under its revision; the same again changes nothing. */
  readonly file: (cursor: Cursor) => Promise<void>;
  /** Every id that is filed for a place. */
  readonly filed: (place: string) => Promise<readonly Remembered[]>;
  /** Drops the lots in which everything is older. */
  readonly forget: (place: string, beforeMs: number) => Promise<void>;
}

const NUMBERS = ["rev", "fromMs", "toMs", "settledToMs"] as const;
const OPEN_NUMBERS = [
  "fromMs",
  "toMs",
  "startedAtMs",
  "askedToMs",
  "pages",
  "pagesAtRefusal",
  "records",
  "fresh",
];

/**
 * Names what is wrong and not what stands there. A cursor that is read wrongly would skip records without a sound, so it is
 * refused; whoever deletes it makes Rekey begin anew.
 * @throws RekeyError RECORD_INVALID
 */
export function readCursor(value: unknown): Cursor {
  const fields = fieldsOf(value);
  const open = fieldsOf(fields["open"]);
  const edge = fieldsOf(open["edge"]);
  const isObject = (one: unknown) => fieldsOf(one) === one;
  const wrong = [
    ...NUMBERS.filter((name) => !Number.isFinite(fields[name])),
    ...(typeof fields["place"] === "string" ? [] : ["place"]),
    ...(["live", "seed"].includes(String(fields["kind"])) ? [] : ["kind"]),
    ...(isObject(fields["recent"]) ? [] : ["recent"]),
    ...["windows", "pages", "records", "fresh"]
      .filter((name) => !Number.isFinite(fieldsOf(fields["totals"])[name]))
      .map((name) => `totals.${name}`),
    ...(Array.isArray(fields["gaps"]) ? [] : ["gaps"]),
    ...(fields["open"] === undefined
      ? []
      : OPEN_NUMBERS.filter((name) => !Number.isFinite(open[name])).map((name) => `open.${name}`)),
    ...(open["edge"] === undefined || (Number.isFinite(edge["atMs"]) && Array.isArray(edge["ids"]))
      ? []
      : ["open.edge"]),
    ...(open["token"] === undefined || typeof open["token"] === "string" ? [] : ["open.token"]),
  ];
  if (wrong.length === 0) return value as Cursor;
  throw new RekeyError(
    "RECORD_INVALID",
    `stored cursor is not readable at: ${wrong.join(", ")}; deleted, it begins anew`,
  );
}
