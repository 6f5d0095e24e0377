/** What the staged leak came to: one object for programs, a short page for people. Names and numbers, never a value. */
import type { Sent } from "../standin/slackPage.ts";
import type { Crowd } from "./crowd.ts";
import type { Thief } from "./thief.ts";
import { group } from "./view.ts";
import type { World } from "./world.ts";

export interface LeakSummary {
  readonly scene: "leak";
  readonly requests: number;
  /** From the alert on. */
  readonly failed: number;
  readonly alertAfterSeconds: number;
  /** Milliseconds until the click was acknowledged. */
  readonly acknowledgedMs: number;
  readonly leakToClickSeconds: number;
  /** What was tried and where -> seconds after the click from which it was refused; null if it is accepted to this day. */
  readonly diedAfterSeconds: Readonly<Record<string, number | null>>;
  /** Seconds from the click until the last of them died; null if one lives. */
  readonly containedAfterSeconds: number | null;
  /** How often the leaked values were tried. */
  readonly tries: number;
  /** Headline -> replies in its thread, of everything that the channel was told. */
  readonly messages: readonly { readonly text: string; readonly edits: number; readonly replies: number }[];
  /** Where it says in the channel that the post-mortem is; undefined until something writes one. */
  readonly postMortem?: string;
  readonly timeline: string;
  readonly page: string;
}

interface Ending {
  readonly world: World;
  readonly crowd: Crowd;
  readonly failed: number;
  readonly times: { readonly leakedAt: number; readonly toldAt: number };
  readonly clicked: Sent;
  readonly thief: Thief;
  readonly timeline: string;
}

/** What is promised, from the click to the last refusal. */
const LIMIT_SECONDS = 60;

const seconds = (from: number, to: number) => Math.round(to - from) / 1000;

export function summarizeLeak({
  world,
  crowd,
  failed,
  times,
  clicked,
  thief,
  timeline,
}: Ending): LeakSummary {
  const { slack, slackPageUrl } = world.cloud;
  const { leakedAt, toldAt } = times;
  const clickedAt = clicked.sentAtMs;
  const died = thief.diedAt();
  const diedAfterSeconds = Object.fromEntries(
    thief.values.map((value) => [value, value in died ? seconds(clickedAt, died[value] ?? 0) : null]),
  );
  const all = Object.values(diedAfterSeconds);
  const postMortem = postMortemIn(slack.messages.map(({ revisions }) => revisions.at(-1)));
  return {
    scene: "leak",
    requests: crowd.requests(),
    failed,
    alertAfterSeconds: seconds(leakedAt, toldAt),
    acknowledgedMs: clicked.milliseconds,
    leakToClickSeconds: seconds(leakedAt, clickedAt),
    diedAfterSeconds,
    containedAfterSeconds: all.includes(null) ? null : Math.max(...all.map((one) => one ?? 0)),
    tries: thief.tries(),
    messages: slack.messages
      .filter(({ thread }) => thread === undefined)
      .map(({ ts, revisions }) => ({
        text: revisions.at(-1)?.text ?? "",
        edits: revisions.length - 1,
        replies: slack.messages.filter(({ thread }) => thread === ts).length,
      })),
    ...(postMortem === undefined ? {} : { postMortem }),
    timeline,
    page: slackPageUrl,
  };
}

/** The last place that a message calls one. */
function postMortemIn(said: readonly unknown[]): string | undefined {
  const places = said.flatMap((one) =>
    [
      ...JSON.stringify(one ?? "").matchAll(/((?:s3|https?):\/\/[^\s"<>|`\\]*post-?mortem[^\s"<>|`\\]*)/gi),
    ].map(([, place]) => place),
  );
  return places.at(-1);
}

/** Whether every leaked value was refused within a minute of the click. */
export const isContained = ({ containedAfterSeconds }: LeakSummary): boolean =>
  containedAfterSeconds !== null && containedAfterSeconds < LIMIT_SECONDS;

export function leakPageOf(summary: LeakSummary): string {
  const { requests, failed, containedAfterSeconds, diedAfterSeconds, tries, messages } = summary;
  const deaths = Object.entries(diedAfterSeconds).sort(([, a], [, b]) => (a ?? Infinity) - (b ?? Infinity));
  const contained =
    containedAfterSeconds === null
      ? " A LEAKED VALUE IS STILL ACCEPTED"
      : ` every leaked value was refused ${containedAfterSeconds.toFixed(1)} s after the click`;
  return [
    ` told ${summary.alertAfterSeconds.toFixed(1)} s after the read; the click was acknowledged in ${summary.acknowledgedMs} ms`,
    contained,
    ` ${group(requests)} requests, ${group(failed)} failed since the alert`,
    "",
    ` tried ${group(tries)} times by whoever read them; refused, in seconds after the click:`,
    ...deaths.map(
      ([value, after]) => ` ${after === null ? "   NEVER" : after.toFixed(1).padStart(8)}  ${value}`,
    ),
    "",
    " in the channel:",
    ...messages.map(({ text, edits, replies }) => `   ${text} (${edits} edits, ${replies} replies)`),
    "",
    ...(summary.postMortem === undefined ? [] : [` post-mortem: ${summary.postMortem}`]),
    ` picture of the run: ${summary.timeline}`,
  ].join("\n");
}
