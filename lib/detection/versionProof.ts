/**
 * Which version a read was given. The record of a default read does not tell; the KMS record of the same call does, since
 * Secrets Manager decrypts in the reader's name with the version in the encryption context. The two share no id: they
 * belong together when principal and secret are the same and both are of the same moment.
 */
import { byTime } from "./mark.ts";
import { Moments } from "./moments.ts";
import type { SecretEvent } from "./secretEvent.ts";

export interface Pairs {
  /** Event id of a read -> the KMS record of the same call. */
  readonly decryptOf: ReadonlyMap<string, SecretEvent>;
  /** Decrypts that no single read explains: those of a batch, or of a read whose record is missing. */
  readonly alone: readonly SecretEvent[];
}

export const isRead = ({ service, action, outcome }: SecretEvent): boolean =>
  service === "secretsmanager" && action === "GetSecretValue" && outcome === "allowed";

export const isDelivery = ({ service, action, outcome, secrets }: SecretEvent): boolean =>
  service === "kms" && action === "Decrypt" && outcome === "allowed" && secrets.length > 0;

/**
 * Each Decrypt belongs to one read at most, and the nearest in time go first; of the same distance those whose request names
 * the version. Of two default reads by one principal in one second it cannot be told which was given which of two versions,
 * only that both were given.
 */
export function pairReads(events: readonly SecretEvent[]): Pairs {
  const distinct = [...new Map(events.map((event) => [event.eventId, event])).values()];
  const decrypts = new Moments(distinct.filter(isDelivery));
  const candidates = distinct.filter(isRead).flatMap((read) =>
    decrypts
      .near(read)
      .filter((decrypt) => mayBeOne(read, decrypt))
      .map((decrypt) => ({ read, decrypt, apartMs: Math.abs(read.atMs - decrypt.atMs) })),
  );
  candidates.sort(
    (a, b) =>
      a.apartMs - b.apartMs ||
      Number(b.read.version?.id !== undefined) - Number(a.read.version?.id !== undefined) ||
      byTime(a.read, b.read) ||
      byTime(a.decrypt, b.decrypt),
  );
  const decryptOf = new Map<string, SecretEvent>();
  const used = new Set<string>();
  for (const { read, decrypt } of candidates) {
    if (decryptOf.has(read.eventId) || used.has(decrypt.eventId)) continue;
    decryptOf.set(read.eventId, decrypt);
    used.add(decrypt.eventId);
  }
  const alone = distinct.filter((event) => isDelivery(event) && !used.has(event.eventId));
  return { decryptOf, alone: alone.toSorted(byTime) };
}

/** A read that names its version is never of one call with the Decrypt of another. */
function mayBeOne(read: SecretEvent, decrypt: SecretEvent): boolean {
  if (!read.secrets.some(({ key }) => decrypt.secrets.some((other) => other.key === key))) return false;
  const [wanted, given] = [read.version?.id, decrypt.version?.id];
  return wanted === undefined || given === undefined || wanted === given;
}

/** The same events in the same order; a read whose version a KMS record proves carries it. */
export function withProvenVersions(events: readonly SecretEvent[]): readonly SecretEvent[] {
  const { decryptOf } = pairReads(events);
  return events.map((event) => {
    const id = decryptOf.get(event.eventId)?.version?.id;
    if (id === undefined || event.version?.known === "proven" || !isRead(event)) return event;
    return { ...event, version: { ...event.version, id, known: "proven" } };
  });
}
