/**
 * A message in the security channel, and the channel. Pure: lines in, Slack blocks out, within Slack's limits (50 blocks,
 * 3000 characters a section, and what stands at the constants below), whatever comes in.
 */
import { RekeyError } from "./errors.ts";

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

type Block = Message["blocks"][number];

const MOST_BLOCKS = 50;
/** Slack cuts a message's text at 40,000 characters and advises 4,000. */
const MOST_TEXT = 4_000;
const MOST_HEADER = 150;
const MOST_CONTEXT = 10;
const MOST_BUTTONS = 25;
const MOST_BUTTON_TEXT = 75;
const MOST_ACTION_ID = 255;
const MOST_VALUE = 2_000;

/** What is shown, and its plain text for notifications and screen readers. A text is a must: Slack shows nothing else there. */
export function messageOf(text: string, blocks: readonly Block[]): Message {
  const said = short(text.trim() === "" ? "Rekey" : text, MOST_TEXT);
  if (blocks.length <= MOST_BLOCKS) return { text: said, blocks };
  // Buttons stay: a person who cannot read all of it must still be able to act.
  const isKept = (block: Block) => block["type"] === "actions";
  const kept = blocks.filter(isKept).slice(0, MOST_BLOCKS - 2);
  const room = MOST_BLOCKS - kept.length - 1;
  const shown = new Set(blocks.filter((block) => !isKept(block)).slice(0, room));
  const cutOff = section(`... and ${blocks.length - shown.size - kept.length} more`);
  const chosen = blocks.filter((block) => shown.has(block) || kept.includes(block));
  const lastShown = chosen.findLastIndex((block) => shown.has(block));
  return { text: said, blocks: chosen.toSpliced(lastShown + 1, 0, cutOff) };
}

export const header = (text: string): Block => ({
  type: "header",
  text: { type: "plain_text", text: short(text, MOST_HEADER), emoji: true },
});

/** Small print: ten pieces a block. */
export function context(texts: readonly string[]): Block[] {
  const elements = texts.filter((text) => text !== "").map((text) => ({ type: "mrkdwn", text: cut(text) }));
  return chunks(elements, MOST_CONTEXT).map((some) => ({ type: "context", elements: some }));
}

export interface Button {
  readonly text: string;
  /** What kind of click it is; unique in its message. */
  readonly actionId: string;
  /** The id of what is asked for, which is kept on our side. */
  readonly value: string;
  readonly style?: "primary" | "danger";
  /** Asked once more before the click counts. */
  readonly confirm?: {
    readonly title: string;
    readonly text: string;
    readonly yes: string;
    readonly no: string;
  };
}

/** @throws RekeyError SLACK_FAILED if an id or a value is too long; cut, it would name something else */
export function actions(buttons: readonly Button[]): Block[] {
  return chunks(buttons.map(buttonElement), MOST_BUTTONS).map((elements) => ({ type: "actions", elements }));
}

function buttonElement({ text, actionId, value, style, confirm }: Button) {
  requireShort(text, "action_id", actionId, MOST_ACTION_ID);
  requireShort(text, "value", value, MOST_VALUE);
  const plain = (words: string, most: number) => ({ type: "plain_text", text: short(words, most) });
  return {
    type: "button",
    text: { ...plain(text, MOST_BUTTON_TEXT), emoji: true },
    action_id: actionId,
    value,
    ...(style ? { style } : {}),
    ...(confirm
      ? {
          confirm: {
            title: plain(confirm.title, 100),
            text: plain(confirm.text, 300),
            confirm: plain(confirm.yes, 30),
            deny: plain(confirm.no, 30),
          },
        }
      : {}),
  };
}

function requireShort(button: string, field: string, given: string, most: number): void {
  if (given.length > 0 && given.length <= most) return;
  const message = `button ${short(button, MOST_BUTTON_TEXT)}: its ${field} has ${given.length} characters; give it 1 to ${most}`;
  throw new RekeyError("SLACK_FAILED", message);
}

const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/**
 * One line of text that somebody else wrote: names, reasons, log lines. It pings nobody, links nowhere, makes no tick and
 * looks like nothing that Rekey says: mentions, link targets, emoji codes and formatting lose what makes them so.
 */
export function outsideText(text: string, most = 300): string {
  const harmless = text
    .replace(CONTROLS, " ")
    // Slack's own notation first: <!channel>, <@U1>, <#C1|name>, <https://a|b>.
    .replace(
      /<(?:[!@#][^<>]*|[a-z][a-z0-9+.-]*:[^<>]*)>/gi,
      (found) => found.split("|")[1]?.slice(0, -1) ?? "",
    )
    .replace(/[@＠]+(?=here|channel|everyone|group)/gi, "")
    .replaceAll("://", "[:]//")
    .replace(/[*~`]|(?<!\w)_|_(?!\w)/g, (mark) => FULL_WIDTH[mark] ?? "")
    .replace(/:(?=[\w+-]+:)/g, "：")
    .replace(/ {2,}/g, " ")
    .trim();
  return escapeText(short(harmless, most));
}

/** What looks the same and formats nothing. */
const FULL_WIDTH: Readonly<Record<string, string>> = { "*": "∗", _: "＿", "~": "∼", "`": "'" };

/** Outside text with its signs as they are, for ids, ARNs and log lines: nothing has a meaning inside of code. */
export function outsideCode(text: string, most = 300): string {
  const line = text.replace(CONTROLS, " ").replaceAll("`", "'").trim();
  return `\`${escapeText(short(line === "" ? "-" : line, most))}\``;
}

/** By characters that a reader counts, so that no half of one is left. */
function short(text: string, most: number): string {
  if (text.length <= most) return text;
  const kept = text.slice(0, most - 1);
  return `${/[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  );
}
