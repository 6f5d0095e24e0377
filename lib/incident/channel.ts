/** The outside world as an outbox sees it: the channel, the second way to people, and where outboxes are kept. */
import type { Message } from "../message.ts";
import type { Priority, Thread } from "./outbox.ts";
import type { LookOutcome, SendOutcome } from "./outboxSteps.ts";

export interface Letter {
  /** Kept by Slack with the message, and found again by. */
  readonly sendId: string;
  readonly message: Message;
  /** Of the headline, for what stands below it. */
  readonly threadTs?: string;
}

/** Nothing of it throws for what Slack does or does not answer. */
export interface Channel {
  post(letter: Letter): Promise<SendOutcome>;
  edit(ts: string, letter: Letter): Promise<SendOutcome>;
  /** @param since a little before the send whose end nobody knows */
  look(letter: Pick<Letter, "sendId" | "threadTs">, since: Date): Promise<LookOutcome>;
}

export interface Pager {
  /**
   * To everybody on call. May say the same twice, never not at all.
   * @throws RekeyError AWS_*
   */
  page(subject: string, text: string): Promise<void>;
}

/** Every save is conditional: @returns undefined, and @returns false, if somebody else was first. */
export interface OutboxStore {
  read(threadId: string): Promise<Thread | undefined>;
  save(thread: Thread): Promise<Thread | undefined>;
  /** All announcements that are not closed. */
  announced(): Promise<readonly Announcement[]>;
  /** Before anything is written to a thread, so that a crash leaves a thread that is looked at and not one that is forgotten. */
  announce(announcement: Announcement): Promise<void>;
  close(announcement: Announcement): Promise<void>;
}

/** That something is about to be said in a thread. What was said carries the mark, and then the announcement has done its work. */
export interface Announcement {
  readonly threadId: string;
  readonly priority: Priority;
  readonly mark: string;
  readonly at: Date;
}
