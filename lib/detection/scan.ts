/**
 * The records of a file that may concern secrets. In a trail's file, every byte is looked at and one record of a hundred is
 * parsed, which gives the same events as parsing all of them; whatever else a file may be is read the slow way.
 */
import { constants } from "node:buffer";
import { fieldsOf } from "../fields.ts";
import { concernOf, SERVICES } from "./concerns.ts";
import { recordsIn } from "./recordsIn.ts";
import { isAt, isWordByte, RecordWalk } from "./recordWalk.ts";

export interface Scanned {
  /** Parsed: all that concern secrets, all that are no CloudTrail records, and perhaps others. */
  readonly records: readonly unknown[];
  /** How many the file has, whatever they are about. */
  readonly total: number;
  /**
   * Why something could not be read -> how often. Of a record that says it is about something else, nobody knows: it
   * counts in `total`, even if what follows in it is not JSON.
   */
  readonly malformed: ReadonlyMap<string, number>;
}

const BEGINNING = Buffer.from('{"Records":[');
/** Its two brackets and some empty lines. */
const LONGEST_END = 64;
const OPEN = 0x7b;
const COMMA = 0x2c;
const WATCHED = SERVICES.map((name) => ({ name, bytes: Buffer.from(name) }));

export function scan(bytes: Buffer): Scanned {
  return trailRecords(bytes) ?? allRecords(bytes);
}

function allRecords(bytes: Buffer): Scanned {
  if (bytes.length > constants.MAX_STRING_LENGTH)
    return { records: [], total: 0, malformed: new Map([["a file is too large, and is not a trail's", 1]]) };
  const { records, malformed } = recordsIn(bytes.toString("utf8"));
  return { records, total: records.length, malformed };
}

/** @returns undefined unless the file is laid out as a trail's files are, or is the beginning of one */
function trailRecords(bytes: Buffer): Scanned | undefined {
  if (!isAt(bytes, 0, BEGINNING)) return undefined;
  const records: unknown[] = [];
  const malformed = new Map<string, number>();
  const complain = (why: string) => void malformed.set(why, (malformed.get(why) ?? 0) + 1);
  const walk = new RecordWalk(bytes);
  let total = 0;
  let at = BEGINNING.length;
  while (bytes[at] === OPEN) {
    const end = walk.walk(at);
    if (end === -1) {
      complain("the file ends in the middle of a record");
      return { records, total, malformed };
    }
    total++;
    if (mayConcernSecrets(bytes, walk)) {
      const record = parsed(bytes, at, end);
      // In a file that is no JSON as a whole, what such a one holds would be taken for records.
      if (isAround(record)) return undefined;
      if (record !== undefined) records.push(record);
      else {
        complain("a record is not JSON");
        total--;
      }
    }
    at = end;
    if (bytes[at] === COMMA && (at + 1 === bytes.length || bytes[at + 1] === OPEN)) at++;
  }
  return isEnd(bytes, at) ? { records, total, malformed } : undefined;
}

/** Whether nothing is left but what a trail's file ends with, as far as it goes. */
function isEnd(bytes: Buffer, at: number): boolean {
  const left = bytes.length - at;
  return left === 0 || (left <= LONGEST_END && /^\](}\s*)?$/.test(bytes.toString("latin1", at)));
}

/** Says yes too often rather than not often enough: whoever parses the record will know. */
function mayConcernSecrets(bytes: Buffer, walk: RecordWalk): boolean {
  if (walk.isOdd || walk.sourceAt === 0 || walk.actionAt === 0) return true;
  for (const service of WATCHED) {
    if (!isAt(bytes, walk.sourceAt, service.bytes)) continue;
    const concern = concernOf(service.name, wordAt(bytes, walk.actionAt));
    if (concern === "surely") return true;
    if (concern === "named" && walk.isNamed) return true;
  }
  return false;
}

/** No call has a longer name. */
const LONGEST_WORD = 128;

function wordAt(bytes: Buffer, from: number): string {
  let to = from;
  while (to - from < LONGEST_WORD && isWordByte(bytes[to])) to++;
  return bytes.toString("latin1", from, to);
}

function parsed(bytes: Buffer, start: number, end: number): unknown {
  try {
    return JSON.parse(bytes.toString("utf8", start, end));
  } catch {
    return undefined;
  }
}

function isAround(record: unknown): boolean {
  const fields = fieldsOf(record);
  return (
    Array.isArray(fields["Records"]) ||
    Array.isArray(fields["Events"]) ||
    typeof fields["CloudTrailEvent"] === "string"
  );
}
