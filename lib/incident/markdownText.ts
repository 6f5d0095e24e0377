/**
 * Text from outside in a page of Markdown: it stands for itself, whatever is in it. It makes no link, no tag, no heading, no
 * row and no mark of ours, and no line but its own.
 */
import { scrub } from "./scrub.ts";

/** Of a sentence; the run's record has all of it. */
const MOST_CHARACTERS = 500;
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;

/** What people and programs said. Whatever looks like a secret is taken out first. */
export const sentence = (text: string): string => plain(scrub(text));

/** For names, which are no secrets: every mark that means something to Markdown or HTML stands for itself. */
export const plain = (text: string): string =>
  bounded(text)
    .replace(/[\\`*_[\]{}<>|~#&@!$]/g, "\\$&")
    // Addresses become links by themselves.
    .replaceAll("://", ":\\/\\/")
    .replace(/\bwww\./gi, (found) => `${found.slice(0, -1)}\\.`)
    // At the beginning of a line or an item these make lists and rules.
    .replace(/^(\d*)([-+=:.)])/, "$1\\$2");

/** In a code span nothing is a link, a mention or a tag; what would end the span or the cell is replaced. */
export const code = (text: string): string =>
  `\`${bounded(text).replaceAll("`", "'").replaceAll("|", "¦") || "-"}\``;

export function table(head: readonly string[], rows: readonly (readonly string[])[], none: string): string {
  if (rows.length === 0) return none;
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

export const list = (items: readonly string[], none: string): string =>
  items.length === 0 ? none : items.map((item) => `- ${item}`).join("\n");

function bounded(text: string): string {
  const characters = [...text.replace(UNSEEN, " ").replace(/ {2,}/g, " ").trim()];
  return characters.length > MOST_CHARACTERS
    ? `${characters.slice(0, MOST_CHARACTERS - 1).join("")}…`
    : characters.join("");
}
