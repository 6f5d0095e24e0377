/** What the watch over secret reads is given. */
import type { Episode } from "../detection/episodes.ts";
import type { Rule } from "../detection/rule.ts";
import type { WatchStore } from "../detection/watchStore.ts";
import type { Announcer } from "../message.ts";
import type { Ports } from "./ports.ts";

export interface WatchPorts extends Pick<Ports, "tell" | "now"> {
  readonly store: WatchStore;
  readonly rules: readonly Rule[];
  /** Undefined when no channel is configured. */
  readonly announcer?: Announcer;
  /** Begins the incident of what was found. Undefined where nobody could approve anything. */
  readonly respond?: (account: string, episode: Episode) => Promise<unknown>;
}
