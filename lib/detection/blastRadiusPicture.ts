/**
 * The picture of a blast radius: a row for each principal, a dot for each stretch of time in which it read, the larger the
 * more often, a cross where it was refused, and a line wherever the current version changed. Plain SVG, drawn for a light
 * page and, by the reader's setting, for a dark one.
 */
import { type Activity, sumOf } from "./activity.ts";
import type { BlastRadius } from "./blastRadius.ts";
import { STYLE } from "./blastRadiusStyle.ts";
import type { Reader } from "./reader.ts";
import { box, cross, dot, escapeXml, line, n, shortened, text } from "./svg.ts";
import { momentOf, ticksOf } from "./timeAxis.ts";

const WIDTH = 960;
const LEFT = 236;
const RIGHT = 92;
const ROW = 30;
const MOST_ROWS = 12;
/** Of a label; names beyond it lose their middle, and have it in the title. */
const LABEL_PX = LEFT - 34;
/** Its letters are half as large again. */
const TITLE_PX = (WIDTH - 48) / 1.5;
const CHARACTER = 6.2;
const SMALLEST = 2.6;
const LARGEST = 11;
const LEVEL = 14;
const MOST_MOVES = 6;

interface Row {
  readonly label: string;
  readonly title: string;
  readonly style: "known" | "strange";
  readonly reads: number;
  readonly denied: number;
  readonly activity: readonly Activity[];
}

interface Frame {
  readonly x: (ms: number) => number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly top: number;
  readonly bottom: number;
}

export function drawBlastRadius(radius: BlastRadius): string {
  const rows = rowsOf(radius);
  const moves = movesOf(radius);
  const top = 96 + Math.min(moves.length, MOST_MOVES) * LEVEL;
  const bottom = top + Math.max(rows.length, 1) * ROW;
  const height = bottom + 84;
  const [fromMs, toMs] = [Date.parse(radius.from), Date.parse(radius.to)];
  const frame: Frame = {
    fromMs,
    toMs,
    top,
    bottom,
    x: (ms) => LEFT + ((ms - fromMs) / Math.max(toMs - fromMs, 1)) * (WIDTH - LEFT - RIGHT),
  };
  const title = `Who read ${radius.secret.name}`;
  const most = Math.max(1, ...rows.flatMap(({ activity }) => activity.map(({ reads }) => reads)));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeXml(title)}">
${STYLE}
<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>
${text(24, 32, shortened(title, TITLE_PX), "title", "start", title)}
${text(24, 54, sentenceOf(radius))}
${box(LEFT, top, WIDTH - LEFT - RIGHT, bottom - top, "window")}
${timeAxis(frame)}
${notSearched(frame, radius)}
${rotations(frame, moves)}
${rows.map((row, place) => drawRow(frame, row, top + place * ROW + ROW / 2, most, radius.bucketSeconds)).join("\n")}
${rows.length === 0 ? text((LEFT + WIDTH - RIGHT) / 2, top + ROW / 2 + 4, "nobody, as far as was searched", "small", "middle") : ""}
${legend(height - 18, rows, moves.length > 0, most)}
</svg>
`;
}

function sentenceOf({ totals, from, to, coverage }: BlastRadius): string {
  const by =
    totals.reads === 0
      ? "No reads"
      : `${count(totals.reads, "read")} by ${count(totals.principals, "principal")}`;
  const searched = coverage.searched === undefined ? ", nothing searched to its end" : "";
  return `${by}, ${totals.denied.toLocaleString("en")} refused, ${momentOf(from)} to ${momentOf(to)} UTC${searched}`;
}

const count = (number: number, what: string) =>
  `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;

/** Readers and those who were refused; who did other things alone has no mark to draw. */
function rowsOf({ observed, notListed }: BlastRadius): readonly Row[] {
  const shown = observed.filter(({ activity }) => activity.length > 0);
  const isTooMany = shown.length > MOST_ROWS || notListed.principals > 0;
  const kept = shown.slice(0, isTooMany ? MOST_ROWS - 1 : MOST_ROWS);
  const rest = shown.slice(kept.length);
  const rows = kept.map((one): Row => {
    const { principal, reads, denied, activity } = one;
    const label = shortened(shortNameOf(principal), LABEL_PX);
    const style = isStranger(one) ? "strange" : "known";
    return { label, title: principal, style, reads, denied: denied.count, activity };
  });
  if (rest.length + notListed.principals === 0) return rows;
  const sum = (of: (reader: Reader) => number) => rest.reduce((total, reader) => total + of(reader), 0);
  const others: Row = {
    label: count(rest.length + notListed.principals, "other"),
    title: "everybody else together",
    style: rest.some(isStranger) || notListed.principals > 0 ? "strange" : "known",
    reads: sum(({ reads }) => reads) + notListed.reads,
    denied: sum(({ denied }) => denied.count) + notListed.denied,
    activity: sumOf(rest.map(({ activity }) => activity)),
  };
  return [...rows, others];
}

const isStranger = ({ knownAs }: Reader) => knownAs === undefined;

/** Of an ARN what people call it by. */
const shortNameOf = (principal: string) =>
  /^arn:[^:]*:[^:]*:[^:]*:[^:]*:(.+)$/.exec(principal)?.[1] ?? principal;

function drawRow(frame: Frame, row: Row, y: number, most: number, bucketSeconds: number): string {
  // Side by side, since whoever is refused often reads in the same hour.
  const lowered = row.denied > 0 && row.reads > 0 ? 9 : 0;
  const marks = row.activity.flatMap(({ at, reads, denied }) => {
    const ms = Math.min(Math.max(Date.parse(at) + bucketSeconds * 500, frame.fromMs), frame.toMs);
    const x = frame.x(ms);
    const says = `${row.title}, from ${at}: ${reads} read, ${denied} refused`;
    return [
      reads > 0 ? dot(x, y - lowered / 2, radiusOf(reads, most), row.style, says) : "",
      denied > 0 ? cross(x, y + lowered, 3.5, "denied", says) : "",
    ];
  });
  const refused = row.denied > 0 ? `${row.denied.toLocaleString("en")} ✕` : "";
  const reads = row.reads > 0 || row.denied === 0 ? row.reads.toLocaleString("en") : "";
  return [
    line(LEFT, y + ROW / 2, WIDTH - RIGHT, y + ROW / 2, "row"),
    text(LEFT - 10, y + 4, row.label, "", "end", row.title),
    ...marks.filter((mark) => mark !== ""),
    text(WIDTH - RIGHT + 10, y + (reads && refused ? -2 : 4), reads),
    refused && text(WIDTH - RIGHT + 10, y + (reads ? 11 : 4), refused, "warn"),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

/** The area says how many, so that twice as many are not four times as large. */
const radiusOf = (reads: number, most: number) =>
  SMALLEST + (LARGEST - SMALLEST) * Math.sqrt((reads - 1) / Math.max(most - 1, 1));

function timeAxis({ x, fromMs, toMs, top, bottom }: Frame): string {
  const ticks = ticksOf(fromMs, toMs, 8).map(({ atMs, label }) =>
    [
      line(x(atMs), top, x(atMs), bottom, "grid"),
      line(x(atMs), bottom, x(atMs), bottom + 5, "axis"),
      text(x(atMs), bottom + 19, label, "small", "middle"),
    ].join("\n"),
  );
  return [
    line(LEFT, bottom, WIDTH - RIGHT, bottom, "axis"),
    ...ticks,
    text(WIDTH - RIGHT, bottom + 36, "times in UTC", "small", "end"),
  ].join("\n");
}

/** What the answer says nothing about is grey, so that it does not look like quiet. */
function notSearched(
  { x, fromMs, toMs, top, bottom }: Frame,
  { coverage: { searched } }: BlastRadius,
): string {
  const within = (ms: number) => Math.min(Math.max(ms, fromMs), toMs);
  const [from, to] = searched
    ? [within(Date.parse(searched.from)), within(Date.parse(searched.to))]
    : [toMs, toMs];
  return [
    [fromMs, from],
    [to, toMs],
  ]
    .flatMap(([left = 0, right = 0]) => {
      const width = x(right) - x(left);
      if (width < 0.5) return [];
      const label =
        width > 80 ? text(x(left) + width / 2, bottom - 6, "not searched", "small", "middle") : "";
      return [box(x(left), top, width, bottom - top, "blind", "not searched"), label];
    })
    .join("\n");
}

interface Moved {
  readonly atMs: number;
  readonly label: string;
}

const movesOf = ({ moves }: BlastRadius): readonly Moved[] =>
  moves.map(({ at, versionId }) => ({ atMs: Date.parse(at), label: `${versionId.slice(0, 8)} is current` }));

/** The last few have a label, each on a line of its own, where no dashes of a later one cross it. */
function rotations({ x, top, bottom }: Frame, moves: readonly Moved[]): string {
  const labelled = moves.slice(-MOST_MOVES);
  return moves
    .map((move) => {
      const place = labelled.indexOf(move);
      const at = x(move.atMs);
      const y = top - 6 - (labelled.length - 1 - place) * LEVEL;
      const isFarRight = at + move.label.length * CHARACTER > WIDTH - 12;
      const label =
        place === -1
          ? ""
          : text(isFarRight ? at - 5 : at + 5, y, move.label, "moved", isFarRight ? "end" : "start");
      return [line(at, place === -1 ? top : y - 9, at, bottom, "rotation"), label].join("\n");
    })
    .join("\n");
}

function legend(y: number, rows: readonly Row[], isRotated: boolean, most: number): string {
  const has = (style: Row["style"]) => rows.some((row) => row.style === style && row.reads > 0);
  const sample = has("known") ? "known" : "strange";
  const entries: readonly (readonly [string, string] | undefined)[] = [
    has("known") ? [dot(0, -4, 5, "known"), "read by whom it is for"] : undefined,
    has("strange") ? [dot(0, -4, 5, "strange"), "read by anybody else"] : undefined,
    most > 1
      ? [
          dot(0, -4, SMALLEST, sample) + dot(14, -4, 8, sample),
          `once, and up to ${most.toLocaleString("en")} times`,
        ]
      : undefined,
    rows.some(({ denied }) => denied > 0) ? [cross(0, -4, 5, "denied"), "refused"] : undefined,
    isRotated ? [line(0, -10, 0, 2, "rotation"), "a new version is current"] : undefined,
  ];
  let x = 30;
  return entries
    .filter((entry) => entry !== undefined)
    .map(([mark, label]) => {
      const isWide = mark.includes("<circle") && mark.lastIndexOf("<circle") > 0;
      const drawn = `<g transform="translate(${n(x)} ${n(y)})">${mark}${text(isWide ? 28 : 12, 0, label, "small")}</g>`;
      x += (isWide ? 52 : 36) + label.length * CHARACTER;
      return drawn;
    })
    .join("\n");
}
