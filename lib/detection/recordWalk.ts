/**
 * Where a record ends, and whose call it tells of, found in the bytes without parsing them. Braces in strings do not count,
 * whatever is escaped in them. Strings make up nine tenths of a record, and in them four bytes are looked at in one step;
 * what is asked at the end of each is cheap and rarely true, because a wrong guess of the processor costs more than a byte.
 */
import { SECRET_ARN } from "./concerns.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const LETTER_U = 0x75;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** What a record says at its top of whose call it tells of; the rest are names of what is around records, and no record. */
const TOP = ["eventSource", "eventName", "Records", "Events", "CloudTrailEvent"].map((name) =>
  Buffer.from(name),
);
const [SOURCE, ACTION] = TOP;
/** By their length, which no two share. */
const NAMES = Array.from({ length: 16 }, (_, length) => TOP.find((name) => name.length === length));
const NAMED = Buffer.from(SECRET_ARN);
/** In the encryption context of the request of the record. */
const NAMED_DEPTH = 3;

/** A name's last four bytes: one comparison tells nearly every other string from it. */
const tailOf = (name: Buffer | undefined) => name?.readInt32LE(name.length - 4) ?? 0;
const [TAIL_1, TAIL_2, TAIL_3, TAIL_4, TAIL_5] = TOP.map(tailOf);
const NAMED_TAIL = tailOf(NAMED);

/** Bytes that one step in a string looks at. */
const STEP = 4;

export class RecordWalk {
  /** Where the values of eventSource and eventName begin in the record walked last; 0 if it has none. */
  sourceAt = 0;
  actionAt = 0;
  /** Whether that record may have a SecretARN. */
  isNamed = false;
  /** Whether it is written in any but the plain way, so that only parsing it tells what it says. */
  isOdd = false;
  readonly #bytes: Buffer;
  readonly #view: DataView;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  /**
   * @param start the place of the opening brace, with four bytes or more before it
   * @returns the place after the closing brace; -1 if the bytes end before that
   */
  walk(start: number): number {
    const end = this.#walk(this.#bytes, this.#view, start);
    if (end !== -1) return end;
    // So near to the end of the bytes that a step would read past it: once more, with room behind.
    const skipped = start - 4;
    const rest = Buffer.concat([this.#bytes.subarray(skipped), Buffer.alloc(2 * STEP)]);
    const endInRest = this.#walk(rest, viewOf(rest), start - skipped);
    if (this.sourceAt > 0) this.sourceAt += skipped;
    if (this.actionAt > 0) this.actionAt += skipped;
    return endInRest === -1 ? -1 : endInRest + skipped;
  }

  #walk(bytes: Buffer, view: DataView, start: number): number {
    this.sourceAt = 0;
    this.actionAt = 0;
    this.isNamed = false;
    this.isOdd = false;
    const last = bytes.length - STEP;
    let depth = 1;
    let at = start + 1;
    while (at < last) {
      const byte = bytes[at++];
      if (byte === QUOTE) {
        let close = at;
        for (;;) {
          let stops = stopsIn(view.getInt32(close, true));
          while (stops === 0) {
            close += STEP;
            if (close > last) return -1;
            stops = stopsIn(view.getInt32(close, true));
          }
          close += (31 - Math.clz32(stops & -stops)) >> 3;
          if (bytes[close] === QUOTE) break;
          // A letter may be written as its number, and then no comparison of bytes finds the word that it is in.
          if (bytes[close + 1] === LETTER_U) this.isOdd = true;
          close += 2;
          if (close > last) return -1;
        }
        const tail = view.getInt32(close - 4, true);
        if (depth === 1) {
          if (tail === TAIL_1 || tail === TAIL_2 || tail === TAIL_3 || tail === TAIL_4 || tail === TAIL_5)
            this.#meet(bytes, at, close);
        } else if (depth === NAMED_DEPTH && tail === NAMED_TAIL) this.isNamed = true;
        at = close + 1;
      } else if (byte === OPEN) depth++;
      else if (byte === CLOSE && --depth === 0) return at;
    }
    return -1;
  }

  /** A string at the top of the record that ends like one of the names. */
  #meet(bytes: Buffer, from: number, close: number): void {
    const name = NAMES[close - from];
    if (name === undefined || !isAt(bytes, from, name)) return;
    const next = bytes[close + 1];
    if (next === COMMA || next === CLOSE) return;
    const valueAt = close + 3;
    const isPlain = next === COLON && bytes[close + 2] === QUOTE && isWordByte(bytes[valueAt]);
    // Of two, the last one counts, as it does when JSON is parsed.
    if (isPlain && name === SOURCE) this.sourceAt = valueAt;
    else if (isPlain && name === ACTION) this.actionAt = valueAt;
    else this.isOdd = true;
  }
}

const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The high bit of each of four bytes that is a quote or a backslash; above the lowest one, others may be set, too. */
const stopsIn = (four: number) =>
  (((four ^ 0x22222222) - 0x01010101) | ((four ^ 0x5c5c5c5c) - 0x01010101)) & ~four & 0x80808080;

export function isAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  for (let place = 0; place < wanted.length; place++) if (bytes[at + place] !== wanted[place]) return false;
  return true;
}

/** A letter or a digit. */
export function isWordByte(byte = 0): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
