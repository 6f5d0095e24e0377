/**
 * What happens to records, by whichever road they come: they become events, the rules look at them, what was learnt and
 * seen is kept, and people are told. Any part may be repeated, also by others at the same time.
 */
import { watchedKey } from "../detection/batch.ts";
import { detect, isUnripe, SETTLE_MS } from "../detection/detect.ts";
import { extract } from "../detection/extract.ts";
import { changesTo, type Usual } from "../detection/history.ts";
import { type Known, NOTHING_KNOWN } from "../detection/known.ts";
import type { SecretEvent } from "../detection/secretEvent.ts";
import { NOBODY_WATCHED, NOTHING_SEEN } from "../detection/state.ts";
import { toTell } from "../detection/telling.ts";
import type { WatchStore } from "../detection/watchStore.ts";
import { RekeyError } from "../errors.ts";
import type { WatchPorts } from "./watchPorts.ts";

export interface Watched {
  readonly records: number;
  readonly events: number;
  /** Why something could not be read -> how often. */
  readonly malformed: Readonly<Record<string, number>>;
  /** Principals of whom something was found, or is still held back. */
  readonly principals: readonly string[];
  /** What rules that wait for a history would have said: rule -> episodes. */
  readonly dry: Readonly<Record<string, number>>;
}

/** Somebody else wrote first, this often in a row: then something is wrong, and not merely busy. */
const MOST_TRIES = 10;

/** @throws RekeyError of whatever the store says; what was handed over is then to be handed over again */
export async function watchRecords(
  { store, rules, now }: WatchPorts,
  account: string,
  records: readonly unknown[],
  known: Known = NOTHING_KNOWN,
): Promise<Watched> {
  const { events, malformed } = eventsIn(records);
  const waiting = await store.waiting(account);
  const quiet = await store.suppressions(account);
  const dry = new Map<string, number>();
  // What should have happened and did not is looked for once a scan, and not with every page of it.
  const isTick = records.length === 0;
  const own = rules.filter(({ when }) => isTick || !("missing" in when));
  let principals = [
    ...new Set([...events.map(watchedKey), ...waiting, ...(isTick ? lateIn(known, now()) : [])]),
  ];
  for (let tries = 0; principals.length > 0 && tries < MOST_TRIES; tries++) {
    const theirs = events.filter((event) => principals.includes(watchedKey(event)));
    const kept = new Map(
      await Promise.all(principals.map(async (key) => [key, await store.kept(account, key)] as const)),
    );
    const held = [...kept.values()].flatMap(({ watched }) => [...watched.held.values()]);
    const usual = await usualFor(store, account, [...theirs, ...held], principals);
    const state = { principals: new Map([...kept].map(([key, { watched }]) => [key, watched])), usual };
    const untold = new Set(
      [...kept].flatMap(([key, { watched, told }]) =>
        toTell(rules, key, watched, told, quiet, now().getTime()).flatMap(({ episode }) =>
          episode.events.map(({ eventId }) => eventId),
        ),
      ),
    );
    const found = detect(own, theirs, state, now(), known, untold);
    // Learnt before it is kept: whoever dies in between looks at the same events again, and an event is never its own past.
    await store.learn(account, changesTo(usual, found.news));
    const late: string[] = [];
    for (const [key, { told, rev }] of kept) {
      const watched = found.state.principals.get(key) ?? NOBODY_WATCHED;
      // Only who tells takes off the list.
      const isWaiting =
        waiting.includes(key) ||
        isUnripe(rules, watched, now()) ||
        found.found.some(({ principal }) => principal === key);
      if (!(await store.keep(account, key, { watched, told, rev }, isWaiting))) late.push(key);
    }
    for (const { rules: ids, principal } of found.dry)
      if (!late.includes(principal)) for (const id of ids) dry.set(id, (dry.get(id) ?? 0) + 1);
    principals = late;
  }
  if (principals.length > 0) throw overtaken(principals);
  return {
    records: records.length,
    events: events.length,
    malformed,
    principals: await store.waiting(account),
    dry: Object.fromEntries(dry),
  };
}

/** Of the history: it teaches what is usual, and nobody is told of it. */
export async function learnRecords(
  { store, rules, now }: WatchPorts,
  account: string,
  records: readonly unknown[],
): Promise<void> {
  const { events } = eventsIn(records);
  const counting = rules.filter(({ when }) => "distinct" in when && typeof when.atLeast !== "number");
  const { news } = detect(counting, events, NOTHING_SEEN, new Date(now().getTime() + SETTLE_MS));
  await store.learn(account, news);
}

function eventsIn(records: readonly unknown[]) {
  const events: SecretEvent[] = [];
  const malformed: Record<string, number> = {};
  for (const record of records) {
    const extracted = extract(record);
    if ("event" in extracted) events.push(extracted.event);
    else if ("malformed" in extracted)
      malformed[extracted.malformed] = (malformed[extracted.malformed] ?? 0) + 1;
  }
  return { events, malformed };
}

/** Of everybody and everything that these events speak of. */
function usualFor(
  store: WatchStore,
  account: string,
  events: readonly SecretEvent[],
  principals: readonly string[],
): Promise<Usual> {
  return store.usual(account, [
    account,
    ...principals,
    ...events.flatMap((event) => [watchedKey(event), event.account, ...event.secrets.map(({ key }) => key)]),
  ]);
}

/** Who should have read something anew by now. */
const lateIn = ({ secrets }: Known, now: Date): readonly string[] =>
  [...secrets.values()].flatMap(({ promoted, consumers }) =>
    promoted !== undefined && promoted.reReadByMs <= now.getTime() ? [...(consumers ?? [])] : [],
  );

const overtaken = (principals: readonly string[]) =>
  new RekeyError(
    "LEASE_LOST",
    `${principals.join(", ")}: others kept something else ${MOST_TRIES} times in a row; the records are to be handed over again`,
  );
