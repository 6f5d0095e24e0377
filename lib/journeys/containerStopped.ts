/**
 * A container stopped: judge, count, say so at once, then gather what a person will ask for and put it into the same
 * message. Every step may be done again after a crash or a repeated delivery: the verdict is kept, the stop is counted by
 * its id, and the message is brought to what it should be.
 */
import type { Settled } from "../incident/episodeLog.ts";
import { scrub } from "../incident/scrub.ts";
import { countStop, type Episode, episodeKey, recovered, type Standing } from "../incident/stopEpisode.ts";
import { isRefusal, readStopEvent, type StopEvent } from "../incident/stopEvent.ts";
import { stopVerdict } from "../incident/stopVerdict.ts";
import type { Alert } from "../incident/verdict.ts";
import { gatherStop } from "./gatherStop.ts";
import { showEpisode } from "./showEpisode.ts";
import { gatherPack } from "./stopEvidence.ts";
import type { StopPorts } from "./stopPorts.ts";

const GATHER_MS = 60_000;

/** What came of an event, for the log and for tests. */
export type StopOutcome =
  | { readonly came: "refused" | "history" | "planned" | "recovery"; readonly says: string }
  | {
      readonly came: "alert";
      readonly name: string;
      readonly cause: Alert["cause"];
      readonly severity: Standing["severity"];
      readonly count: number;
    };

/** @throws RekeyError SLACK_FAILED, AWS_*: Lambda then invokes again, and what is missing is done */
export async function containerStopped(ports: StopPorts, payload: unknown): Promise<StopOutcome> {
  const event = readStopEvent(payload);
  if (isRefusal(event)) {
    const says = event.refused === "malformed" ? `malformed: ${event.field}` : event.refused;
    return told(ports, undefined, { came: "refused", says });
  }
  if (!isWatched(ports, event)) return told(ports, event, { came: "refused", says: "another cluster" });
  const known = await ports.episodes.settled(event.id, event.version);
  if (known === "history") return told(ports, event, { came: "history", says: "a later version was judged" });
  const verdict = known ?? (await ports.episodes.settle(event.id, event.version, await judge(ports, event)));
  if (verdict === undefined)
    return told(ports, event, { came: "history", says: "a later version was judged" });
  if (verdict.kind === "planned") return told(ports, event, { came: "planned", says: verdict.says });
  if (verdict.kind === "recovery") {
    await recover(ports, event);
    return told(ports, event, { came: "recovery", says: verdict.says });
  }
  const outcome = await announce(ports, event, verdict);
  if (verdict.againAtSeconds === undefined) return outcome;
  await sleepUntil(ports, event, verdict.againAtSeconds);
  const later = await judge(ports, event, verdict.againAtSeconds);
  if (later.kind !== "alert") return outcome;
  await ports.episodes.settle(event.id, event.version, later);
  return announce(ports, event, later);
}

const isWatched = ({ clusters }: StopPorts, { cluster }: StopEvent) =>
  clusters.length === 0 || clusters.some((one) => one === cluster || one === cluster.split("/").at(-1));

/**
 * Waits where it is too early to tell, but never longer than the table says, whatever time the event claims.
 * @param heldSeconds how long it was waited for already
 */
async function judge(ports: StopPorts, event: StopEvent, heldSeconds = 0): Promise<Settled> {
  const facts = await gatherStop(ports, event);
  const verdict = stopVerdict(event, { ...facts, heldSeconds: Math.max(facts.heldSeconds, heldSeconds) });
  if (verdict.kind !== "wait") return verdict;
  await sleepUntil(ports, event, verdict.seconds);
  return judge(ports, event, verdict.seconds);
}

async function sleepUntil({ now, sleep }: StopPorts, { atMs }: StopEvent, seconds: number): Promise<void> {
  const leftMs = atMs + seconds * 1000 - now().getTime();
  if (leftMs > 0) await sleep(Math.min(leftMs, seconds * 1000));
}

async function announce(ports: StopPorts, event: StopEvent, verdict: Alert): Promise<StopOutcome> {
  const key = episodeKey(verdict);
  const wellAtMs = await ports.episodes.recoveredAt(event.name);
  const counted = await ports.episodes.change(event.name, key, (before) => {
    const grown = countStop(before?.episode, event, verdict);
    // It may have been heard of before the stop was.
    const episode = wellAtMs === undefined ? grown : recovered(grown, wellAtMs);
    if (before === undefined || before.episode.openedBy !== episode.openedBy) return { episode, replies: 0 };
    return episode === before.episode ? before : { ...before, episode };
  });
  const episode = counted?.episode ?? countStop(undefined, event, verdict);
  // What the channel does not hear now it hears from a retry; the evidence would be gone by then.
  const [shown] = await Promise.allSettled([showEpisode(ports, episode)]);
  if (shown.status === "rejected" || shown.value.shouldPost) await addEvidence(ports, event, key);
  const { severity, count } = await showEpisode(ports, episode);
  await showOthers(ports, episode);
  return told(ports, event, { came: "alert", name: event.name, cause: verdict.cause, severity, count });
}

/** One stop more may have made the service's other messages graver. */
async function showOthers(ports: StopPorts, shown: Episode): Promise<void> {
  const all = await ports.episodes.episodes(shown.name);
  for (const { episode, messageId } of all)
    if (messageId !== undefined && episodeKey(episode) !== episodeKey(shown))
      await showEpisode(ports, episode);
}

/** Of the first stop that was told of; a pack that is there, or on its way, is enough. */
async function addEvidence(ports: StopPorts, event: StopEvent, key: string): Promise<void> {
  const nowMs = ports.now().getTime();
  const claimed = await ports.episodes.change(event.name, key, (record) => {
    if (record === undefined || record.pack !== undefined) return record;
    if (record.gathering && record.gathering.by !== ports.holder && record.gathering.untilMs > nowMs)
      return record;
    return { ...record, gathering: { by: ports.holder, untilMs: nowMs + GATHER_MS } };
  });
  if (claimed === undefined) return;
  if (claimed.pack === undefined && claimed.gathering?.by === ports.holder) {
    const pack = await gatherPack(ports, event);
    await ports.episodes.change(event.name, key, (record) =>
      record === undefined || record.episode.openedBy !== claimed.episode.openedBy
        ? record
        : {
            ...record,
            pack: pack.map((answer) => ({ ...answer, lines: [...answer.lines] })),
            gathering: undefined,
          },
    );
  }
}

/** Every open episode of the service says that it is over. */
async function recover(ports: StopPorts, event: StopEvent): Promise<void> {
  await ports.episodes.recover(event.name, event.atMs);
  for (const { episode } of await ports.episodes.episodes(event.name)) {
    await ports.episodes.change(event.name, episodeKey(episode), (record) => {
      if (record === undefined) return undefined;
      const later = recovered(record.episode, event.atMs);
      return later === record.episode ? record : { ...record, episode: later };
    });
    await showEpisode(ports, episode);
  }
}

/** Also where no channel is configured, and for counting: planned stops are most of them. */
function told(ports: StopPorts, event: StopEvent | undefined, outcome: StopOutcome): StopOutcome {
  const about = event === undefined ? {} : { stop: event.id, service: event.name };
  ports.tell({
    event: `stop.${outcome.came}`,
    ...about,
    ...(outcome.came === "alert" ? outcome : { says: scrub(outcome.says) }),
  });
  return outcome;
}
