/** What the rules make of records that lie in files: the same core, with everything known at once. */
import { byGravity, type Severity } from "../finding.ts";
import { detect, SETTLE_MS } from "./detect.ts";
import { type Episode, endOf, startOf } from "./episodes.ts";
import { extract } from "./extract.ts";
import { DAY_MS, NOTHING_USUAL } from "./history.ts";
import { type Known, NOTHING_KNOWN } from "./known.ts";
import type { Rule } from "./rule.ts";
import { scan } from "./scan.ts";
import type { SecretEvent } from "./secretEvent.ts";
import { NOTHING_SEEN } from "./state.ts";

export interface Replay {
  /** In all files, whatever they are about. */
  readonly records: number;
  /** Records about secrets, or what guards them; the same one in two files counts once. */
  readonly events: number;
  /** Why something could not be read -> how often. */
  readonly malformed: Readonly<Record<string, number>>;
  /** The gravest first, and of those the earliest. */
  readonly findings: readonly ReplayFinding[];
  /** What rules that need a history would have said: rule id -> episodes. */
  readonly dry: Readonly<Record<string, number>>;
}

export interface ReplayOptions {
  readonly known?: Known;
  /** So many days from the first record on are taken for what is usual. Without them, rules that need it run dry. */
  readonly usualDays?: number;
}

export interface ReplayFinding {
  /** The gravest of `rules`. */
  readonly rule: string;
  readonly rules: readonly string[];
  readonly severity: Severity;
  readonly says: string;
  readonly principal: string;
  /** `account/Region/name`. */
  readonly secrets: readonly string[];
  readonly events: number;
  readonly first: { readonly eventId: string; readonly at: string };
  readonly last: { readonly eventId: string; readonly at: string };
}

/** @param files the contents of each, unzipped */
export function replay(rules: readonly Rule[], files: Iterable<Buffer>, options: ReplayOptions = {}): Replay {
  const malformed = new Map<string, number>();
  const count = (why: string, times: number) => void malformed.set(why, (malformed.get(why) ?? 0) + times);
  const events: SecretEvent[] = [];
  let records = 0;
  for (const file of files) {
    const found = scan(file);
    records += found.total;
    for (const [why, times] of found.malformed) count(why, times);
    for (const record of found.records) {
      const extracted = extract(record);
      if ("event" in extracted) events.push(extracted.event);
      else if ("malformed" in extracted) count(extracted.malformed, 1);
    }
  }
  return { records, malformed: Object.fromEntries(malformed), ...judge(rules, events, options) };
}

/** The same of events that are there already. */
export function judge(
  rules: readonly Rule[],
  events: readonly SecretEvent[],
  { known = NOTHING_KNOWN, usualDays }: ReplayOptions = {},
): Omit<Replay, "records" | "malformed"> {
  const times = events.map(({ atMs }) => atMs).sort((x, y) => x - y);
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const usual =
    usualDays === undefined ? NOTHING_USUAL : { ...NOTHING_USUAL, seededAtMs: first + usualDays * DAY_MS };
  const { found, dry } = detect(rules, events, { ...NOTHING_SEEN, usual }, new Date(last + SETTLE_MS), known);
  return {
    events: new Set(events.map(({ eventId }) => eventId)).size,
    findings: found
      .map((episode) => findingOf(rules, episode))
      .toSorted((a, b) => byGravity(a, b) || (a.first.at < b.first.at ? -1 : 1)),
    dry: countsOf(dry.flatMap((episode) => episode.rules)),
  };
}

function countsOf(texts: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...Map.groupBy(texts.toSorted(), (text) => text)].map(([text, all]) => [text, all.length]),
  );
}

function findingOf(all: readonly Rule[], episode: Episode): ReplayFinding {
  const own = all.filter(({ id }) => episode.rules.includes(id));
  const [gravest] = own.toSorted(byGravity);
  const { principal, secrets, severity, events, rules } = episode;
  const at = (ms: number) => new Date(ms).toISOString();
  return {
    rule: gravest?.id ?? "",
    rules,
    severity,
    says: gravest?.says ?? "",
    principal,
    secrets,
    events: events.length,
    first: { eventId: events[0]?.eventId ?? "", at: at(startOf(episode)) },
    last: { eventId: events.at(-1)?.eventId ?? "", at: at(endOf(episode)) },
  };
}
