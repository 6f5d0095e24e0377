/**
 * Brings an episode's one message up to date. Whoever does so holds the record meanwhile; who comes in between only counts
 * and leaves, because the holder looks again before it lets go. So two invocations post once, and edits come at most every
 * five seconds, each with the newest count.
 */
import { createHash } from "node:crypto";
import type { EpisodeRecord } from "../incident/episodeLog.ts";
import { type Episode, episodeKey, type Standing, standing } from "../incident/stopEpisode.ts";
import { stopMessage, threadTexts } from "../incident/stopMessage.ts";
import type { Announcer, Message } from "../message.ts";
import type { StopPorts } from "./stopPorts.ts";

/** Longer than Slack may take to answer; a holder that died is then taken over. */
const HOLD_MS = 30_000;
const EDIT_EVERY_MS = 5_000;

interface View {
  readonly message: Message;
  readonly digest: string;
  readonly now: Standing;
}

function standingOf(episode: Episode, all: readonly EpisodeRecord[]): Standing {
  const others = all.map((one) => one.episode).filter((one) => episodeKey(one) !== episodeKey(episode));
  return standing(episode, others);
}

function viewOf(record: EpisodeRecord, all: readonly EpisodeRecord[]): View {
  const { episode } = record;
  const now = standingOf(episode, all);
  const message = stopMessage(episode, now, record.pack);
  const digest = createHash("sha256").update(JSON.stringify(message)).digest("base64url").slice(0, 22);
  return { message, digest, now };
}

const isDue = (record: EpisodeRecord, { digest, now }: View) =>
  (now.shouldPost || record.messageId !== undefined) &&
  (record.shown !== digest || record.replies < threadTexts(record.pack ?? []).length);

/**
 * @returns the episode's standing
 * @throws RekeyError SLACK_FAILED; the record is let go, and what should stand there is still due
 */
export async function showEpisode(ports: StopPorts, episode: Episode): Promise<Standing> {
  const { name } = episode;
  const key = episodeKey(episode);
  const change = (to: (record: EpisodeRecord) => EpisodeRecord) =>
    ports.episodes.change(name, key, (record) => (record === undefined ? undefined : to(record)));
  const letGo = () => change((record) => (isMine(record) ? { ...record, showing: undefined } : record));
  const isMine = ({ showing }: EpisodeRecord) => showing?.by === ports.holder;

  for (;;) {
    const all = await ports.episodes.episodes(name);
    const untilMs = ports.now().getTime() + HOLD_MS;
    const held = await change((record) => {
      const isHeld =
        record.showing !== undefined && !isMine(record) && record.showing.untilMs > ports.now().getTime();
      if (isHeld || !isDue(record, viewOf(record, all)))
        return isMine(record) ? { ...record, showing: undefined } : record;
      return { ...record, showing: { by: ports.holder, untilMs } };
    });
    if (held === undefined || ports.announcer === undefined || !isMine(held)) {
      if (held !== undefined && isMine(held)) await letGo();
      return standingOf(held?.episode ?? episode, all);
    }
    const restMs = (held.shownAtMs ?? 0) + EDIT_EVERY_MS - ports.now().getTime();
    if (restMs > 0 && held.messageId !== undefined) await ports.sleep(Math.min(restMs, EDIT_EVERY_MS));
    try {
      await bringUpToDate(ports.announcer, change, name, ports, held.episode.openedBy);
    } catch (error) {
      await letGo();
      throw error;
    }
  }
}

/** One step: the message, or else the next reply in its thread. */
async function bringUpToDate(
  announcer: Announcer,
  change: (to: (record: EpisodeRecord) => EpisodeRecord) => Promise<EpisodeRecord | undefined>,
  name: string,
  ports: StopPorts,
  openedBy: string,
): Promise<void> {
  // As it is now: others have counted while this one waited.
  const all = await ports.episodes.episodes(name);
  const record = all.find(
    ({ episode, showing }) => episode.openedBy === openedBy && showing?.by === ports.holder,
  );
  if (record === undefined) return;
  const view = viewOf(record, all);
  const mine = (one: EpisodeRecord) => one.episode.openedBy === openedBy;
  if (record.messageId === undefined) {
    const { messageId } = await announcer.post(view.message);
    await change((one) =>
      mine(one) ? { ...one, messageId, shown: view.digest, shownAtMs: ports.now().getTime() } : one,
    );
    return;
  }
  if (record.shown !== view.digest) {
    await announcer.edit(record.messageId, view.message);
    await change((one) =>
      mine(one) ? { ...one, shown: view.digest, shownAtMs: ports.now().getTime() } : one,
    );
    return;
  }
  const next = threadTexts(record.pack ?? [])[record.replies];
  if (next === undefined) return;
  await announcer.reply(record.messageId, next);
  await change((one) => (mine(one) ? { ...one, replies: record.replies + 1 } : one));
}
