/** What the journey of a stopped container is given. */
import type { EpisodeLog } from "../incident/episodeLog.ts";
import type { LogTail, Reach, ServiceWatch, UsageMeter } from "../incident/taskFacts.ts";
import type { Announcer } from "../message.ts";
import type { RotationLog } from "../rotation/intent.ts";
import type { Ports } from "./ports.ts";

export interface StopPorts extends Pick<Ports, "tell" | "now" | "sleep"> {
  /** Names or ARNs of the clusters that are watched; empty for all. */
  readonly clusters: readonly string[];
  readonly watch: ServiceWatch;
  readonly logs: LogTail;
  readonly usage: UsageMeter;
  readonly reach: Reach;
  readonly episodes: EpisodeLog;
  /** The ledger of what Rekey itself has under way. */
  readonly rotations: Pick<RotationLog, "openRuns" | "run" | "histories">;
  /** Undefined when no channel is configured. */
  readonly announcer?: Announcer;
  /** Tells this invocation from every other, retries of it too. */
  readonly holder: string;
}
