/**
 * What secrets unlock. A pair accepts two values at most, and a third one pushes out the elder, as with a second password
 * or alternating logins; what it has not saved is gone when its node restarts. Keys are a document of three, and their
 * target is the tasks that hold one.
 */
import { RekeyError } from "../../lib/errors.ts";
import type { Change, Circumstances, Strategy, Verdict, Wave } from "../../lib/rotation/strategy.ts";
import type { Credential } from "../../lib/secret.ts";
import type { Ask } from "./log.ts";

export class Target {
  /** Newest first. */
  accepted: string[];
  saved: string[];
  /** A session from outside ECS on this value. */
  guest: string | undefined;
  restarts = 0;

  constructor(value: string) {
    this.accepted = [value];
    this.saved = [value];
  }

  restart(): void {
    this.restarts++;
    this.accepted = [...this.saved];
  }

  /** @returns the value that had to go */
  accept(value: string): string | undefined {
    if (this.accepted.includes(value)) return undefined;
    this.accepted.unshift(value);
    return this.accepted.length > 2 ? this.accepted.pop() : undefined;
  }

  refuse(value: string): void {
    this.accepted = this.accepted.filter((one) => one !== value);
    if (this.guest === value) this.guest = undefined;
  }

  /** @param since the restarts at which the connection was opened; it does not outlive one */
  save(since: number): void {
    if (since !== this.restarts) throw new RekeyError("TARGET_UNREACHABLE", "the node has restarted");
    this.saved = [...this.accepted];
  }
}

/** Who watches what happens at a target. */
export interface Witness {
  evicted(label: string, value: string): void;
  /** Before the value goes. */
  refusing(label: string, value: string, act: "revoke" | "withdraw"): void;
  /** The change of the target is complete. */
  acted(label: string, act: "set" | "revoke" | "withdraw"): void;
}

const verdict = (accepted: boolean): Verdict => (accepted ? "accepted" : "refused");
const passwordOf = (credential: Credential) => credential.require("password");

export function pairStrategy(
  ask: Ask,
  targets: ReadonlyMap<string, Target>,
  witness: Witness,
  newValue: () => string,
): Strategy {
  const targetOf = ({ label }: Credential) => {
    const target = targets.get(label);
    if (!target) throw new RekeyError("TARGET_UNREACHABLE", `${label}: no such target`);
    return target;
  };
  const accept = (target: Target, label: string, value: string) => {
    const gone = target.accept(value);
    if (gone !== undefined) witness.evicted(label, gone);
  };
  return {
    id: "pair",
    overlap: "full",
    takenBy: "server",
    valueName: "password",
    inspect: (current) =>
      ask("target.inspect", () =>
        targetOf(current).accepted.includes(passwordOf(current))
          ? []
          : [{ code: "TARGET_REFUSES_CURRENT" as const, message: `${current.label}: refused` }],
      ),
    check: (current, revoked) =>
      ask("target.check", () => {
        const { label } = current;
        const about = (value: Credential) => ({
          where: label,
          verdict: verdict(targetOf(current).accepted.includes(passwordOf(value))),
        });
        return { current: [about(current)], revoked: revoked ? [about(revoked)] : [] };
      }),
    waves: () => ["rotate"],
    generate: async (_wave, current) => current.with({ password: newValue() }),
    async set({ from, to }, { mayWrite, emergency }) {
      mayWrite();
      const since = await ask("target.accept", () => {
        if (!emergency) accept(targetOf(from), from.label, passwordOf(from));
        accept(targetOf(from), from.label, passwordOf(to));
        return targetOf(from).restarts;
      });
      mayWrite();
      await ask("target.save", () => {
        targetOf(from).save(since);
        witness.acted(from.label, "set");
      });
    },
    test: ({ from, to }) =>
      ask("target.test", () => {
        const { accepted } = targetOf(from);
        return {
          from: verdict(accepted.includes(passwordOf(from))),
          to: verdict(accepted.includes(passwordOf(to))),
        };
      }),
    quietUntil: (_change, rolledOutAt, at) => new Date(rolledOutAt.getTime() + at.graceSeconds * 1000),
    stragglers: ({ from }) =>
      ask("target.stragglers", () =>
        targetOf(from).guest === passwordOf(from) ? [{ login: "guest", from: "10.0.0.9" }] : [],
      ),
    revokes: () => true,
    async revoke({ from, to }, _promotedAt, { mayWrite, emergency }) {
      mayWrite();
      const since = await ask("target.refuse", () => {
        const target = targetOf(from);
        if (!target.accepted.includes(passwordOf(to)))
          throw new RekeyError("PENDING_REFUSED", `${to.label}: the new value is refused`);
        const isToGo = (value: string) => (emergency ? value !== passwordOf(to) : value === passwordOf(from));
        for (const value of target.accepted.filter(isToGo)) {
          witness.refusing(from.label, value, "revoke");
          target.refuse(value);
        }
        return target.restarts;
      });
      mayWrite();
      await ask("target.save", () => {
        targetOf(from).save(since);
        witness.acted(from.label, "revoke");
      });
    },
    async withdraw({ from, to }, { mayWrite }) {
      mayWrite();
      const since = await ask("target.refuse", () => {
        const target = targetOf(from);
        if (target.accepted.includes(passwordOf(to)))
          witness.refusing(from.label, passwordOf(to), "withdraw");
        target.refuse(passwordOf(to));
        accept(target, from.label, passwordOf(from));
        return target.restarts;
      });
      mayWrite();
      await ask("target.save", () => {
        targetOf(from).save(since);
        witness.acted(from.label, "withdraw");
      });
    },
  };
}

/** The keys of a document as its tasks take tokens; the first signs. */
export function keysIn(read: (name: string) => string | undefined): string[] {
  return ["current", "next", "previous"].map(read).filter((key) => key !== undefined);
}

/** The shifting of keys as `jwt` does it, without the cryptography. */
export function keysStrategy(newValue: () => string): Strategy {
  const keysOf = (credential: Credential) => keysIn((name) => credential.reveal(name));
  const test = ({ wave, from, to }: Change, { emergency }: Circumstances) => {
    const [before, after] = [keysOf(from), keysOf(to)];
    const old = wave === "retire" ? from.reveal("previous") : from.reveal("current");
    const fresh = to.require("current");
    return {
      from: verdict(old !== undefined && after.includes(old)),
      to: verdict((emergency || before.includes(fresh)) && after.includes(fresh)),
    };
  };
  return {
    id: "keys",
    overlap: "full",
    takenBy: "tasks",
    valueName: "current",
    inspect: async () => [],
    check: async (current, revoked) => {
      const about = (value: Credential) => ({
        where: current.label,
        verdict: verdict(keysOf(current).includes(value.require("current"))),
      });
      return { current: [about(current)], revoked: revoked ? [about(revoked)] : [] };
    },
    waves(current, { oldestTaskCreatedAt, nextPublishedAt }) {
      const isUnknown =
        oldestTaskCreatedAt !== undefined &&
        (nextPublishedAt === undefined || oldestTaskCreatedAt < nextPublishedAt);
      return !current.has("next") || isUnknown ? ["publish", "rotate", "retire"] : ["rotate", "retire"];
    },
    upcoming: (current) => current.reveal("next"),
    async generate(wave, current, { emergency }) {
      if (emergency) return current.with({ current: newValue(), next: newValue(), previous: undefined });
      if (wave === "publish") return current.with({ next: current.reveal("next") ?? newValue() });
      if (wave === "retire") return current.with({ previous: undefined });
      const next = current.require("next");
      return current.with({ previous: current.require("current"), current: next, next: newValue() });
    },
    set: async () => {},
    test: async (change, at) => test(change, at),
    quietUntil: ({ wave }: Change, rolledOutAt: Date, at: Circumstances) =>
      wave === "rotate"
        ? new Date(rolledOutAt.getTime() + (at.graceSeconds + at.skewSeconds) * 1000)
        : rolledOutAt,
    stragglers: async () => undefined,
    revokes: (wave: Wave, { emergency }: Circumstances) => emergency || wave === "retire",
    revoke: async () => {},
    withdraw: async () => {},
  };
}
