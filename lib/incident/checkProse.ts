/** What Slack can show of a step's words. Build only. */
import { escapeText } from "../message.ts";
import type { Prose } from "./parseRunbook.ts";
import type { Complain } from "./problem.ts";

/** A section takes 3,000 characters, after escaping; the rest is for what the message says around them. */
export const MOST_CHARACTERS = 2_700;
/** Headings and buttons, of which Slack shows 75 characters. */
const LONGEST_TITLE = 75;

const UNSHOWN: Readonly<Record<string, string>> = {
  table: "write it as a list, or move it to a part for reading",
  html: "write it in Markdown",
  image: "link to it",
  heading: "use bold text",
  thematicBreak: "take it out",
  definition: "write the address in the link itself",
};

/** @returns the words as one text */
export function checkProse(prose: Prose, title: string, line: number, complain: Complain): string {
  for (const { line: at, type } of prose) {
    const fix = UNSHOWN[type];
    if (fix !== undefined) complain(at, `Slack cannot show what stands here (${type})`, fix);
  }
  if (title.length > LONGEST_TITLE)
    complain(line, `the title has ${title.length} characters`, `Slack shows ${LONGEST_TITLE}; shorten it`);
  const whole = prose.map(({ text }) => text).join("\n\n");
  const length = escapeText(whole).length;
  if (length > MOST_CHARACTERS)
    complain(
      line,
      `the text of "${title}" has ${length} characters`,
      `Slack takes ${MOST_CHARACTERS}; move some of it to a part for reading`,
    );
  if (length === 0) complain(line, `"${title}" has no text`, "say what it means and who decides");
  return whole;
}
