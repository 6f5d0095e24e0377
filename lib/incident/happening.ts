/** What of a run's changes goes into its audit log. Everything but who is at work on it, which changes every minute. */
import { createHash } from "node:crypto";
import type { Happening } from "./audit.ts";
import type { Event } from "./record.ts";
import type { Place, Requester } from "./run.ts";

export function happeningOf(event: Event, now: Date): Happening | undefined {
  const at = now.toISOString();
  switch (event.what) {
    case "leased":
      return undefined;
    case "asked": {
      const { people, digest } = event.request;
      const before = event.before ? `; ${event.before.shows}` : "";
      return { at, what: "asked", ...stepOf(event.place), says: `${people} must agree${before}`, digest };
    }
    case "agreed":
      return { at, what: "agreed", ...stepOf(event.place), by: event.by, digest: event.digest };
    case "began":
      return {
        at,
        what: "began",
        ...stepOf(event.place),
        ...(event.approval === undefined ? {} : { digest: event.approval }),
      };
    case "answered":
      return { at, what: "answered", ...stepOf(event.place) };
    case "proven": {
      const { check, shows, by, providerAt } = event.proof;
      const when = providerAt === undefined ? "" : ` (${providerAt})`;
      return {
        at,
        what: event.place.undo ? "undone" : "proven",
        ...stepOf(event.place),
        says: `${check}: ${shows}${when}`,
        ...(by === undefined ? {} : { by }),
      };
    }
    case "lapsed":
    case "lost":
    case "leftNoTrace":
    case "skipped":
    case "failed":
      return { at, what: event.what, ...stepOf(event.place), says: event.because };
    case "tryAgain":
    case "goOn":
    case "takeBack":
      return { at, what: event.what, step: event.step, by: event.by };
    case "cancelled":
      return { at, what: "cancelled", by: event.by, says: event.because };
    case "completed":
      return { at, what: "completed", says: event.because };
  }
}

const stepOf = ({ step, undo }: Place) => ({ step: undo ? `undo ${step}` : step });

export const nameOfRequester = (requester: Requester): string =>
  "person" in requester ? requester.person : `rekey: ${requester.rekey}`;

/** The same thing that is asked for twice has one run: its id is made from the thing. */
export const runIdOf = (...parts: readonly string[]): string =>
  `inc-${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 20)}`;
