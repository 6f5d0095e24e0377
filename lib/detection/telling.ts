/**
 * Which episodes people are still to be told of. It follows from what was found and what was told, so that an alert whose
 * sending was interrupted is sent by whoever comes next.
 */
import { createHash } from "node:crypto";
import { SEVERITIES, type Severity } from "../finding.ts";
import type { Concern } from "./clicked.ts";
import { type Episode, endOf, episodesOf, GAP_MS, startOf } from "./episodes.ts";
import type { Family, Rule } from "./rule.ts";
import type { Watched } from "./state.ts";
import { isQuiet, type Suppression } from "./suppression.ts";

/** A thread in the channel, and what stands there. */
export interface Told {
  readonly family: Family;
  readonly fromMs: number;
  readonly toMs: number;
  /** Undefined while somebody is about to post it. */
  readonly messageId?: string;
  /** Somebody is at it until then, and others leave it to them. */
  readonly claimedUntilMs?: number;
  /** Of the episode as it was told. */
  readonly digest: string;
  readonly severity: Severity;
  /** What a click on it is about; missing in what was told before clicks were answered. */
  readonly concerns?: readonly Concern[];
}

export interface ToTell {
  readonly episode: Episode;
  readonly digest: string;
  /** Where it stands already; undefined for one that begins. */
  readonly told?: Told;
  /** Somebody else is at it. */
  readonly isClaimed: boolean;
}

export function digestOf(episode: Episode): string {
  return createHash("sha256").update(JSON.stringify(episode)).digest("base64url").slice(0, 16);
}

/** @returns episodes that are not told as they are now, without what is to be kept quiet */
export function toTell(
  rules: readonly Rule[],
  principal: string,
  watched: Watched,
  told: readonly Told[],
  quiet: readonly Suppression[],
  nowMs: number,
): readonly ToTell[] {
  return loudEpisodes(rules, principal, watched, quiet).flatMap((episode) => {
    const before = told.find((one) => isOfOne(one, episode));
    const digest = digestOf(episode);
    if (before?.digest === digest && before.messageId !== undefined) return [];
    const isClaimed = (before?.claimedUntilMs ?? 0) > nowMs;
    const raised = before ? { ...episode, severity: graver(before.severity, episode.severity) } : episode;
    return [{ episode: raised, digest, isClaimed, ...(before ? { told: before } : {}) }];
  });
}

function loudEpisodes(
  rules: readonly Rule[],
  principal: string,
  { matches }: Watched,
  quiet: readonly Suppression[],
): readonly Episode[] {
  const loud = rules.map((rule): [string, Map<string, Episode["events"][number]>] => [
    rule.id,
    new Map([...(matches.get(rule.id) ?? [])].filter(([, mark]) => !isQuiet(quiet, rule, principal, mark))),
  ]);
  return episodesOf(rules, principal, new Map(loud));
}

/** The list with this one in the place of the one that it goes on. */
export function withTold(told: readonly Told[], episode: Episode, change: Partial<Told>): readonly Told[] {
  const before = told.find((one) => isOfOne(one, episode));
  const next: Told = {
    family: episode.family,
    digest: "",
    ...before,
    fromMs: Math.min(before?.fromMs ?? Number.POSITIVE_INFINITY, startOf(episode)),
    toMs: Math.max(before?.toMs ?? 0, endOf(episode)),
    severity: graver(before?.severity ?? "low", episode.severity),
    ...change,
  };
  return [...told.filter((one) => one !== before), next];
}

/** It only rises: what somebody was woken for does not become harmless because a record fell out of sight. */
const graver = (a: Severity, b: Severity): Severity =>
  SEVERITIES.indexOf(a) <= SEVERITIES.indexOf(b) ? a : b;

const isOfOne = (told: Told, episode: Episode): boolean =>
  told.family === episode.family &&
  startOf(episode) - told.toMs <= GAP_MS &&
  told.fromMs - endOf(episode) <= GAP_MS;
