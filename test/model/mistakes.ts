/**
 * Mistakes that an engine, a strategy or a table could make, planted around the ports of every worker. Each must be found:
 * a model that finds none of them proves nothing.
 */
import type { Ports } from "../../lib/journeys/ports.ts";
import type { RotationLog } from "../../lib/rotation/intent.ts";
import type { SecretStore } from "../../lib/rotation/secretStore.ts";
import type { Strategy } from "../../lib/rotation/strategy.ts";
import type { Plant } from "./world.ts";

type Remade<T> = (real: T, ports: Ports) => Partial<T>;

const inStore =
  (remake: Remade<SecretStore>): Plant =>
  (ports) => ({ ...ports, store: { ...ports.store, ...remake(ports.store, ports) } });
const inLog =
  (remake: Remade<RotationLog>): Plant =>
  (ports) => {
    // Under a lease, too, where a worker is given its log anew.
    const mistaken = (log: RotationLog): RotationLog => ({
      ...log,
      ...remake(log, ports),
      fencedBy: (token) => mistaken(log.fencedBy(token)),
    });
    return { ...ports, log: mistaken(ports.log) };
  };
const inPairs =
  (remake: Remade<Strategy>): Plant =>
  (ports) => {
    const pair = ports.strategies.get("pair");
    if (!pair) return ports;
    return {
      ...ports,
      strategies: new Map(ports.strategies).set("pair", { ...pair, ...remake(pair, ports) }),
    };
  };
const inFleet =
  (remake: Remade<Ports["fleet"]>): Plant =>
  (ports) => ({ ...ports, fleet: { ...ports.fleet, ...remake(ports.fleet, ports) } });

const nowhere = new Date(0);

export const MISTAKES: Readonly<Record<string, Plant>> = {
  "the old value is revoked when the new one is set, before any rollout": inPairs((real) => ({
    async set(change, at) {
      await real.set(change, at);
      await real.revoke(change, nowhere, at);
    },
  })),
  "a fleet in which every task looks young": inFleet((real, { now }) => {
    const young = async (facts: ReturnType<typeof real.survey>) => {
      const found = await facts;
      return { ...found, tasks: found.tasks.map((task) => ({ ...task, createdAt: now() })) };
    };
    return { survey: () => young(real.survey()), look: (services) => young(real.look(services)) };
  }),
  "a second value is set for one wave": inPairs((real) => {
    let attempts = 0;
    return {
      set: (change, at) =>
        real.set({ ...change, to: change.to.with({ password: `other-${attempts++}` }) }, at),
    };
  }),
  "the test answers yes without asking": inPairs(() => ({
    test: async () => ({ from: "accepted", to: "accepted" }),
  })),
  "the old value counts as refused without being touched": inPairs((real) => {
    const revoked = new Set<string>();
    return {
      revoke: async ({ from }) => void revoked.add(from.require("password")),
      async test(change, at) {
        const found = await real.test(change, at);
        return revoked.has(change.from.require("password")) ? { ...found, from: "refused" } : found;
      },
    };
  }),
  "what is withdrawn stays accepted": inPairs(() => ({ withdraw: async () => {} })),
  "AWSPENDING is left where it is": inStore(() => ({ dropPending: async () => {} })),
  "AWSCURRENT is not moved back": inStore((real) => ({
    moveCurrent: async (arn, from, to) => {
      if (to !== "first") await real.moveCurrent(arn, from, to);
    },
  })),
  "AWSCURRENT is moved from wherever it is": inStore((real) => ({
    async moveCurrent(arn, _from, to) {
      const { versions } = await real.describe(arn);
      const from = versions.find(({ labels }) => labels.includes("AWSCURRENT"))?.versionId ?? "";
      await real.moveCurrent(arn, from, to);
    },
  })),
  "labels are remembered and not read again": (ports) => {
    const known = new Map<string, ReturnType<SecretStore["describe"]>>();
    const describe = (arn: string) => {
      const facts = known.get(arn) ?? ports.store.describe(arn);
      known.set(arn, facts);
      return facts;
    };
    return { ...ports, store: { ...ports.store, describe } };
  },
  "a write that was overtaken succeeds": inLog((real) => ({
    async saveRotation(rotation) {
      for (const stored of await real.rotations(rotation.runId))
        if (stored.secretArn === rotation.secretArn)
          return real.saveRotation({ ...rotation, rev: stored.rev });
      return real.saveRotation(rotation);
    },
  })),
  "a leaked value is treated as any other": inLog((real) => ({
    rotations: async (runId) =>
      (await real.rotations(runId)).map((rotation) => ({ ...rotation, emergency: false })),
  })),
  "a strategy does not ask whether it may still write, and no port does": (ports) => ({
    ...ports,
    settings: { ...ports.settings, leaseSeconds: 100_000 },
    log: {
      ...ports.log,
      lease: (runId, holder, now) => ports.log.lease(runId, holder, now, ports.settings.leaseSeconds),
      renew: (runId, holder, now) => ports.log.renew(runId, holder, now, ports.settings.leaseSeconds),
    },
  }),
  "records are not written": inLog(() => ({
    saveRotation: async (rotation) => ({ ...rotation, rev: rotation.rev + 1 }),
  })),
  "a secret is not given free": inLog(() => ({ release: async () => {} })),
  "a run is never taken off the list": inLog(() => ({ closeRun: async () => {} })),
  "nothing waits until a promoted value is readable everywhere": (ports) => ({
    ...ports,
    settings: { ...ports.settings, settleSeconds: 0 },
  }),
};
