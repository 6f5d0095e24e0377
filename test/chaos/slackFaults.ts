/**
 * What befalls a send: a fault of Slack's for its first calls, and a death of its sender at one of its steps. A sender dies
 * where it waits for an answer, before the call has its effect or after; of what it knew, nothing is left, and whoever
 * waits for it waits for ever.
 */
import type { Channel, OutboxStore, Pager } from "../../lib/incident/channel.ts";
import type { SlackFault } from "../standin/slack.ts";

/** Time passes this much faster for whoever sends than it does for the machine. */
export const SPEED = 10;

/** How soon a caller gives up; Slack's faults are made to last longer or shorter than this. */
export const TIMEOUT_MS = 400;

export const SLACK_FAULTS: readonly SlackFault[] = [
  { is: "limited", retryAfterSeconds: 1 },
  { is: "broken" },
  { is: "brokenAfter" },
  { is: "reset" },
  { is: "resetAfter" },
  { is: "silent", delayMs: 2 * TIMEOUT_MS },
  { is: "late", delayMs: 1.3 * TIMEOUT_MS },
  { is: "slow", delayMs: TIMEOUT_MS / 5 },
];

/** The most that one turn of the machine may take of the clock's time. */
const MOST_TURN_MS = 50;

/**
 * Time for senders and for Slack. It stands still while the machine does: a request that lay in this process's own queue for
 * a second would otherwise have been on its way for ten, and Slack takes no request that long after it was sent.
 */
export function startClock(speed: number): { readonly now: () => Date; stop(): void } {
  let nowMs = Date.now();
  let turned = performance.now();
  const timer = setInterval(() => {
    const turn = performance.now();
    nowMs += Math.min(turn - turned, MOST_TURN_MS) * speed;
    turned = turn;
  }, 5);
  return { now: () => new Date(nowMs), stop: () => clearInterval(timer) };
}

/** Mulberry32: the same again for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Of one incarnation of a sender. Once it is dead, nothing that it was waiting for comes back to it. */
export class Life {
  readonly died: Promise<"died">;
  #isOver = false;
  #die: () => void = () => {};
  readonly #dies: (point: string) => boolean;

  /** @param dies asked before and after each call, with its name */
  constructor(dies: (point: string) => boolean) {
    this.#dies = dies;
    this.died = new Promise((resolve) => {
      this.#die = () => resolve("died");
    });
  }

  async through<T>(point: string, call: () => Promise<T>): Promise<T> {
    this.#pass(`before ${point}`);
    if (this.#isOver) return never();
    const answer = await call();
    this.#pass(`after ${point}`);
    return this.#isOver ? never() : answer;
  }

  #pass(point: string): void {
    if (this.#isOver || !this.#dies(point)) return;
    this.#isOver = true;
    this.#die();
  }

  store(outbox: OutboxStore): OutboxStore {
    return {
      read: (threadId) => this.through("read", () => outbox.read(threadId)),
      save: (thread) => this.through("save", () => outbox.save(thread)),
      announced: () => this.through("list", () => outbox.announced()),
      announce: (announcement) => this.through("announce", () => outbox.announce(announcement)),
      close: (announcement) => this.through("close", () => outbox.close(announcement)),
    };
  }

  channel(channel: Channel): Channel {
    return {
      post: (letter) => this.through("post", () => channel.post(letter)),
      edit: (ts, letter) => this.through("edit", () => channel.edit(ts, letter)),
      look: (letter, since) => this.through("look", () => channel.look(letter, since)),
    };
  }

  pager(pager: Pager): Pager {
    return { page: (subject, text) => this.through("page", () => pager.page(subject, text)) };
  }
}

const never = <T>() => new Promise<T>(() => {});

/**
 * A fault for the first call of each send: every kind in turn, for each method. Later calls are spared more often than not,
 * so that a send ends.
 */
export class FirstCalls {
  /** Method and fault, as they struck. */
  readonly struck: string[] = [];
  readonly #seen = new Set<string>();
  readonly #turns = new Map<string, number>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  fault(method: string, call: Readonly<Record<string, unknown>>): SlackFault | undefined {
    const send = `${method} ${String(call["text"] ?? "")}`;
    const isFirst = method.startsWith("chat.") && !this.#seen.has(send);
    this.#seen.add(send);
    if (!isFirst && this.#random() > 0.2) return undefined;
    const turn = this.#turns.get(method) ?? 0;
    this.#turns.set(method, turn + 1);
    const fault = SLACK_FAULTS[turn % SLACK_FAULTS.length];
    if (fault) this.struck.push(`${method} ${fault.is}`);
    return fault;
  }
}
