/**
 * What the records of one secret come to: every time that its value was given out, each once, however many records tell of
 * it; every time that it was refused; and what else was done to it.
 */
import { Moments } from "./moments.ts";
import type { SecretEvent } from "./secretEvent.ts";
import { isDelivery, isRead, pairReads, withProvenVersions } from "./versionProof.ts";
import { inferVersions, type VersionSpan } from "./versionTimeline.ts";

export interface Delivery {
  readonly event: SecretEvent;
  /** What tells of it: a read's own record, a Decrypt without a read, or a batch without either. */
  readonly shownBy: "read" | "kms" | "batch";
  /** What tells the version. */
  readonly versionBy: "request" | "kms" | "timeline" | "nothing";
}

export interface Deliveries {
  readonly given: readonly Delivery[];
  readonly denied: readonly SecretEvent[];
  /** Reads that failed for another reason than a missing right. */
  readonly failed: readonly SecretEvent[];
  readonly others: readonly SecretEvent[];
  readonly readsWithoutDecrypt: number;
}

const isBatch = ({ service, action }: SecretEvent) =>
  service === "secretsmanager" && action === "BatchGetSecretValue";
const isReading = (event: SecretEvent) =>
  (event.service === "secretsmanager" && event.action === "GetSecretValue") || isBatch(event);
const isDecrypt = ({ service, action }: SecretEvent) => service === "kms" && action === "Decrypt";

/**
 * @param related every record of one secret, each once, also some seconds around the window: what proves a read may stand outside
 * @param isInside whether an event counts
 */
export function deliveriesOf(
  related: readonly SecretEvent[],
  timeline: readonly VersionSpan[],
  isInside: (event: SecretEvent) => boolean,
): Deliveries {
  const { decryptOf, alone } = pairReads(related);
  const requested = new Set(
    related.filter(({ version }) => version?.known === "proven").map(({ eventId }) => eventId),
  );
  const own = inferVersions(withProvenVersions(related), timeline);
  const inside = own.filter(isInside);
  const reads = inside.filter(isRead);
  const lonely = alone.filter(isInside);
  const shown = new Moments(own.filter((event) => isRead(event) || isDelivery(event)));
  const batches = inside.filter(
    (event) => isBatch(event) && event.outcome === "allowed" && shown.near(event).length === 0,
  );
  const told = new Moments(own.filter((event) => isReading(event) && event.outcome !== "allowed"));
  const isTold = (event: SecretEvent) => told.near(event).length > 0;
  const refused = inside.filter(
    (event) => event.outcome !== "allowed" && (isReading(event) || (isDecrypt(event) && !isTold(event))),
  );
  return {
    given: [
      ...reads.map((event) => ({
        event,
        shownBy: "read" as const,
        versionBy: requested.has(event.eventId)
          ? ("request" as const)
          : decryptOf.has(event.eventId)
            ? ("kms" as const)
            : event.version?.known === "inferred"
              ? ("timeline" as const)
              : ("nothing" as const),
      })),
      ...lonely.map((event) => ({ event, shownBy: "kms" as const, versionBy: "kms" as const })),
      ...batches.map((event) => ({ event, shownBy: "batch" as const, versionBy: "nothing" as const })),
    ],
    denied: refused.filter(({ outcome }) => outcome === "denied"),
    failed: refused.filter(({ outcome }) => outcome === "failed"),
    others: inside.filter((event) => event.service === "secretsmanager" && !isReading(event)),
    readsWithoutDecrypt: reads.filter(({ eventId }) => !decryptOf.has(eventId)).length,
  };
}

/**
 * Principals that asked for a batch by filters, of which no single read is on record: such a batch names no secret, so that
 * it may have given out any.
 */
export function namelessBatches(events: readonly SecretEvent[]): readonly string[] {
  const shown = new Moments(events.filter((event) => isRead(event) || isDelivery(event)));
  const unexplained = events.filter(
    (event) =>
      isBatch(event) &&
      event.outcome === "allowed" &&
      event.secrets.length === 0 &&
      shown.near(event).length === 0,
  );
  return [...new Set(unexplained.map(({ principal }) => principal?.key ?? ""))].toSorted();
}
