/**
 * A worker's hold on a run: one worker at a time moves a run on, and one that was stopped for longer than its lease
 * (frozen with its sandbox, cut off from the table) must not write when it wakes, because somebody else has gone on.
 *
 * Three fences, each for what the one before cannot see: the worker's own clock, asked right before every write; the
 * lease's token in every record, which the table compares; and each record's `rev`.
 */
import { RekeyError } from "../errors.ts";
import type { Strategy } from "../rotation/strategy.ts";
import type { Ports } from "./ports.ts";

export interface Hold {
  /** Whether the worker before gave no sign of having ended: it may still be out there. */
  readonly tookOver: boolean;
  /** Grows with every worker of the run. */
  readonly token: number;
  /** To be called right before a write. @throws RekeyError LEASE_LOST */
  readonly check: () => void;
  /** One write, after `check`. @throws RekeyError LEASE_LOST, and whatever the write throws */
  readonly write: <Result>(write: () => Promise<Result>) => Promise<Result>;
  /** Begins no write any more, and gives the run to whoever comes next once those under way have ended. */
  readonly letGo: () => Promise<void>;
}

/** @returns undefined while another worker holds the run */
export async function takeHold(ports: Ports, runId: string, holder: string): Promise<Hold | undefined> {
  const { leaseSeconds } = ports.settings;
  // Counted from before the call: the table may have noted a later moment, never an earlier one.
  let until = ports.now().getTime() + leaseSeconds * 1000;
  const lease = await ports.log.lease(runId, holder, ports.now(), leaseSeconds);
  if (!lease) return undefined;
  const ended = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  let taken = false;
  let isLettingGo = false;

  const renew = async () => {
    const next = ports.now().getTime() + leaseSeconds * 1000;
    try {
      if (await ports.log.renew(runId, holder, ports.now(), leaseSeconds)) until = next;
      else taken = true;
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      // Two more beats fit into a lease; when they fail as well, `check` says so before anything is written.
      ports.tell({ event: "lease.notRenewed", runId, code: error.code, message: error.message });
    }
  };
  const beat = async () => {
    while (!ended.signal.aborted && !taken) {
      await ports.sleep((leaseSeconds * 1000) / 3, ended.signal);
      if (!ended.signal.aborted) await renew();
    }
  };
  const beating = beat();

  const check = () => {
    if (!taken && !isLettingGo && ports.now().getTime() < until) return;
    throw new RekeyError(
      "LEASE_LOST",
      `run ${runId}: this worker's lease has ended, and another may be at work`,
    );
  };

  return {
    ...lease,
    check,
    write: (write) => {
      check();
      const writing = write().finally(() => underWay.delete(writing));
      underWay.add(writing);
      return writing;
    },
    letGo: async () => {
      // Rotations are worked on side by side: when one fails, the writes of the others may still be on their way.
      isLettingGo = true;
      await Promise.allSettled(underWay);
      ended.abort();
      await beating;
      await ports.log.unlease(runId, holder);
    },
  };
}

/** The same ports, with the fence before everything that writes. Reading needs none. */
export function underHold(ports: Ports, hold: Hold): Ports {
  const fenced =
    <Args extends readonly unknown[], Result>(write: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> =>
      hold.write(() => write(...args));
  const { store, fleet } = ports;
  const log = ports.log.fencedBy(hold.token);
  const strategies = [...ports.strategies].map(([id, strategy]): [string, Strategy] => [
    id,
    {
      ...strategy,
      set: fenced(strategy.set),
      revoke: fenced(strategy.revoke),
      withdraw: fenced(strategy.withdraw),
    },
  ]);
  return {
    ...ports,
    mayWrite: hold.check,
    log: {
      ...log,
      open: fenced(log.open),
      saveRun: fenced(log.saveRun),
      saveRotation: fenced(log.saveRotation),
      hurry: fenced(log.hurry),
      claim: fenced(log.claim),
      release: fenced(log.release),
      remember: fenced(log.remember),
    },
    store: {
      ...store,
      stage: fenced(store.stage),
      moveCurrent: fenced(store.moveCurrent),
      dropPending: fenced(store.dropPending),
    },
    fleet: { ...fleet, deploy: fenced(fleet.deploy), rollBack: fenced(fleet.rollBack) },
    strategies: new Map(strategies),
  };
}
