/** What answering people in Slack is given. */
import type { Rule } from "../detection/rule.ts";
import type { WatchStore } from "../detection/watchStore.ts";
import type { Answers, Dialogs, Starter } from "../incident/answers.ts";
import type { Announcer } from "../message.ts";
import type { AccessPorts } from "./accessPorts.ts";

/** `repeated`: somebody else is at it, or did it within the last minutes. */
export type Response = "done" | "refused" | "repeated";

export interface RespondPorts extends Pick<AccessPorts, "tell" | "now"> {
  readonly watch: Pick<WatchStore, "kept" | "suppress" | "suppressions">;
  readonly rules: readonly Rule[];
  readonly announcer: Announcer;
  readonly dialogs: Dialogs;
  readonly answers: Answers;
  readonly rotateAll: Starter;
  /** Slack user ids. */
  readonly approvers: readonly string[];
  /** Whose messages carry the buttons. */
  readonly channel: string;
  /** For blast radii, and to know which secrets are managed. */
  readonly access: AccessPorts;
}
