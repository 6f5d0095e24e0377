/** Two ACL users that take turns, on real Redis servers: a primary and its replica, with and without an aclfile. */
import { once } from "node:events";
import { createClient } from "@redis/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Change } from "../../lib/rotation/strategy.ts";
import { Credential, SecretDocument } from "../../lib/secret.ts";
import { redisUser } from "../../lib/strategies/redisUser.ts";
import { sha256 } from "../servers/redis.ts";
import { circumstances, type Pair, startPair } from "../servers/redisPair.ts";
import { strategyContract } from "./contract.ts";

const START = "start-value-0123456789";
const ADMIN = "admin-value-0123456789";
// One single command only: Redis 7.0 writes several of them in an order that differs from process to process.
const RULES =
  "~app:* %R~shared:* &events:* -@all +@read +@connection +set (~cache:* -@all +@write) (%R~log:* +get)";

const admin = new Credential(SecretDocument.of({ username: "default", password: ADMIN }), "shop/redis-admin");
const asAdmin = { password: ADMIN };
const at = (now?: Date) => circumstances(admin, {}, now);
const credentialFor = ({ host, port }: { host: string; port: number }, username = "app_a") =>
  new Credential(SecretDocument.of({ engine: "redis", host, port, username, password: START }), "shop/redis");
const changeOf = async (from: Credential): Promise<Change> => ({
  wave: "rotate",
  from,
  to: await redisUser.generate("rotate", from, at()),
});
const loginOf = (credential: Credential) => ({
  username: credential.require("username"),
  password: credential.require("password"),
});
const codes = (objections: readonly { code: string }[]) => objections.map(({ code }) => code);
const later = () => new Date(Date.now() + 60_000);
const start = (hasAclFile: boolean, masteruser?: string) =>
  startPair({
    password: ADMIN,
    hasAclFile,
    users: [`user app_a on #${sha256(START)} ${masteruser ? "~* &* +@all" : RULES}`],
    ...(masteruser ? { masteruser, masterauth: START } : {}),
  });

/** The line of a user without its name, state, passwords, and the flag that Redis writes only for users made by command. */
async function rulesOf(pair: Pair, name: string): Promise<string[]> {
  const found: string[] = [];
  for (const node of pair.both) {
    const lines = await node.command<string[]>(asAdmin, "ACL", "LIST");
    const line = lines.find((text) => text.startsWith(`user ${name} `)) ?? "";
    found.push(line.replace(`user ${name} on `, "").replace(/#[0-9a-f]{64} |sanitize-payload /g, ""));
  }
  return found;
}

for (const hasAclFile of [false, true]) {
  const files = hasAclFile ? "with an aclfile" : "without an aclfile";

  strategyContract(`redis-user ${files}`, async () => {
    const pair = await start(hasAclFile);
    return {
      strategy: redisUser,
      current: credentialFor(pair.primary),
      at,
      login: pair.login,
      snapshot: () => pair.state(asAdmin),
      nowhere: (credential) => credential.with({ port: 1 }),
      stop: pair.stop,
    };
  });

  describe(`redis-user ${files}: a primary and its replica`, () => {
    let pair: Pair;
    let change: Change;

    beforeEach(async () => {
      pair = await start(hasAclFile);
      change = await changeOf(credentialFor(pair.primary));
    });
    afterEach(async () => pair?.stop());

    const session = async (as: { username: string; password: string }) => {
      const { host, port } = pair.primary;
      const client = createClient({
        ...as,
        name: "shop-api",
        disableClientInfo: true,
        RESP: 2,
        socket: { host, port, reconnectStrategy: false },
      });
      const ended = once(client, "error");
      await client.connect();
      return { client, ended };
    };

    test("the users take turns: app, app_a, app_b, app_a", async () => {
      const turns = [];
      let current = credentialFor(pair.primary, "app");
      for (let turn = 0; turn < 3; turn += 1) {
        current = await redisUser.generate("rotate", current, at());
        turns.push(current.reveal("username"));
      }
      expect(turns).toEqual(["app_a", "app_b", "app_a"]);
    });

    test("the idle user gets the restricted rules of the one in use, selectors too, and keeps them over turns", async () => {
      const before = await rulesOf(pair, "app_a");
      expect(before[0]).toContain("(~cache:* resetchannels -@all +@write)");
      await redisUser.set(change, at());
      expect(await rulesOf(pair, "app_b")).toEqual(before);
      await redisUser.revoke(change, later(), at());
      const back = await changeOf(change.to);
      await redisUser.set(back, at());
      expect(await rulesOf(pair, "app_a")).toEqual(before);
      const as = loginOf(back.to);
      expect(await pair.primary.command(as, "SET", "app:x", "1")).toBe("OK");
      expect(await pair.primary.command(as, "DEL", "cache:x")).toBe(0);
      await expect(pair.primary.command(as, "SET", "other:x", "1")).rejects.toThrow("NOPERM");
      await expect(pair.primary.command(as, "SET", "shared:x", "1")).rejects.toThrow("NOPERM");
    });

    test("a right granted by hand to the user in use goes over to the next", async () => {
      for (const node of pair.both)
        await node.command(asAdmin, "ACL", "SETUSER", "app_a", "~extra:*", "+incr");
      await redisUser.set(change, at());
      expect(await pair.primary.command<number>(loginOf(change.to), "INCR", "extra:n")).toBe(1);
    });

    for (const victim of ["primary", "replica"] as const) {
      test(`a restart of the ${victim} in the overlap loses nothing`, async () => {
        const before = await rulesOf(pair, "app_a");
        await redisUser.set(change, at());
        await pair[victim].restart();
        expect(await pair.login(change.from)).toBe("accepted");
        expect(await pair.login(change.to)).toBe("accepted");
        expect(await rulesOf(pair, "app_b")).toEqual(before);
        await pair.linked(asAdmin);
      });

      test(`a crash of the ${victim} after the revocation does not bring the old user back`, async () => {
        await redisUser.set(change, at());
        await redisUser.revoke(change, later(), at());
        await pair[victim].kill();
        await pair[victim].restart();
        expect(await pair.login(change.from)).toBe("refused");
        expect(await pair.login(change.to)).toBe("accepted");
      });
    }

    test("sessions of the old user are named, and ended by the revocation; those of the new user live on", async () => {
      await redisUser.set(change, at());
      expect(await redisUser.stragglers(change, at())).toEqual([]);
      const old = await session(loginOf(change.from));
      const young = await session(loginOf(change.to));
      const [straggler, ...more] = (await redisUser.stragglers(change, at())) ?? [];
      expect(more).toEqual([]);
      expect(straggler).toEqual({
        login: "app_a",
        from: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        program: "shop-api",
      });
      await redisUser.revoke(change, later(), at());
      await old.ended;
      expect(await young.client.get("app:x")).toBe(null);
      expect(await redisUser.stragglers(change, at())).toEqual([]);
      young.client.destroy();
    });

    test("set again, when tasks already run as the new user, does not disturb them", async () => {
      await redisUser.set(change, at());
      const young = await session(loginOf(change.to));
      await redisUser.set(change, at());
      expect(await young.client.get("app:x")).toBe(null);
      young.client.destroy();
    });

    test("after the withdrawal the new user is off and its sessions have ended", async () => {
      await redisUser.set(change, at());
      const young = await session(loginOf(change.to));
      await redisUser.withdraw(change, at());
      await young.ended;
      expect(await pair.login(change.to)).toBe("refused");
      expect(await pair.login(change.from)).toBe("accepted");
    });

    test("withdrawing what was never set makes no user", async () => {
      await redisUser.withdraw(change, at());
      expect(await rulesOf(pair, "app_b")).toEqual(["", ""]);
    });

    test("a user without a suffix is adopted and switched off at the end", async () => {
      for (const node of pair.both)
        await node.command(asAdmin, "ACL", "SETUSER", "shop", "on", `>${START}`, "~shop:*", "+@read");
      const adoption = await changeOf(credentialFor(pair.primary, "shop"));
      expect(await redisUser.inspect(adoption.from, at())).toEqual([]);
      await redisUser.set(adoption, at());
      expect(adoption.to.reveal("username")).toBe("shop_a");
      expect(await redisUser.test(adoption, at())).toEqual({ from: "accepted", to: "accepted" });
      await redisUser.revoke(adoption, later(), at());
      expect(await redisUser.test(adoption, at())).toEqual({ from: "refused", to: "accepted" });
    });

    test("a node that is down when the value is set stops everything, and nothing is changed", async () => {
      const { host, port } = pair.replica;
      const withNodes = circumstances(admin, { nodes: `${host}:${port}` });
      await pair.replica.kill();
      await expect(redisUser.set(change, withNodes)).rejects.toMatchObject({ code: "TARGET_UNREACHABLE" });
      const users = await pair.primary.command<string[]>(asAdmin, "ACL", "USERS");
      expect(users).toEqual(["app_a", "default"]);
    });

    test("neither the slow log nor the server's log shows a value", async () => {
      for (const node of pair.both)
        await node.command(asAdmin, "CONFIG", "SET", "slowlog-log-slower-than", "0");
      await redisUser.set(change, at());
      await redisUser.revoke(change, later(), at());
      for (const node of pair.both) {
        const slow = JSON.stringify(await node.command(asAdmin, "SLOWLOG", "GET", "-1"));
        expect(slow).toContain("SETUSER");
        const text = `${slow}${await node.logText()}`;
        for (const value of [START, ADMIN, loginOf(change.to).password]) expect(text).not.toContain(value);
      }
    });

    test("inspection refuses a missing user, a missing admin, an admin that takes turns, and an idle user in use", async () => {
      const ghost = credentialFor(pair.primary, "ghost");
      expect(codes(await redisUser.inspect(ghost, at()))).toEqual([
        "TARGET_REFUSES_CURRENT",
        "TARGET_REFUSES_CURRENT",
      ]);
      expect(codes(await redisUser.inspect(change.from, circumstances()))).toEqual(["ADMIN_MISSING"]);
      const twin = new Credential(SecretDocument.of({ username: "app_b", password: "x" }), "shop/twin");
      expect(codes(await redisUser.inspect(change.from, circumstances(twin)))).toEqual(["ADMIN_MISSING"]);
      const byDefault = credentialFor(pair.primary, "default");
      expect(codes(await redisUser.inspect(byDefault, at()))).toEqual(["SECRET_MALFORMED"]);
      await redisUser.set(change, at());
      const busy = await session(loginOf(change.to));
      expect(codes(await redisUser.inspect(change.from, at()))).toEqual(["STRAGGLERS"]);
      busy.client.destroy();
    });

    test("inspection refuses a Sentinel that logs in as the user in use", async () => {
      const { client } = await session(loginOf(change.from));
      await client.sendCommand(["CLIENT", "SETNAME", "sentinel-0a1b2c3d-cmd"]);
      const [objection, ...more] = await redisUser.inspect(change.from, at());
      expect(more).toEqual([]);
      expect(objection?.code).toBe("UNSUPPORTED_TARGET");
      expect(objection?.message).toContain("a Sentinel that logs in as user app_a");
      client.destroy();
    });
  });

  describe(`redis-user ${files}: a user that is its own admin and carries the replication link`, () => {
    let pair: Pair;
    beforeEach(async () => {
      pair = await start(hasAclFile, "app_a");
    });
    afterEach(async () => pair?.stop());

    test("it rotates without an admin, twice, and the link follows it", async () => {
      let current = credentialFor(pair.primary);
      expect(await redisUser.inspect(current, circumstances())).toEqual([]);
      for (const turn of ["app_b", "app_a"]) {
        const change = await changeOf(current);
        await redisUser.set(change, circumstances());
        expect(await redisUser.test(change, circumstances())).toEqual({ from: "accepted", to: "accepted" });
        await redisUser.revoke(change, later(), circumstances());
        expect(await redisUser.test(change, circumstances())).toEqual({ from: "refused", to: "accepted" });
        for (const node of pair.both)
          expect(await node.command(asAdmin, "CONFIG", "GET", "masteruser")).toEqual(["masteruser", turn]);
        await pair.replica.restart();
        await pair.linked(asAdmin);
        await pair.primary.command(asAdmin, "SET", turn, "here");
        expect(await pair.arrived(asAdmin, turn)).toBe("here");
        current = change.to;
      }
    });

    test("a withdrawal leads the link back", async () => {
      const change = await changeOf(credentialFor(pair.primary));
      await redisUser.set(change, circumstances());
      await redisUser.withdraw(change, circumstances());
      await pair.replica.restart();
      await pair.linked(asAdmin);
      expect(await pair.replica.command(asAdmin, "CONFIG", "GET", "master*")).toEqual(
        expect.arrayContaining(["app_a", START]),
      );
    });
  });
}
