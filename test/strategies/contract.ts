/**
 * What every strategy promises, tried against the real thing. A rig brings a working credential and an independent way to
 * log in that shares no code with the strategy.
 */
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Change, Circumstances, Strategy, Verdict } from "../../lib/rotation/strategy.ts";
import { Credential, SecretDocument, SecretText } from "../../lib/secret.ts";

export interface Rig {
  readonly strategy: Strategy;
  /** A credential that works now. */
  readonly current: Credential;
  at(now?: Date): Circumstances;
  /** By an independent road. */
  login(credential: Credential): Promise<Verdict>;
  /** The state of the target, to compare before and after. */
  snapshot(): Promise<unknown>;
  /** The credential as it would be if the target were somewhere where nobody answers; undefined if there is no target. */
  nowhere?(credential: Credential): Credential;
  /** Whether the old value dies by time (a token's key) and not by an act; then `from` is judged at this time. */
  readonly diesAt?: (change: Change) => Date;
  stop(): Promise<void>;
}

export function strategyContract(name: string, start: () => Promise<Rig>): void {
  describe(`${name}: the contract`, () => {
    let rig: Rig;
    let current: Credential;

    beforeAll(async () => {
      rig = await start();
      current = rig.current;
    }, 60_000);
    afterAll(async () => rig?.stop());

    const change = async (): Promise<Change> => ({
      wave: "rotate",
      from: current,
      to: await rig.strategy.generate("rotate", current, rig.at()),
    });
    const revoke = async (one: Change) => {
      await rig.strategy.revoke(one, new Date(Date.now() + 60_000), rig.at());
      const later = rig.diesAt?.(one);
      return rig.strategy.test(one, rig.at(later));
    };
    const rotate = async () => {
      const one = await change();
      await rig.strategy.set(one, rig.at());
      expect(await rig.strategy.test(one, rig.at())).toEqual({ from: "accepted", to: "accepted" });
      expect(await revoke(one)).toEqual({ from: "refused", to: "accepted" });
      current = one.to;
      return one;
    };

    test("inspection finds nothing wrong and changes nothing", async () => {
      const before = await rig.snapshot();
      expect(await rig.strategy.inspect(current, rig.at())).toEqual([]);
      expect(await rig.snapshot()).toEqual(before);
    });

    test("looked at every day, each node accepts the value in use, and nothing changes", async () => {
      const before = await rig.snapshot();
      const found = await rig.strategy.check(current, undefined, rig.at());
      expect(found.current.length).toBeGreaterThan(0);
      expect(found.current.map(({ verdict }) => verdict)).toEqual(found.current.map(() => "accepted"));
      expect(found.revoked).toEqual([]);
      expect(await rig.snapshot()).toEqual(before);
    });

    test("generating touches nothing, and two values are never alike", async () => {
      const before = await rig.snapshot();
      const [one, other] = [await change(), await change()];
      expect(one.to.document.toText().reveal()).not.toBe(other.to.document.toText().reveal());
      expect(await rig.snapshot()).toEqual(before);
    });

    test("fields that the strategy does not know keep their value, spelling and order", async () => {
      const text = current.document
        .with({ note: "keep é", id: 1, nested: { b: 1, a: [2] } })
        .toText()
        .reveal()
        .replace('"id":1', '"id":12345678901234567890');
      const document = SecretDocument.parse(new SecretText(text));
      const next = await rig.strategy.generate("rotate", current.on(document), rig.at());
      const written = next.document.toText().reveal();
      expect(written).toContain('"note":"keep é","id":12345678901234567890,"nested":{"b":1,"a":[2]}');
      const kept = next.document.fieldNames().filter((field) => document.has(field));
      expect(kept).toEqual(document.fieldNames());
    });

    test("withdrawing what was never set is harmless", async () => {
      const one = await change();
      await rig.strategy.withdraw(one, rig.at());
      expect(await rig.login(one.from)).toBe("accepted");
    });

    test("after set both values work, set again changes nothing", async () => {
      const one = await change();
      await rig.strategy.set(one, rig.at());
      await rig.strategy.set(one, rig.at());
      expect(await rig.login(one.from)).toBe("accepted");
      expect(await rig.login(one.to)).toBe("accepted");
      expect(await rig.strategy.test(one, rig.at())).toEqual({ from: "accepted", to: "accepted" });
      await rig.strategy.withdraw(one, rig.at());
    });

    test("after withdrawing, twice, only the old value works", async () => {
      const one = await change();
      await rig.strategy.set(one, rig.at());
      await rig.strategy.withdraw(one, rig.at());
      await rig.strategy.withdraw(one, rig.at());
      expect(await rig.login(one.from)).toBe("accepted");
      if (!rig.diesAt) expect(await rig.login(one.to)).toBe("refused");
    });

    test("the old value works until it is revoked and is refused after; revoking twice is harmless", async () => {
      const one = await change();
      await rig.strategy.set(one, rig.at());
      expect(await rig.login(one.from)).toBe("accepted");
      expect(await revoke(one)).toEqual({ from: "refused", to: "accepted" });
      expect(await revoke(one)).toEqual({ from: "refused", to: "accepted" });
      if (!rig.diesAt) expect(await rig.login(one.from)).toBe("refused");
      expect(await rig.login(one.to)).toBe("accepted");
      current = one.to;
    });

    test("the daily look finds the old value alive in the overlap and dead on every node after it", async () => {
      const one = await change();
      await rig.strategy.set(one, rig.at());
      const before = await rig.strategy.check(one.to, one.from, rig.at());
      expect(new Set([...before.current, ...before.revoked].map(({ verdict }) => verdict))).toEqual(
        new Set(["accepted"]),
      );
      await revoke(one);
      const after = await rig.strategy.check(one.to, one.from, rig.at(rig.diesAt?.(one)));
      expect(after.revoked).toEqual(after.current.map(({ where }) => ({ where, verdict: "refused" })));
      expect(new Set(after.current.map(({ verdict }) => verdict))).toEqual(new Set(["accepted"]));
      current = one.to;
    });

    test("four more rotations in a row hold the same promises", async () => {
      const dead: Credential[] = [];
      for (let round = 0; round < 4; round += 1) {
        const one = await rotate();
        dead.push(one.from);
        expect(await rig.login(one.to)).toBe("accepted");
      }
      if (!rig.diesAt) for (const credential of dead) expect(await rig.login(credential)).toBe("refused");
    });

    test("a bundle's credential is found under its own field names and nothing else changes", async () => {
      const fields = Object.fromEntries(
        current.document.fieldNames().map((field) => [`APP_${field.toUpperCase()}`, current.reveal(field)]),
      );
      const bundle = SecretDocument.of({ DEBUG: "false", ...fields, STRIPE_KEY: "sk_live" });
      const inBundle = new Credential(bundle, "shop#APP", (field) => `APP_${field.toUpperCase()}`);
      const next = await rig.strategy.generate("rotate", inBundle, rig.at());
      expect(next.document.reveal("DEBUG")).toBe("false");
      expect(next.document.reveal("STRIPE_KEY")).toBe("sk_live");
      const field = `APP_${rig.strategy.valueName.toUpperCase()}`;
      expect(next.document.reveal(field)).not.toBe(bundle.reveal(field));
      expect(next.document.fieldNames()[0]).toBe("DEBUG");
    });

    test("a target that cannot be asked is unreachable, not refused, and no error shows a value", async () => {
      if (!rig.nowhere) return expect(rig.diesAt).toBeDefined();
      const gone = rig.nowhere(current);
      const to = await rig.strategy.generate("rotate", gone, rig.at());
      const failure = await rig.strategy
        .test({ wave: "rotate", from: gone, to }, rig.at())
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "TARGET_UNREACHABLE" });
      const objections = await rig.strategy.inspect(gone, rig.at());
      expect(objections.map(({ code }) => code)).toContain("TARGET_UNREACHABLE");
      const looked = await rig.strategy.check(gone, to, rig.at());
      for (const { verdict, because } of [...looked.current, ...looked.revoked])
        expect([verdict, because]).toEqual(["silent", expect.any(String)]);
      const printed = `${inspect(failure, { depth: 10 })}${JSON.stringify([failure, looked])}${inspect(objections)}`;
      for (const credential of [gone, to])
        expect(printed).not.toContain(credential.reveal(rig.strategy.valueName));
    }, 30_000);
  });
}
