/**
 * A page that a program and people write together. The program's sections stand between marks, which are comments on lines
 * of their own; the first of them has a digest of what the program wrote. So a section that nobody touched can be written
 * anew, and everything else is somebody's and stays as it is, byte for byte: what stands outside of the marks, a section that
 * somebody has changed, and the whole page if its marks no longer fit.
 */
import { createHash } from "node:crypto";

/** `section` is of the program; without it the text is a beginning for people, written once. */
export type Part = { readonly section: string; readonly text: string } | { readonly text: string };

export interface Merged {
  readonly text: string;
  /** Sections that somebody has changed: they are left as they are, and what is new of them is not in the page. */
  readonly kept: readonly string[];
  /** Why nothing was written at all, if so: a sentence for each mark that does not fit, with its line. */
  readonly damage: readonly string[];
}

const MARK = /^<!-- rekey:(?:begin ([a-z]+) ([0-9a-f]{16})|end ([a-z]+)) -->$/;
/** What may have been a mark before somebody's editor or hand came to it. */
const MARK_LIKE = /<!-{1,3}\s*rekey\s*:/i;

export function writePage(parts: readonly Part[]): string {
  return parts
    .map((part) => ("section" in part ? marked(part.section, part.text) : `${part.text}\n`))
    .join("\n");
}

function marked(section: string, text: string): string {
  // A line of the text that looks like a mark would end the section, or begin another.
  const lines = text
    .split("\n")
    .map((line) => (MARK_LIKE.test(line) ? line.replaceAll("<!-", "&lt;!-") : line));
  const body = `\n${lines.join("\n")}\n\n`;
  return `<!-- rekey:begin ${section} ${digestOf(body)} -->\n${body}<!-- rekey:end ${section} -->\n`;
}

/** Pure, and the same again on its own result. */
export function merge(existing: string, fresh: string): Merged {
  const page = read(existing);
  if (page.damage.length > 0) return { text: existing, kept: [], damage: page.damage };
  const news = new Map(
    read(fresh).pieces.flatMap((piece) => ("section" in piece ? [[piece.section, piece]] : [])),
  );
  const kept: string[] = [];
  const texts = page.pieces.map((piece) => {
    if (!("section" in piece)) return piece.text;
    const anew = news.get(piece.section);
    news.delete(piece.section);
    if (anew === undefined) return piece.text;
    if (piece.isOurs) return piece.text.includes("\r\n") ? anew.text.replaceAll("\n", "\r\n") : anew.text;
    if (piece.digest !== anew.digest) kept.push(piece.section);
    return piece.text;
  });
  const whole = texts.join("");
  const gap = whole === "" || whole.endsWith("\n") ? "\n" : "\n\n";
  return { text: whole + [...news.values()].map(({ text }) => gap + text).join(""), kept, damage: [] };
}

interface Section {
  readonly section: string;
  /** With its marks and line ends, as it stands. */
  readonly text: string;
  readonly digest: string;
  /** Whether it stands as the program wrote it. */
  readonly isOurs: boolean;
}

interface Page {
  /** Their texts, one after the other, are the page. */
  readonly pieces: readonly (Section | { readonly text: string })[];
  readonly damage: readonly string[];
}

function read(page: string): Page {
  const pieces: (Section | { readonly text: string })[] = [];
  const damage: string[] = [];
  const seen = new Set<string>();
  let open: { readonly section: string; readonly digest: string; readonly line: number } | undefined;
  let held = "";
  let body = "";
  for (const [at, whole] of (page.match(/[^\n]*\n|[^\n]+$/g) ?? []).entries()) {
    const line = at + 1;
    const [, begins, digest = "", ends] = MARK.exec(whole.replace(/\r?\n$/, "")) ?? [];
    if (begins !== undefined) {
      if (open) damage.push(`line ${line}: "${begins}" begins before "${open.section}" has ended`);
      if (seen.has(begins)) damage.push(`line ${line}: "${begins}" is there twice`);
      seen.add(begins);
      if (held !== "") pieces.push({ text: held });
      [open, held, body] = [{ section: begins, digest, line }, whole, ""];
    } else if (ends !== undefined) {
      if (open?.section !== ends) damage.push(`line ${line}: "${ends}" ends, and had not begun`);
      const { section = ends, digest: written = "" } = open ?? {};
      pieces.push({ section, text: held + whole, digest: written, isOurs: digestOf(body) === written });
      [open, held, body] = [undefined, "", ""];
    } else {
      if (MARK_LIKE.test(whole)) damage.push(`line ${line}: a mark of Rekey's was changed`);
      held += whole;
      body += whole;
    }
  }
  if (open) damage.push(`line ${open.line}: "${open.section}" begins, and does not end`);
  if (held !== "") pieces.push({ text: held });
  return { pieces, damage };
}

/** Line ends are the editor's, and no change. */
const digestOf = (body: string): string =>
  createHash("sha256").update(body.replaceAll("\r\n", "\n")).digest("hex").slice(0, 16);
