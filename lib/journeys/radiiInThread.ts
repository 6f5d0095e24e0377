/** "Blast radius": who read an alert's first secrets in the last seven days, as pages in its thread. */
import { RekeyError } from "../errors.ts";
import { escapeText, outsideCode } from "../message.ts";
import { readRadiusRequest } from "./accessRequest.ts";
import { blastRadius } from "./blastRadius.ts";
import type { RespondPorts } from "./respondPorts.ts";

const MOST_SECRETS = 3;
/** Slack advises 4,000 characters a message; escaping may make five of one. */
const MOST_CHARACTERS = 3_500;
const MOST_PAGES = 3;

export async function radiiInThread(
  ports: RespondPorts,
  { userId, messageTs }: { readonly userId: string; readonly messageTs: string },
  secrets: readonly string[],
  deadline: Date,
): Promise<void> {
  const { access, announcer } = ports;
  const place = await access.accessLog.place();
  const asked = secrets.slice(0, MOST_SECRETS);
  const left = secrets.length - asked.length;
  await announcer.reply(
    messageTs,
    asked.length === 0
      ? `<@${userId}> asked for a blast radius; the records of this alert name no secret.`
      : `<@${userId}> asked for the blast radius of the last seven days, of ${asked.map((one) => outsideCode(one)).join(", ")}${left > 0 ? `; ${left} more by \`sls invoke -f blastRadius\`` : ""}`,
  );
  for (const [at, secret] of asked.entries()) {
    const pages = secret.startsWith(`${place}/`)
      ? await pagesOf(ports, secret.slice(place.length + 1), share(ports.now(), deadline, asked.length - at))
      : [
          `${outsideCode(secret)} belongs to another account or Region; ask the Rekey that is deployed there.`,
        ];
    for (const page of pages) await announcer.reply(messageTs, page);
  }
}

/** Of the time that is left, as much for each. */
const share = (now: Date, deadline: Date, parts: number) =>
  new Date(now.getTime() + (deadline.getTime() - now.getTime()) / parts);

async function pagesOf({ access }: RespondPorts, secret: string, deadline: Date): Promise<readonly string[]> {
  try {
    const request = readRadiusRequest({ secret, from: "-7d" }, access.now());
    return inPages((await blastRadius(access, request, deadline)).markdown);
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    // The other secrets' answers are worth as much without this one.
    access.tell({ event: "respond.noRadius", secret, code: error.code, message: error.message });
    return [`No blast radius of ${outsideCode(secret)}: ${error.code}, ${outsideCode(error.message)}`];
  }
}

/** As code, for Slack draws no tables; whole lines, and the end of a long one cut off. */
export function inPages(markdown: string): readonly string[] {
  const pages: string[] = [];
  for (const line of markdown.replaceAll("`", "'").split("\n")) {
    const text = cutTo(escapeText(line), MOST_CHARACTERS);
    const last = pages.at(-1);
    if (last !== undefined && last.length + text.length < MOST_CHARACTERS)
      pages[pages.length - 1] = `${last}\n${text}`;
    else pages.push(text);
  }
  const more = pages.length - MOST_PAGES;
  return [
    ...pages.slice(0, MOST_PAGES).map((page) => `\`\`\`\n${page}\n\`\`\``),
    ...(more > 0 ? [`... and ${more} more of such pages: \`sls invoke -f blastRadius\` has all of it.`] : []),
  ];
}

/** Not within an escaped sign. */
const cutTo = (text: string, most: number) =>
  text.length <= most ? text : `${text.slice(0, most - 8).replace(/&[a-z]{0,3}$/, "")}…`;
