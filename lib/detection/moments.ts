/** Finds what one principal did in the same moment, without comparing everything with everything. */
import type { SecretEvent } from "./secretEvent.ts";

/** Times are told to the second; a second more on either side is what recorded pairs never exceed. */
export const SAME_CALL_MS = 2_000;

const SECOND_MS = 1_000;

export class Moments {
  readonly #at = new Map<string, SecretEvent[]>();

  constructor(events: readonly SecretEvent[]) {
    for (const event of events) {
      const key = keyOf(event, 0);
      const known = this.#at.get(key);
      if (known) known.push(event);
      else this.#at.set(key, [event]);
    }
  }

  /** By the same principal, at most two seconds apart; not the event itself. What is nobody's is near to nothing. */
  near(event: SecretEvent): readonly SecretEvent[] {
    if (event.principal === undefined) return [];
    return [-2, -1, 0, 1, 2]
      .flatMap((seconds) => this.#at.get(keyOf(event, seconds)) ?? [])
      .filter(
        (other) => other.eventId !== event.eventId && Math.abs(other.atMs - event.atMs) <= SAME_CALL_MS,
      );
  }
}

const keyOf = ({ principal, atMs }: SecretEvent, seconds: number) =>
  `${Math.floor(atMs / SECOND_MS) + seconds} ${principal?.key ?? ""}`;
