/** The few shapes that pictures are made of. Text from outside goes in through these alone, and is harmless then. */

export type Anchor = "start" | "middle" | "end";

/** Also what XML 1.0 does not allow at all, which would break the whole picture. */
export function escapeXml(value: string): string {
  return [...value.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]|\p{Cf}/gu, " ")]
    .map((character) => ENTITIES[character] ?? character)
    .join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export const n = (value: number): string => value.toFixed(1);

/** Keeps both ends, where names differ. @param mostPx at 12 pixels a line, as far as widths can be told without a font */
export function shortened(text: string, mostPx: number): string {
  const characters = [...text];
  const widths = characters.map(widthOf);
  const whole = widths.reduce((sum, width) => sum + width, 0);
  if (whole <= mostPx) return text;
  const roomPx = (mostPx - widthOf("…")) / 2;
  const fitting = (all: readonly number[]) => {
    let px = 0;
    return all.findIndex((width) => {
      px += width;
      return px > roomPx;
    });
  };
  const end = fitting(widths.toReversed());
  return `${characters.slice(0, fitting(widths)).join("")}…${characters.slice(characters.length - end).join("")}`;
}

/** On the wide side. */
function widthOf(character: string): number {
  if (/[ -~]/.test(character))
    return /[A-Zmw@%&]/.test(character) ? 9.5 : /[ijlt.,:;'|!/ -]/.test(character) ? 5 : 7.6;
  return 14;
}

const titled = (title: string) => (title === "" ? "" : `<title>${escapeXml(title)}</title>`);

export function text(
  x: number,
  y: number,
  content: string,
  style = "",
  anchor: Anchor = "start",
  title = "",
) {
  const look = style === "" ? "" : ` class="${style}"`;
  return `<text x="${n(x)}" y="${n(y)}"${look} text-anchor="${anchor}">${titled(title)}${escapeXml(content)}</text>`;
}

export function box(x: number, y: number, width: number, height: number, style: string, title = "") {
  return `<rect class="${style}" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}">${titled(title)}</rect>`;
}

export function dot(x: number, y: number, radius: number, style: string, title = "") {
  return `<circle class="${style}" cx="${n(x)}" cy="${n(y)}" r="${n(radius)}">${titled(title)}</circle>`;
}

/** Two strokes across one another. */
export function cross(x: number, y: number, radius: number, style: string, title = "") {
  const [left, right, top, bottom] = [x - radius, x + radius, y - radius, y + radius].map(n);
  return `<path class="${style}" d="M${left} ${top}L${right} ${bottom}M${left} ${bottom}L${right} ${top}">${titled(title)}</path>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, style: string) {
  return `<line class="${style}" x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}"/>`;
}
