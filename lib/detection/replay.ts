/** What the rules make of records that lie in files: the same core, with everything known at once. */
import { byGravity, type Severity } from "../finding.ts";
import { detect, NOTHING_SEEN } from "./detect.ts";
import { type Episode, endOf, startOf } from "./episodes.ts";
import { extract } from "./extract.ts";
import type { Rule } from "./rule.ts";
import { scan } from "./scan.ts";
import type { SecretEvent } from "./secretEvent.ts";

export interface Replay {
  /** In all files, whatever they are about. */
  readonly records: number;
  /** Records about secrets, or what guards them; the same one in two files counts once. */
  readonly events: number;
  /** Why something could not be read -> how often. */
  readonly malformed: Readonly<Record<string, number>>;
  /** The gravest first, and of those the earliest. */
  readonly findings: readonly ReplayFinding[];
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
export function replay(rules: readonly Rule[], files: Iterable<Buffer>): Replay {
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
  // At the beginning of time nothing is old enough to be forgotten.
  const { found, state } = detect(rules, events, NOTHING_SEEN, new Date(0));
  return {
    records,
    events: state.seen.size,
    malformed: Object.fromEntries(malformed),
    findings: found
      .map((episode) => findingOf(rules, episode))
      .toSorted((a, b) => byGravity(a, b) || (a.first.at < b.first.at ? -1 : 1)),
  };
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
