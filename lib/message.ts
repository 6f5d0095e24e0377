/**
 * A message in the security channel, and the channel. Pure: lines in, Slack blocks out, within Slack's limits (50 blocks,
 * 3000 characters a section).
 */

export interface Message {
  /** What notifications and screen readers show. */
  readonly text: string;
  readonly blocks: readonly Readonly<Record<string, unknown>>[];
}

/** @throws RekeyError SLACK_FAILED, with `retryAfterSeconds` if the channel said when to come back */
export interface Announcer {
  post(message: Message): Promise<{ readonly messageId: string }>;
  edit(messageId: string, message: Message): Promise<void>;
  reply(messageId: string, text: string): Promise<void>;
}

const SECTION_LIMIT = 2_900;
const MOST_SECTIONS = 20;

export const section = (text: string) => ({ type: "section", text: { type: "mrkdwn", text } });

/** As few sections as hold all texts; what does not fit under the block limit is counted, not dropped silently. */
export function sections(texts: readonly string[]): ReturnType<typeof section>[] {
  const packed = packs(texts.map(cut));
  if (packed.length <= MOST_SECTIONS) return packed.map(({ text }) => section(text));
  const kept = packed.slice(0, MOST_SECTIONS);
  const missing = packed.slice(MOST_SECTIONS).reduce((sum, { holds }) => sum + holds, 0);
  return [...kept.map(({ text }) => text), `... and ${missing} more`].map(section);
}

/** Joins texts by lines into as few as stay under a section's limit. */
export const pack = (texts: readonly string[]): string[] => packs(texts).map(({ text }) => text);

function packs(texts: readonly string[]): { text: string; holds: number }[] {
  const packed: { text: string; holds: number }[] = [];
  for (const text of texts) {
    const last = packed.at(-1);
    if (last !== undefined && last.text.length + text.length + 1 <= SECTION_LIMIT) {
      last.text += `\n${text}`;
      last.holds += 1;
    } else packed.push({ text, holds: 1 });
  }
  return packed;
}

export const cut = (text: string) =>
  text.length > SECTION_LIMIT ? `${text.slice(0, SECTION_LIMIT - 1)}…` : text;

/** Slack's three; it also takes the power from `<!channel>` in a tag or a reason. */
export const escapeText = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
