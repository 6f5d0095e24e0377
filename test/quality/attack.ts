/** An attack as it is planted: its records, and what a finding has to be about to have seen it. */
import { type Caller, personCaller, roleSession } from "./callers.ts";
import { SECOND_MS } from "./moments.ts";
import { strangersAddress } from "./network.ts";
import type { Random } from "./random.ts";
import type { Scribe, TimedRecord } from "./scribe.ts";
import type { Secret, Tenant } from "./tenant.ts";

export interface Attack {
  readonly records: readonly TimedRecord[];
  readonly episodes: readonly Planted[];
}

export interface Planted {
  /** Keys of all that act in it. */
  readonly principals: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Keys. */
  readonly secrets: readonly string[];
}

/** One episode of everything that was written. */
export function attackOf(
  { records }: Scribe,
  callers: readonly Caller[],
  secrets: readonly Secret[],
): Attack {
  const times = records.map(({ atMs }) => atMs);
  const episode = {
    principals: [...new Set(callers.map(({ principal }) => principal))],
    // Records tell whole seconds.
    fromMs: Math.floor(Math.min(...times) / SECOND_MS) * SECOND_MS,
    toMs: Math.max(...times),
    secrets: [...new Set(secrets.map(({ key }) => key))],
  };
  return { records, episodes: records.length > 0 ? [episode] : [] };
}

export const BY_HAND =
  "aws-cli/2.22.12 md/awscrt#0.22.0 ua/2.0 os/linux#6.5.0-kali md/arch#x86_64 lang/python#3.12.6 md/installer#exe";
const BY_PROGRAM = "Boto3/1.35.94 md/Botocore#1.35.94 ua/2.0 os/linux#6.8 md/arch#x86_64 lang/python#3.12.3";

/** The same credential in other hands: another network, and a client of the thief's choice. */
export function stolen(
  caller: Caller,
  random: Random,
  userAgent = random.pick([BY_HAND, BY_PROGRAM]),
): Caller {
  const { isFromConsole: _, ...rest } = caller;
  return { ...rest, from: { sourceIPAddress: strangersAddress(random) }, userAgent };
}

/** A person who is not on call, or somebody in that person's place. */
export const anyPerson = (tenant: Tenant, by: "console" | "cli", atMs: number, random: Random): Caller =>
  personCaller(tenant, random.pick(tenant.people), by, atMs, random);

/** A role that the account has and nobody uses, which somebody found out how to assume. */
export const forgottenRole = ({ account }: Tenant, atMs: number, random: Random): Caller =>
  roleSession(
    `arn:aws:iam::${account}:role/legacy-support`,
    random.text(12),
    { from: { sourceIPAddress: strangersAddress(random) }, userAgent: BY_HAND, atMs },
    random,
  );

/** Secrets that are there at that time; never a canary. */
export const standing = ({ secrets, canaries }: Tenant, atMs: number): Secret[] =>
  secrets.filter(
    (secret) => !canaries.includes(secret) && (secret.versions[0]?.currentFromMs ?? atMs) < atMs,
  );

export const inProduction = (tenant: Tenant, atMs: number): Secret[] =>
  standing(tenant, atMs).filter(({ tier }) => tier === "production");
