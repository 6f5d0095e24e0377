/** A button of an incident's message, as what the person says with it. The button carries the run, and what in it. */
import { CLICKS } from "../incident/incidentMessage.ts";
import type { IncidentClick } from "./enterClick.ts";

export interface Pressed {
  readonly actionId: string;
  readonly value: string;
  readonly userId: string;
  /** What was typed, where the button opens a form. */
  readonly note?: string;
}

/** @returns undefined for a button that is none of an incident's */
export function clickOf({ actionId, value, userId, note }: Pressed): IncidentClick | undefined {
  const says = Object.entries(CLICKS).find(([, id]) => id === actionId)?.[0];
  const at = value.indexOf("/");
  if (says === undefined || at < 0) return undefined;
  const [runId, what] = [value.slice(0, at), value.slice(at + 1)];
  const who = { runId, by: userId };
  switch (says as keyof typeof CLICKS) {
    case "approve":
      return { ...who, says: "approve", digest: what };
    case "refuse":
      return { ...who, says: "refuse", digest: what };
    case "done":
      return { ...who, says: "done", digest: what, ...(note === undefined ? {} : { note }) };
    case "tryAgain":
      return { ...who, says: "tryAgain", step: what };
    case "goOn":
      return { ...who, says: "goOn", step: what };
    case "cancel":
      return { ...who, says: "cancel", because: note ?? "ended by a person" };
  }
}
