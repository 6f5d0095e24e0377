/**
 * What a click on an alert is about. The button carries `<account> <principal> <family> <startMs>`; what it stood for then is
 * kept with what was told, because the matches themselves are forgotten two hours after the last of them.
 */

import type { Matches } from "./episodes.ts";
import { type Episode, startOf } from "./episodes.ts";

/** A rule that fired, and the secret it fired on; empty for an event that names none. */
export type Concern = readonly [rule: string, secret: string];

export interface AlertRef {
  readonly account: string;
  readonly principal: string;
  readonly family: string;
  readonly startMs: number;
}

/** Beyond it nobody could say of each that it is expected. */
const MOST_CONCERNS = 100;
const REF = /^(\d{12}) (.+) ([a-z]+) (\d{1,15})$/;

export const refOf = (account: string, episode: Episode): string =>
  `${account} ${episode.principal} ${episode.family} ${startOf(episode)}`;

/** @returns undefined if it is none */
export function readRef(text: string): AlertRef | undefined {
  const [, account, principal, family, startMs] = REF.exec(text) ?? [];
  if (account === undefined || principal === undefined || family === undefined) return undefined;
  return { account, principal, family, startMs: Number(startMs) };
}

/** Each once, and not every rule with every secret: what did not happen is not expected either. */
export function concernsOf(matches: Matches, { rules, events }: Episode): readonly Concern[] {
  const ids = new Set(events.map(({ eventId }) => eventId));
  const all = rules.flatMap((rule) =>
    [...(matches.get(rule)?.values() ?? [])]
      .filter(({ eventId }) => ids.has(eventId))
      .flatMap(({ secrets }) =>
        (secrets.length === 0 ? [""] : secrets).map((secret): Concern => [rule, secret]),
      ),
  );
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()].slice(0, MOST_CONCERNS);
}

/** Of what was told, as far as a click asks for it. */
interface ToldSpan {
  readonly family: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly concerns?: readonly Concern[];
}

/** @returns undefined if nothing of it is kept any more */
export function concernsAt(
  told: readonly ToldSpan[],
  { family, startMs }: AlertRef,
): readonly Concern[] | undefined {
  // The start may have moved to before what the button says, when a late record joined.
  return told.find((one) => one.family === family && one.fromMs <= startMs && startMs <= one.toMs)?.concerns;
}
