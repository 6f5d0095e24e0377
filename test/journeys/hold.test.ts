/** A worker that gives its run back must leave nothing behind that still writes: the next one begins at once. */
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { RekeyError } from "../../lib/errors.ts";
import { takeHold } from "../../lib/journeys/hold.ts";
import type { Ports } from "../../lib/journeys/ports.ts";
import { logOn, Records } from "../model/log.ts";
import { SETTINGS } from "../model/world.ts";

const records = () => {
  const kept = new Records();
  const log = logOn(kept, async (_, effect) => effect(), "test");
  const clock = { now: Date.UTC(2026, 10, 24, 12) };
  const ports = {
    log,
    tell: () => {},
    now: () => new Date(clock.now),
    sleep: (_: number, signal?: AbortSignal) =>
      new Promise<void>((wake) => signal?.addEventListener("abort", () => wake(), { once: true })),
    settings: SETTINGS,
  } as unknown as Ports;
  return { clock, ports };
};

const codeOf = (write: () => unknown) => {
  try {
    return write();
  } catch (error) {
    return error instanceof RekeyError ? error.code : error;
  }
};

describe("a hold on a run", () => {
  it("is not passed on while a write of a rotation beside the one that failed is under way", async () => {
    const { ports } = records();
    const first = await takeHold(ports, "run-1", "first");
    const { promise, resolve } = Promise.withResolvers<string>();
    const writing = first?.write(() => promise);

    const gone = first?.letGo();
    await setImmediate();
    expect(await takeHold(ports, "run-1", "second")).toBeUndefined();

    resolve("written");
    await gone;
    expect(await writing).toBe("written");
    const second = await takeHold(ports, "run-1", "second");
    expect(second).toMatchObject({ token: 2, tookOver: false });
    await second?.letGo();
  });

  it("is passed on when the write under way fails, which only its writer hears of", async () => {
    const { ports } = records();
    const first = await takeHold(ports, "run-1", "first");
    const { promise, reject } = Promise.withResolvers<string>();
    const heard = first?.write(() => promise).catch((error: Error) => error.message);
    const gone = first?.letGo();
    reject(new Error("refused"));
    await gone;
    expect(await heard).toBe("refused");
    const second = await takeHold(ports, "run-1", "second");
    expect(second?.token).toBe(2);
    await second?.letGo();
  });

  it("lets no write begin once it is being given back, though its time has not run out", async () => {
    const { ports } = records();
    const hold = await takeHold(ports, "run-1", "first");
    let written = 0;
    await hold?.letGo();
    expect(codeOf(() => hold?.check())).toBe("LEASE_LOST");
    expect(codeOf(() => hold?.write(async () => written++))).toBe("LEASE_LOST");
    expect(written).toBe(0);
  });

  it("lets no write begin after its time", async () => {
    const { clock, ports } = records();
    const hold = await takeHold(ports, "run-1", "first");
    clock.now += SETTINGS.leaseSeconds * 1000 - 1;
    expect(codeOf(() => hold?.check())).toBeUndefined();
    clock.now += 1;
    expect(codeOf(() => hold?.check())).toBe("LEASE_LOST");
    await hold?.letGo();
  });
});
