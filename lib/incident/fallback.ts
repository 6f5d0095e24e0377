/** What goes out by the second channel when Slack does not answer, and what Slack says of it afterwards. Pure. */
import { context, type Message, messageOf } from "../message.ts";
import type { Post, Thread } from "./outbox.ts";

/** SNS takes 100 characters of ASCII as a subject, and cuts a text message at 1600. */
const MOST_TEXT = 1_500;

export function pageOf({ priority, threadId }: Thread, post: Post): { subject: string; text: string } {
  const said = plain(post.message?.text ?? "");
  const text = [
    `FALLBACK, because Slack does not answer (since ${clock(new Date(post.waitingSince))}):`,
    said.length > MOST_TEXT ? `${said.slice(0, MOST_TEXT - 1)}…` : said,
    `Incident ${threadId}. The channel is brought up to date when Slack answers again.`,
  ].join("\n\n");
  return { subject: `Rekey ${priority} (fallback, Slack is down)`, text };
}

/** The one edit, or the late post, that tells readers of the channel how the news reached people. */
export function withNote(message: Message, fellBackAt: Date): Message {
  const note = `Slack did not answer; this went out by SNS at ${clock(fellBackAt)}.`;
  // A message without blocks shows its text only as long as it has none.
  const blocks = message.blocks.length > 0 ? [...message.blocks, ...context([note])] : [];
  return messageOf(blocks.length > 0 ? message.text : `${message.text}\n${note}`, blocks);
}

/** What was escaped for Slack, as it was. */
const plain = (text: string) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

const clock = (at: Date) => `${at.toISOString().slice(11, 16)} UTC`;
