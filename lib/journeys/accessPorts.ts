/** What looking back at who read secrets needs of the outside world. Nothing of it writes, but for the channel. */
import type { ResourcePolicies } from "../detection/possibleReaders.ts";
import type { TrailCoverage } from "../detection/trailCoverage.ts";
import type { WatchStore } from "../detection/watchStore.ts";
import type { RotationLog } from "../rotation/intent.ts";
import type { SecretStore } from "../rotation/secretStore.ts";
import type { Ports } from "./ports.ts";
import type { SearchPorts } from "./searchHistory.ts";

export interface AccessPorts extends SearchPorts, Pick<Ports, "fleet" | "announcer" | "tell"> {
  readonly store: Pick<SecretStore, "describe" | "list">;
  readonly log: Pick<RotationLog, "history">;
  readonly trails: TrailCoverage;
  readonly policies: ResourcePolicies;
  /** What the watch over reads keeps. */
  readonly watch: Pick<WatchStore, "known" | "suppressions">;
}
