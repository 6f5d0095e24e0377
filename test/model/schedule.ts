/**
 * The order of everything: calls that workers wait for, and things that happen at a time. Nothing runs by itself; whoever
 * plays decides which pending call is answered next, and the clock jumps when nothing is left to answer.
 */
/** After every microtask: each worker stands at its next call. */
export const drained = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** One invocation of a handler. */
export interface Worker {
  readonly id: string;
  /** A dead worker's calls are never answered. */
  alive: boolean;
  /** The process stands still: what it has sent takes effect, and it hears and does nothing before this time. */
  frozenUntil: number;
}

interface Call {
  readonly worker: Worker;
  readonly name: string;
  readonly effect: () => unknown;
  readonly answer: (take: () => unknown) => void;
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** What a call costs at least: enough for no two acts to carry the same time. */
const CALL_MS = 15;

export class Schedule {
  now = Date.UTC(2026, 10, 24, 12);
  /** Names of the calls answered so far, for whoever wants to know how a run came about. */
  answered = 0;
  trace: ((line: string) => void) | undefined;
  #calls: Call[] = [];
  #timers: Timer[] = [];

  call<T>(worker: Worker, name: string, effect: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!worker.alive) return;
      const answer = (take: () => unknown) => {
        try {
          resolve(take() as T);
        } catch (error) {
          reject(error);
        }
      };
      this.#calls.push({ worker, name, effect, answer });
    });
  }

  at(time: number, run: () => void): void {
    const timer = { at: time, run };
    const place = this.#timers.findIndex(({ at }) => at > time);
    if (place === -1) this.#timers.push(timer);
    else this.#timers.splice(place, 0, timer);
  }

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run);
  }

  /**
   * Answers one call, or lets the next thing happen if its time has come or no call is left.
   *
   * @param choose picks one of so many; 0 is the one that has waited longest
   */
  async step(choose: (count: number) => number): Promise<void> {
    const ready = this.#calls.filter(({ worker }) => worker.frozenUntil <= this.now);
    const [timer] = this.#timers;
    const isDue = timer !== undefined && timer.at <= this.now;
    const chosen = ready.length + (isDue ? 1 : 0) > 0 ? choose(ready.length + (isDue ? 1 : 0)) : -1;
    const call = ready[isDue ? chosen - 1 : chosen];
    if (call) {
      this.#calls.splice(this.#calls.indexOf(call), 1);
      this.now += CALL_MS;
      this.#execute(call);
    } else if (timer) {
      this.#timers.shift();
      this.now = Math.max(this.now, timer.at);
      timer.run();
    } else {
      return;
    }
    await drained();
  }

  /** Time goes by and nobody gets an answer; what was sent takes effect, and what happens by itself happens. */
  pass(ms: number): void {
    for (const worker of new Set(this.#calls.map((call) => call.worker)))
      this.#holdBack(worker, Math.max(worker.frozenUntil, this.now + ms));
    const until = this.now + ms;
    for (let timer = this.#timers[0]; timer && timer.at <= until; timer = this.#timers[0]) {
      this.#timers.shift();
      this.now = Math.max(this.now, timer.at);
      timer.run();
    }
    this.now = until;
  }

  /** @param sent how many of its pending calls still take effect, unheard */
  kill(worker: Worker, sent: number): void {
    const own = this.#calls.filter((call) => call.worker === worker);
    this.#calls = this.#calls.filter((call) => call.worker !== worker);
    worker.alive = false;
    for (const call of own.slice(0, sent)) this.#execute({ ...call, answer: (take) => quietly(take) });
    this.trace?.(`${worker.id} dies; ${Math.min(sent, own.length)} of ${own.length} calls took effect`);
  }

  /** What it has sent takes effect now; what it would have sent next, it sends when it wakes, or never. */
  freeze(worker: Worker, ms: number): void {
    worker.frozenUntil = Math.max(worker.frozenUntil, this.now + ms);
    this.trace?.(`${worker.id} freezes for ${ms / 1000} s`);
    this.#holdBack(worker, worker.frozenUntil);
  }

  #holdBack(worker: Worker, until: number): void {
    const own = this.#calls.filter((call) => call.worker === worker);
    this.#calls = this.#calls.filter((call) => call.worker !== worker);
    for (const call of own) {
      this.#execute({
        ...call,
        answer: (take) => {
          const heard = quietly(take);
          this.#atAwake(worker, until, () => call.answer(heard));
        },
      });
    }
  }

  /** Ends early when the signal says so, as the real one does. */
  sleep(worker: Worker, ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((wake) => {
      if (signal?.aborted) return wake();
      signal?.addEventListener("abort", () => wake(), { once: true });
      this.#atAwake(worker, this.now + ms, () => {
        if (!signal?.aborted) wake();
      });
    });
  }

  #atAwake(worker: Worker, time: number, run: () => void): void {
    this.at(time, () => {
      if (!worker.alive) return;
      if (worker.frozenUntil <= this.now) run();
      else this.#atAwake(worker, worker.frozenUntil, run);
    });
  }

  #execute({ worker, name, effect, answer }: Call): void {
    this.answered++;
    answer(() => {
      try {
        const value = effect();
        this.trace?.(`${worker.id} ${name}${brief(value)}`);
        return value;
      } catch (error) {
        this.trace?.(`${worker.id} ${name} fails: ${String(error)}`);
        throw error;
      }
    });
  }
}

/** Does it now; hands out what came of it later. */
function quietly(take: () => unknown): () => unknown {
  try {
    const value = take();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

const brief = (value: unknown) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && "from" in value
    ? ` ${JSON.stringify(value)}`
    : "";

/** Numbers that look random and come from one number; from 0, always 0: the plainest run. */
export function numbersFrom(seed: number): (below: number) => number {
  if (seed === 0) return () => 0;
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(below, 1);
  };
}
