/** What the journeys of an incident are given. */
import type { People } from "../incident/approval.ts";
import type { Effects } from "../incident/effect.ts";
import type { IncidentStore } from "../incident/incidentStore.ts";
import type { Runbook } from "../incident/runbook.ts";
import type { Voice } from "../incident/voice.ts";
import type { Ports } from "./ports.ts";

/** For beginning one, and nothing more. */
export type BeginPorts = Pick<IncidentPorts, "incidents" | "loadRunbook" | "tell" | "now">;

export interface IncidentPorts extends Pick<Ports, "tell" | "now" | "sleep"> {
  readonly incidents: IncidentStore;
  /** @throws RekeyError PAYLOAD_INVALID for one that there is not */
  readonly loadRunbook: (id: string) => Promise<Runbook>;
  readonly people: People;
  readonly effects: Effects;
  /** Undefined when no channel is configured. */
  readonly voice?: Voice;
  /** Of this invocation and no other. */
  readonly holder: string;
}
