/** The week's review for the security channel: what somebody should look at first, the ordinary last. */
import { header, type Message, messageOf, outsideCode, outsideText, section, sections } from "../message.ts";
import { momentOf } from "./timeAxis.ts";
import type { Pair, SecretReaders, WeeklyReview } from "./weeklyReview.ts";

/** Lines of a part; the others are counted, and the answer of the function has them all. */
const MOST_LINES = 15;
const MOST_READERS = 4;
/** Of a name. */
const MOST_CHARACTERS = 120;

export function renderReview(review: WeeklyReview): Message {
  const { totals, from, to, gaps, excused } = review;
  const title = "Who read secrets this week";
  const summary = `${many(totals.reads, "read")} of ${many(totals.secrets, "secret")} by ${many(totals.principals, "principal")}, ${many(review.fresh.length, "new pair")}, ${totals.denied.toLocaleString("en")} refused`;
  const unseen = review.knownSince >= from;
  const blocks = [
    header(title),
    section(`${summary}\n${momentOf(from)} to ${momentOf(to)} UTC`),
    ...part(
      ":new: *New:* read for the first time",
      review.fresh.map((pair) => `${who(pair)} read ${name(pair.secret)} ${times(pair.times)}`),
      unseen
        ? "what came before is not known, so nobody can be called new"
        : `nobody read what he had not read since ${momentOf(review.knownSince)}`,
    ),
    ...part(
      ":no_entry: *Refused*",
      review.denied.map((pair) => `${who(pair)} was refused ${name(pair.secret)} ${times(pair.times)}`),
      "nobody",
    ),
    ...part(
      ":zzz: *Not read by anybody:* still needed?",
      (review.neverRead ?? []).map(name),
      review.neverRead ? "every managed secret was read" : "not known, see below",
    ),
    ...part(":bookmark_tabs: *Who read what*", review.secrets.map(readersLine), "nobody read anything"),
    ...optional(
      ":see_no_evil: *Excused*",
      excused.map(
        ({ principal, secret, rule, reason, by, until, times: count }) =>
          `${name(rule)} ${name(principal)} on ${name(secret)} ${times(count)}: ${plain(reason)} (${plain(by)}, until ${momentOf(until)})`,
      ),
    ),
    ...optional(
      ":package: *Batches that name no secret*, and of which no single read is on record",
      review.namelessBatches.map(name),
    ),
    ...optional(":eyes: *Not seen by this review*", gaps.map(plain)),
  ];
  return messageOf(`${title}: ${summary}`, blocks);
}

function part(title: string, lines: readonly string[], none: string) {
  if (lines.length === 0) return [section(`${title}\n${none}`)];
  const shown = lines.slice(0, MOST_LINES).map((line) => `• ${line}`);
  const more = lines.length - shown.length;
  return sections([title, ...shown, ...(more > 0 ? [`... and ${more.toLocaleString("en")} more`] : [])]);
}

const optional = (title: string, lines: readonly string[]) =>
  lines.length === 0 ? [] : part(title, lines, "");

function readersLine({ secret, reads, readers }: SecretReaders): string {
  const shown = readers
    .slice(0, MOST_READERS)
    .map((pair) => `${who(pair)} ${pair.times.toLocaleString("en")}`);
  const more = readers.length - shown.length;
  return `${name(secret)} ${many(reads, "read")}: ${shown.join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}

function who({ principal, isPerson, isForeign }: Pair): string {
  const marks = [isForeign ? "*another account*" : "", isPerson ? "a person" : ""].filter(
    (mark) => mark !== "",
  );
  return `${name(principal)}${marks.length > 0 ? ` (${marks.join(", ")})` : ""}`;
}

const times = (count: number) => (count === 1 ? "once" : `${count.toLocaleString("en")} times`);
const many = (count: number, what: string) =>
  `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;

/** Of an ARN the account stays, for roles of one name are found in many. */
const name = (text: string) =>
  outsideCode(text.replace(/^arn:[\w-]+:(?:iam|sts)::(\d{12}):(?:role\/)?/, "$1:"), MOST_CHARACTERS);

const plain = (text: string) => outsideText(text, MOST_CHARACTERS * 3);
