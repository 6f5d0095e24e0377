/** What is kept of an event that a rule may need again, and that people are told. */
import type { ClientFamily, SecretEvent, VersionRead } from "./secretEvent.ts";

export interface Mark {
  readonly eventId: string;
  readonly atMs: number;
  readonly action: string;
  readonly outcome: SecretEvent["outcome"];
  readonly region: string;
  /** Keys. */
  readonly secrets: readonly string[];
  /** Key of the network, and the address in it where there is one. */
  readonly network: string;
  readonly address?: string;
  readonly client: ClientFamily;
  readonly session?: string;
  readonly accessKeyId?: string;
  readonly version?: VersionRead;
}

export function markOf(event: SecretEvent): Mark {
  const { eventId, atMs, action, outcome, region, secrets, network, client, principal, version } = event;
  return {
    eventId,
    atMs,
    action,
    outcome,
    region,
    secrets: secrets.map(({ key }) => key),
    network: network.key,
    client,
    ...(network.address === undefined ? {} : { address: network.address }),
    ...(principal?.session === undefined ? {} : { session: principal.session }),
    ...(principal?.accessKeyId === undefined ? {} : { accessKeyId: principal.accessKeyId }),
    ...(version === undefined ? {} : { version }),
  };
}

/** In the order of their times; those of one second in the order of their ids; 0 for one and the same. */
export const byTime = (
  a: { readonly eventId: string; readonly atMs: number },
  b: { readonly eventId: string; readonly atMs: number },
): number => a.atMs - b.atMs || Number(a.eventId > b.eventId) - Number(a.eventId < b.eventId);

/** The first index at which a time is not before the one given. */
export function indexFrom(sorted: readonly { readonly atMs: number }[], atMs: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.atMs ?? 0) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
