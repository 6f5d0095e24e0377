/**
 * What the security channel is told of an episode: enough to act on without opening the console. Pure; whatever stems from
 * records is shown as code, so that no name pings, links or formats anything.
 */
import { commandLine, type Severity } from "../finding.ts";
import { actions, context, header, type Message, messageOf, outsideCode, section } from "../message.ts";
import { type Episode, endOf, startOf } from "./episodes.ts";
import { factsOf, type Usual } from "./history.ts";
import type { Known } from "./known.ts";
import { FACT } from "./lessons.ts";
import type { Mark } from "./mark.ts";
import type { Rule } from "./rule.ts";

export interface AlertContext {
  readonly rules: readonly Rule[];
  readonly known: Known;
  readonly usual: Usual;
}

const SIGNS: Readonly<Record<Severity, string>> = {
  critical: ":rotating_light:",
  high: ":red_circle:",
  medium: ":large_orange_circle:",
  low: ":white_circle:",
};

const MOST_NAMED = 5;
const EVENTS_SHOWN = 3;

/** @param ref by which a click finds the episode again */
export function renderAlert(episode: Episode, { rules, known, usual }: AlertContext, ref: string): Message {
  const own = rules.filter(({ id }) => episode.rules.includes(id));
  const title = `${episode.severity}: ${own[0]?.says ?? "Something happened to a secret."}`;
  const lines = [
    `*Who* ${whoOf(episode)}`,
    `*What* ${secretsOf(episode.secrets)}; ${countsOf(episode.events)}`,
    `*When* ${timeOf(startOf(episode))} to ${timeOf(endOf(episode))}`,
    `*Where* ${named(episode.events.map(({ network, address }) => address ?? network))} with ${named(episode.events.map(({ client }) => client))}`,
    `*Usually* ${usuallyOf(episode.principal, usual)}`,
    `*Version* ${versionOf(episode.events)}`,
    ...rotationOf(episode, known).map((line) => `*Rotation* ${line}`),
  ];
  const shown = sample(episode.events);
  return messageOf(title, [
    header(`${SIGNS[episode.severity]} ${title}`),
    section(lines.join("\n")),
    section(own.map(({ id, says, attack }) => `• ${says} \`${id}\` ${attack.join(", ")}`).join("\n")),
    section(`Look it up:\n${shown.map((mark) => outsideCode(lookUp(mark))).join("\n")}`),
    ...actions([
      { text: "Expected", actionId: "episode-expected", value: ref },
      { text: "Rotate now", actionId: "episode-rotate", value: ref, style: "danger" },
      { text: "Blast radius", actionId: "episode-blast-radius", value: ref },
    ]),
    ...context([
      `runbook \`suspicious-access\`; ${own.map(({ falsePositives }) => falsePositives[0]).join(" ")}`,
    ]),
  ]);
}

/** For the thread: what came since. */
export function renderGrowth({ events, rules, severity }: Episode): string {
  const last = events.at(-1);
  return `${SIGNS[severity]} ${events.length} events by now, the last at ${timeOf(last?.atMs ?? 0)}; rules: ${rules.join(", ")}`;
}

function whoOf({ principal, events }: Episode): string {
  const sessions = events.map(({ session }) => session).filter((session) => session !== undefined);
  const keys = events.map(({ accessKeyId }) => accessKeyId).filter((key) => key !== undefined);
  return [
    outsideCode(principal),
    ...(sessions.length > 0 ? [`session ${named(sessions)}`] : []),
    ...(keys.length > 0 ? [`access key ${named(keys)}`] : []),
  ].join(", ");
}

const secretsOf = (keys: readonly string[]) =>
  keys.length === 0 ? "no secret is named in the records" : `${keys.length} secret(s): ${named(keys)}`;

function countsOf(events: readonly Mark[]): string {
  const groups = Map.groupBy(events, ({ action, outcome }) => `${action} ${outcome}`);
  return [...groups].map(([what, all]) => `${all.length} × ${what}`).join(", ");
}

function usuallyOf(principal: string, usual: Usual): string {
  const facts = (prefix: string) => factsOf(usual, principal, prefix);
  const [secrets, networks, clients] = [FACT.reads(""), FACT.from(""), FACT.with("")].map(facts);
  if (!usual.seen.get(principal)?.size) return "nothing is known of it";
  const since = Math.min(...[...(usual.seen.get(principal)?.values() ?? [])].map(({ firstMs }) => firstMs));
  const list = (all: typeof secrets) => named((all ?? []).map(([name]) => name));
  return `reads ${secrets?.length ?? 0} secret(s) from ${list(networks)} with ${list(clients)}, seen since ${timeOf(since)}`;
}

function versionOf(events: readonly Mark[]): string {
  const versions = events.flatMap(({ version }) => (version ? [version] : []));
  const proven = versions.filter(({ known }) => known === "proven").map(({ id }) => id ?? "");
  const inferred = versions.filter(({ known }) => known === "inferred").map(({ id }) => id ?? "");
  const unknown = versions
    .filter(({ known }) => known === "unknown")
    .map(({ label }) => label ?? "AWSCURRENT");
  return (
    [
      ...(proven.length > 0 ? [`${named(proven)} proven`] : []),
      ...(inferred.length > 0 ? [`${named(inferred)} inferred from when it was in use`] : []),
      ...(unknown.length > 0 ? [`by label ${named(unknown)}, not proven: no record of its decryption`] : []),
    ].join("; ") || "no value was read"
  );
}

function rotationOf({ secrets, events }: Episode, { secrets: known }: Known): readonly string[] {
  const atMs = events[0]?.atMs ?? 0;
  return secrets.slice(0, EVENTS_SHOWN).flatMap((key) => {
    const secret = known.get(key);
    if (secret?.promoted === undefined && secret?.rotations === undefined) return [];
    const isOpen = secret.rotations?.some(({ toMs }) => toMs === undefined || toMs >= atMs) === true;
    const since = secret.promoted ? `in use since ${timeOf(secret.promoted.atMs)}` : "never rotated by Rekey";
    return [`${outsideCode(key)} ${since}${isOpen ? ", a rotation is open" : ""}`];
  });
}

/** The first, the last, and one in the middle. */
const sample = (events: readonly Mark[]): readonly Mark[] => [
  ...new Set([events[0], events[events.length >> 1], events.at(-1)].filter((mark) => mark !== undefined)),
];

const lookUp = ({ eventId, region }: Mark) =>
  commandLine(
    "aws",
    "cloudtrail",
    "lookup-events",
    "--region",
    region,
    "--lookup-attributes",
    `AttributeKey=EventId,AttributeValue=${eventId}`,
  );

function named(texts: readonly string[]): string {
  const distinct = [...new Set(texts)];
  const more = distinct.length - MOST_NAMED;
  return `${
    distinct
      .slice(0, MOST_NAMED)
      .map((text) => outsideCode(text))
      .join(", ") || "nowhere"
  }${more > 0 ? ` and ${more} more` : ""}`;
}

const timeOf = (ms: number) => `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
