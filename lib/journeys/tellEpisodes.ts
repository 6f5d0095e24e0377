/**
 * One thread in the security channel for each episode, edited in place as it grows. Who tells claims the episode first, so that
 * two who found it at the same time post it once; a claim that nobody made good runs out, and the next one tells.
 */
import { type AlertContext, renderAlert, renderGrowth } from "../detection/alert.ts";
import { concernsOf, refOf } from "../detection/clicked.ts";
import { isUnripe } from "../detection/detect.ts";
import { type Known, NOTHING_KNOWN } from "../detection/known.ts";
import { type Told, type ToTell, toTell, withTold } from "../detection/telling.ts";
import { RekeyError } from "../errors.ts";
import type { WatchPorts } from "./watchPorts.ts";

const CLAIM_MS = 60_000;
const MOST_TRIES = 10;

export interface Telling {
  readonly posted: number;
  readonly edited: number;
  /** Slack did not take it: it is tried again with the next scan. */
  readonly waiting: number;
}

export async function tellEpisodes(
  ports: WatchPorts,
  account: string,
  known = NOTHING_KNOWN,
): Promise<Telling> {
  const all = { posted: 0, edited: 0, waiting: 0 };
  for (const principal of await ports.store.waiting(account))
    for (const outcome of await tellOf(ports, account, principal, known)) all[outcome]++;
  return all;
}

async function tellOf(
  ports: WatchPorts,
  account: string,
  principal: string,
  known: Known,
): Promise<readonly (keyof Telling)[]> {
  const { store, rules, now } = ports;
  const kept = await store.kept(account, principal);
  const quiet = await store.suppressions(account);
  const untold = toTell(rules, principal, kept.watched, kept.told, quiet, now().getTime());
  const due = untold.filter(({ isClaimed }) => !isClaimed);
  const claim = { claimedUntilMs: now().getTime() + CLAIM_MS };
  const isHeld = isUnripe(rules, kept.watched, now());
  const told = due.reduce<readonly Told[]>((all, { episode }) => withTold(all, episode, claim), kept.told);
  const isClaimed = await store.keep(account, principal, { ...kept, told }, isHeld || untold.length > 0);
  // Who was quicker tells; whatever is left is on the list, and comes up again.
  if (!isClaimed || due.length === 0) return [];
  const context = { rules, known, usual: await store.usual(account, [principal]) };
  const outcomes: (keyof Telling)[] = [];
  for (const one of due) {
    const messageId = await say(ports, one, context, account);
    outcomes.push(
      messageId === undefined ? "waiting" : one.told?.messageId === undefined ? "posted" : "edited",
    );
    await keepTold(ports, account, one, messageId);
  }
  return outcomes;
}

/** Where it stands now must not be lost, whatever else was found meanwhile: it would be posted a second time. */
async function keepTold(
  { store }: WatchPorts,
  account: string,
  { episode, digest }: ToTell,
  messageId: string | undefined,
): Promise<void> {
  const { principal } = episode;
  const change = { claimedUntilMs: 0, ...(messageId === undefined ? {} : { messageId, digest }) };
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const kept = await store.kept(account, principal);
    const concerns = concernsOf(kept.watched.matches, episode);
    const told = withTold(kept.told, episode, { ...change, concerns });
    // Stays on the list until the next look finds nothing more to tell.
    if (await store.keep(account, principal, { ...kept, told }, true)) return;
  }
  throw new RekeyError("LEASE_LOST", `others kept something of ${principal} ${MOST_TRIES} times in a row`);
}

/** @returns where it stands, or undefined if Slack did not take it */
async function say(
  { announcer, tell }: WatchPorts,
  { episode, told }: ToTell,
  context: AlertContext,
  account: string,
): Promise<string | undefined> {
  const { principal, family, severity, rules, secrets } = episode;
  tell({ event: "episode.found", principal, family, severity, rules, secrets: secrets.slice(0, 20) });
  if (announcer === undefined) return "nowhere";
  const message = renderAlert(episode, context, refOf(account, episode));
  try {
    if (told?.messageId === undefined || told.messageId === "nowhere")
      return (await announcer.post(message)).messageId;
    await announcer.edit(told.messageId, message);
    if (told.severity !== severity) await announcer.reply(told.messageId, renderGrowth(episode));
    return told.messageId;
  } catch (error) {
    if (!(error instanceof RekeyError) || error.code !== "SLACK_FAILED") throw error;
    tell({ event: "slack.failed", code: error.code, message: error.message });
    return undefined;
  }
}
