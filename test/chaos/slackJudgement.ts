/** What the channel says in the end, against what was said: each message once, in its newest version, and in its place. */
import type { SlackMessage } from "../standin/slack.ts";

/** One message; every text begins with its name. */
export interface Said {
  readonly name: string;
  readonly threadId: string;
  /** The newest version. */
  text: string;
  /** Of the thread's messages; 0 is the headline. */
  readonly place: number;
}

export interface Judgement {
  /** Not there, or there in an older version. */
  readonly lost: number;
  readonly duplicates: number;
  /** Below another headline, or above what was said before it. */
  readonly misplaced: number;
}

const nameOf = ({ revisions }: SlackMessage) => revisions[0]?.text.split(" ")[0] ?? "";

/** Finds messages by name without going through the whole channel for each. */
export class Board {
  readonly #messages: readonly SlackMessage[];
  readonly #byName = new Map<string, SlackMessage[]>();
  #seen = 0;

  constructor(messages: readonly SlackMessage[]) {
    this.#messages = messages;
  }

  find(name: string): readonly SlackMessage[] {
    for (; this.#seen < this.#messages.length; this.#seen += 1) {
      const message = this.#messages[this.#seen];
      if (message) this.#byName.set(nameOf(message), [...(this.#byName.get(nameOf(message)) ?? []), message]);
    }
    return this.#byName.get(name) ?? [];
  }

  isShown({ name, text }: Said): boolean {
    return this.find(name)[0]?.revisions.at(-1)?.text === text;
  }
}

export function judge(said: readonly Said[], messages: readonly SlackMessage[]): Judgement {
  const board = new Board(messages);
  const lost = said.filter((one) => !board.isShown(one));
  const duplicates = said.reduce((sum, { name }) => sum + Math.max(0, board.find(name).length - 1), 0);
  const misplaced = said.filter((one) => {
    const message = board.find(one.name)[0];
    const before = said.filter(
      ({ threadId, place }) => threadId === one.threadId && place === one.place - 1,
    )[0];
    const headline = said.find(({ threadId, place }) => threadId === one.threadId && place === 0);
    if (!message || !headline) return false;
    const isBelow = message.thread === (one.place === 0 ? undefined : board.find(headline.name)[0]?.ts);
    const previous = before && board.find(before.name)[0];
    return !isBelow || (previous !== undefined && Number(previous.ts) > Number(message.ts));
  });
  return { lost: lost.length, duplicates, misplaced: misplaced.length };
}
