/** Who read what, as a step of a runbook gives it on: readers that were not to be expected, and what else they read. */
import { type BlastRadius, isOf } from "../detection/blastRadius.ts";
import { nameOf, type Reader } from "../detection/reader.ts";
import type { SecretEvent } from "../detection/secretEvent.ts";
import { isRead } from "../detection/versionProof.ts";
import type { Task } from "../incident/effect.ts";
import type { Findings } from "../incident/incidentStore.ts";
import { whyNoInput } from "../incident/inputs.ts";
import type { AccessPorts } from "./accessPorts.ts";
import { blastRadius } from "./blastRadius.ts";
import { searchHistory } from "./searchHistory.ts";

const HOUR_MS = 3_600_000;
const WEEK_HOURS = 168;
/** Within the lease of whoever runs the step. */
const TURN_MS = 20_000;
const MOST_NAMED = 200;
const MOST_LINES = 60;

export async function reachOf(
  ports: AccessPorts,
  { order }: Task,
): Promise<Pick<Findings, "lines" | "gave">> {
  const { secret, principal, accessKey, hours } = order.inputs;
  const toMs = ports.now().getTime();
  const period = { fromMs: toMs - Number(hours ?? WEEK_HOURS) * HOUR_MS, toMs };
  const radius =
    secret === undefined
      ? undefined
      : await blastRadius(ports, { secret: String(secret), ...period }, new Date(toMs + TURN_MS));
  const strangers = (radius?.observed ?? []).filter(isStranger);
  const asked = new Set([
    ...(principal === undefined ? [] : [String(principal)]),
    ...strangers.map((one) => one.principal),
  ]);
  const isAsked = (event: SecretEvent) =>
    asked.has(nameOf(event)) || (accessKey !== undefined && event.principal?.accessKeyId === accessKey);
  const needsMore = accessKey !== undefined || asked.size > 0;
  const history = needsMore
    ? await searchHistory(ports, period, new Date(ports.now().getTime() + TURN_MS))
    : undefined;
  const reads = (history?.events ?? []).filter((event) => isAsked(event) && isRead(event));
  const others = namesIn(reads.filter((event) => radius === undefined || !isOf(event, radius.secret)));
  const readers = radius === undefined ? new Set(reads.map(nameOf)).size : strangers.length;
  const lines = [
    ...(radius ? radiusLines(radius, strangers) : [`${reads.length} reads by ${readers} principals`]),
    ...(needsMore ? [`what ${radius ? "else " : ""}they read: ${others.join(", ") || "nothing"}`] : []),
    ...coverageLines(radius, history?.searched ?? undefined, period),
  ];
  return {
    lines: lines.slice(0, MOST_LINES),
    // A record may name anything; what is no name of a secret is told, and not handed on.
    gave: { readers, secrets: others.filter(isName).slice(0, MOST_NAMED), services: servicesIn(radius) },
  };
}

const isStranger = ({ knownAs, reads, shownByKmsAlone }: Reader) =>
  knownAs === undefined && reads + shownByKmsAlone > 0;

const isName = (name: string) => whyNoInput("secret", name) === undefined;

const SERVICE = /[\w-]+\/[\w-]+/;

/** The services that are known to use it, as far as they were seen. */
function servicesIn(radius: BlastRadius | undefined): string[] {
  const why = [
    ...(radius?.observed ?? []).map(({ knownAs }) => knownAs),
    ...(radius?.possible ?? []).map(({ because }) => because),
  ];
  return [...new Set(why.flatMap((text) => SERVICE.exec(text ?? "")?.[0] ?? []))].slice(0, MOST_NAMED);
}

const namesIn = (events: readonly SecretEvent[]): string[] =>
  [...new Set(events.flatMap(({ secrets }) => secrets.map(({ name }) => name)))].toSorted();

function radiusLines({ secret, totals, from, to }: BlastRadius, strangers: readonly Reader[]): string[] {
  return [
    `${secret.name}: ${totals.reads} reads by ${totals.principals} principals, ${strangers.length} of them unexpected, from ${from} to ${to}`,
    ...strangers.map(({ principal, reads, first, last, networks }) => {
      const where = networks.map(({ key }) => key).join(", ");
      return `unexpected: ${principal}, ${reads} reads from ${first ?? "?"} to ${last ?? "?"} by way of ${where || "unknown"}`;
    }),
  ];
}

/** What was not looked at is said beside what was found. */
function coverageLines(
  radius: BlastRadius | undefined,
  searched: { readonly fromMs: number; readonly toMs: number } | undefined,
  period: { readonly fromMs: number },
): string[] {
  if (radius)
    return [
      `searched: ${radius.coverage.place}, ${radius.coverage.searched ? `${radius.coverage.searched.from} to ${radius.coverage.searched.to}` : "nothing to its end"}`,
      ...radius.coverage.gaps.map((gap) => `gap: ${gap}`),
    ];
  const iso = (ms: number) => new Date(ms).toISOString();
  if (!searched) return ["searched: nothing to its end"];
  const isWhole = searched.fromMs <= period.fromMs;
  return [
    `searched: ${iso(searched.fromMs)} to ${iso(searched.toMs)}${isWhole ? "" : "; the rest was not reached in time"}`,
  ];
}
