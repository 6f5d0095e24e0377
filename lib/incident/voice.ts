/** The channel as an incident uses it: said once under its name, said anew as an edit, and some time later it stands there. */
import type { Message } from "../message.ts";

export interface Said {
  /** A thread of its own for each incident; the first that is said in it is its headline. */
  readonly threadId: string;
  /** Its name in the thread; the same name again is an edit. */
  readonly key: string;
  readonly message: Message;
  readonly priority: "P1" | "P2" | "P3" | "P4";
}

export interface Voice {
  /** Does not wait for the channel. @throws RekeyError AWS_* if it is not certain that it will be said */
  say(said: Said): Promise<void>;
  /** @returns the channel's own name for it, as soon as it stands there; undefined if it was never said */
  shown(threadId: string, key: string): Promise<{ readonly as: string } | "waiting" | undefined>;
}
