/** What should have happened and did not: a consumer that has not read what its secret was given, long after it should have. */
import type { Usual } from "./history.ts";
import type { Known } from "./known.ts";
import { FACT } from "./lessons.ts";
import type { Mark } from "./mark.ts";

export interface Missed {
  readonly principal: string;
  readonly mark: Mark;
}

/** A consumer that never read the secret before is one that the map has too much, and not one that is late. */
export function missedReReads({ secrets }: Known, { seen }: Usual, now: Date): readonly Missed[] {
  return [...secrets].flatMap(([secret, { promoted, consumers }]) => {
    if (promoted === undefined || promoted.reReadByMs > now.getTime()) return [];
    return [...(consumers ?? [])]
      .filter((principal) => {
        const read = seen.get(principal)?.get(FACT.reads(secret));
        return read !== undefined && read.lastMs < promoted.atMs;
      })
      .map((principal) => ({ principal, mark: markOf(secret, promoted.reReadByMs) }));
  });
}

const markOf = (secret: string, atMs: number): Mark => ({
  eventId: `no read of ${secret} by ${new Date(atMs).toISOString()}`,
  atMs,
  action: "GetSecretValue",
  outcome: "failed",
  region: secret.split("/")[1] ?? "",
  secrets: [secret],
  network: "",
  client: "other",
});
