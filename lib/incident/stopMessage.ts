/**
 * An episode as its one message, and its thread. What stopped and how often comes first, then the evidence, each question
 * answered or said to be open; everything from outside is escaped, and a line of a log cannot leave its block.
 */
import { cut, escapeText, type Message, sections } from "../message.ts";
import { type Answer, lasting, type Pack, QUESTIONS, type Question } from "./evidence.ts";
import type { Episode, Standing } from "./stopEpisode.ts";
import type { StopSeverity } from "./verdict.ts";

const SYMBOLS: Readonly<Record<StopSeverity, string>> = {
  P1: ":red_circle:",
  P2: ":large_orange_circle:",
  P3: ":large_yellow_circle:",
  P4: ":information_source:",
};

const TITLES: Readonly<Record<Question, string>> = {
  logs: "Logs",
  exit: "Exit",
  health: "Health",
  resources: "CPU and memory",
  dependencies: "Dependencies",
  configuration: "Configuration",
};

/** The headline is read at a glance; the rest stands in the thread. */
const LOG_LINES_SHOWN = 6;
const OTHER_LINES_SHOWN = 5;

/** @param pack absent while it is being gathered */
export function stopMessage(episode: Episode, now: Standing, pack: Pack | undefined): Message {
  const { severity } = now;
  const state = episode.recoveredAtMs === undefined ? "" : " (the service is well again)";
  const times = now.count === 1 ? "" : `, ${now.count} times`;
  const title = `${severity} ${episode.name}: ${episode.cause}${times}${state}`;
  const texts = [
    `${SYMBOLS[severity]} *${escapeText(title)}*\n${escapeText(capitalised(episode.says))}.`,
    whenLines(episode, now).join("\n"),
    `*Look at first*\n${episode.lookAt.map((one) => `• ${escapeText(one)}`).join("\n")}`,
    ...(pack
      ? QUESTIONS.map((question) => answerText(pack, question))
      : [
          "_Evidence (logs, exit, health, CPU and memory, dependencies, configuration) follows within a minute._",
        ]),
    "Runbook: `container-stopped`",
  ];
  return {
    text: escapeText(`${title}. ${capitalised(episode.says)}`).slice(0, 2_000),
    blocks: texts.flatMap((text) => sections([text])),
  };
}

function whenLines(episode: Episode, now: Standing): string[] {
  const { recoveredAtMs, toldBy } = episode;
  // Of a service's own event the id says nothing to anybody.
  const task = toldBy.id.startsWith("arn:")
    ? `, task \`${escapeText(toldBy.id.split("/").at(-1) ?? "")}\``
    : "";
  const when =
    now.count === 1
      ? `At ${clock(now.firstAtMs)}${task}`
      : `*${now.count} times*: first ${clock(now.firstAtMs)}, last ${clock(now.lastAtMs)}; told of${task.slice(1) || " the gravest"}`;
  const well = recoveredAtMs === undefined ? "" : lasting(recoveredAtMs - now.firstAtMs);
  return [
    when,
    ...(now.burst === undefined
      ? []
      : [`${now.burst} of this service within ten minutes, so it is ${now.severity}`]),
    ...(recoveredAtMs === undefined
      ? []
      : [`:white_check_mark: Well again at ${clock(recoveredAtMs)}, ${well} after the first stop`]),
  ];
}

function answerText(pack: Pack, question: Question): string {
  const answer = pack.find((one) => one.question === question);
  const title = `*${TITLES[question]}*`;
  if (answer === undefined || answer.missing !== undefined)
    return `${title}: _not available: ${escapeText(answer?.missing ?? "nobody asked")}_`;
  const most = question === "logs" ? LOG_LINES_SHOWN : OTHER_LINES_SHOWN;
  const lines = question === "logs" ? answer.lines.slice(-most) : answer.lines.slice(0, most);
  const rest = answer.lines.length - lines.length;
  const more = rest > 0 ? `\n_${rest} more lines in the thread_` : "";
  if (question === "logs" || question === "configuration") return `${title}\n${fenced(lines)}${more}`;
  return `${title}\n${lines.map((line) => `• ${escapeText(line)}`).join("\n")}${more}`;
}

/** What the headline had no room for, as few replies as hold it. */
export function threadTexts(pack: Pack): string[] {
  return pack.filter(needsThread).flatMap(({ question, lines }) => {
    const texts: string[] = [];
    let batch: string[] = [];
    for (const line of lines) {
      if (fenced([...batch, line]).length > 2_600 && batch.length > 0) {
        texts.push(`*${TITLES[question]}*\n${fenced(batch)}`);
        batch = [];
      }
      batch.push(line);
    }
    return batch.length > 0 ? [...texts, `*${TITLES[question]}*\n${fenced(batch)}`] : texts;
  });
}

const needsThread = ({ question, lines }: Answer) =>
  lines.length > (question === "logs" ? LOG_LINES_SHOWN : OTHER_LINES_SHOWN);

/** Escaped first and cut after, so that the block closes whatever stands in it. */
function fenced(lines: readonly string[]): string {
  const text = escapeText(lines.join("\n").replaceAll("`", "'"));
  return `\`\`\`\n${cut(text).slice(0, 2_800)}\n\`\`\``;
}

const clock = (ms: number) => `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
