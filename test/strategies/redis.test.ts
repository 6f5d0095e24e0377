/** The default user's password, rotated on real Redis servers: a primary and its replica, with and without an aclfile. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect, promisify } from "node:util";
import { createClient } from "@redis/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Change } from "../../lib/rotation/strategy.ts";
import { Credential, SecretDocument } from "../../lib/secret.ts";
import { redis } from "../../lib/strategies/redis.ts";
import { withRedis } from "../../lib/strategies/redisConnection.ts";
import { freePort, type RedisServer, sha256, startRedis } from "../servers/redis.ts";
import { circumstances, type Pair, startPair } from "../servers/redisPair.ts";
import { strategyContract } from "./contract.ts";

const START = "start-value-0123456789";

const credentialFor = ({ host, port }: { host: string; port: number }, password = START) =>
  new Credential(SecretDocument.of({ engine: "redis", host, port, password }), "shop/redis");

const changeOf = async (from: Credential): Promise<Change> => ({
  wave: "rotate",
  from,
  to: await redis.generate("rotate", from, circumstances()),
});
const loginOf = (credential: Credential) => ({ password: credential.require("password") });
const codes = (objections: readonly { code: string }[]) => objections.map(({ code }) => code);
const later = () => new Date(Date.now() + 60_000);

for (const hasAclFile of [false, true]) {
  const files = hasAclFile ? "with an aclfile" : "without an aclfile";

  strategyContract(`redis ${files}`, async () => {
    const pair = await startPair({ password: START, hasAclFile });
    let known = { password: START };
    return {
      strategy: redis,
      current: credentialFor(pair.primary),
      at: (now) => circumstances(undefined, {}, now),
      async login(credential) {
        const verdict = await pair.login(credential);
        if (verdict === "accepted") known = loginOf(credential);
        return verdict;
      },
      snapshot: () => pair.state(known),
      nowhere: (credential) => credential.with({ port: 1 }),
      stop: pair.stop,
    };
  });

  describe(`redis ${files}: a primary and its replica`, () => {
    let pair: Pair;
    let change: Change;

    beforeEach(async () => {
      pair = await startPair({ password: START, hasAclFile });
      change = await changeOf(credentialFor(pair.primary));
    });
    afterEach(async () => pair?.stop());

    const fresh = () => loginOf(change.to);
    const revoke = () => redis.revoke(change, later(), circumstances());

    for (const victim of ["primary", "replica"] as const) {
      test(`a restart of the ${victim} in the overlap loses nothing`, async () => {
        await redis.set(change, circumstances());
        await pair[victim].restart();
        expect(await pair.login(change.from)).toBe("accepted");
        expect(await pair.login(change.to)).toBe("accepted");
        await pair.linked(fresh());
        expect(await redis.test(change, circumstances())).toEqual({ from: "accepted", to: "accepted" });
      });

      test(`a crash of the ${victim} after the revocation does not bring the old value back`, async () => {
        await redis.set(change, circumstances());
        await revoke();
        await pair[victim].kill();
        await pair[victim].restart();
        expect(await pair.login(change.from)).toBe("refused");
        expect(await pair.login(change.to)).toBe("accepted");
        await pair.linked(fresh());
      });
    }

    test("a replica that must reconnect after the revocation finds its link up again", async () => {
      await redis.set(change, circumstances());
      await revoke();
      expect(await pair.primary.command<number>(fresh(), "CLIENT", "KILL", "TYPE", "REPLICA")).toBe(1);
      await pair.linked(fresh());
      await pair.primary.command(fresh(), "SET", "app:after", "1");
      expect(await pair.arrived(fresh(), "app:after")).toBe("1");
    });

    test("a replica that must reconnect after the withdrawal finds its link up again", async () => {
      await redis.set(change, circumstances());
      await redis.withdraw(change, circumstances());
      const old = loginOf(change.from);
      expect(await pair.primary.command<number>(old, "CLIENT", "KILL", "TYPE", "REPLICA")).toBe(1);
      await pair.linked(old);
      await pair.primary.command(old, "SET", "app:after", "1");
      expect(await pair.arrived(old, "app:after")).toBe("1");
      expect(await pair.replica.command(old, "CONFIG", "GET", "masterauth")).toEqual(["masterauth", START]);
    });

    test("a replica given as host leads to its primary", async () => {
      const viaReplica = await changeOf(credentialFor(pair.replica));
      await redis.set(viaReplica, circumstances());
      expect(await pair.login(viaReplica.to)).toBe("accepted");
      await redis.revoke(viaReplica, later(), circumstances());
      expect(await pair.login(viaReplica.from)).toBe("refused");
    });

    test("in the overlap each node lists the hashes of both values and of nothing else", async () => {
      await redis.set(change, circumstances());
      const both = [sha256(START), sha256(fresh().password)].sort();
      for (const node of pair.both) {
        const [line = ""] = await node.command<string[]>(fresh(), "ACL", "LIST");
        expect([...line.matchAll(/#([0-9a-f]{64})/g)].map(([, hash]) => hash).sort()).toEqual(both);
      }
    });

    test("after the revocation requirepass, where it was used, is the new value", async () => {
      await redis.set(change, circumstances());
      await revoke();
      for (const node of pair.both) {
        const [, known = ""] = await node.command<string[]>(fresh(), "CONFIG", "GET", "requirepass");
        expect(sha256(known)).toBe(sha256(fresh().password));
        expect(await node.configText()).not.toContain(START);
      }
    });

    test("neither the slow log nor the server's log shows a value", async () => {
      for (const node of pair.both)
        await node.command(loginOf(change.from), "CONFIG", "SET", "slowlog-log-slower-than", "0");
      await redis.set(change, circumstances());
      await redis.test(change, circumstances());
      await revoke();
      for (const node of pair.both) {
        const slow = JSON.stringify(await node.command(fresh(), "SLOWLOG", "GET", "-1"));
        expect(slow).toContain("SETUSER");
        const text = `${slow}${await node.logText()}${JSON.stringify(await node.command(fresh(), "ACL", "LOG"))}`;
        expect(text).not.toContain(START);
        expect(text).not.toContain(fresh().password);
      }
    });

    test("a node that is down when the value is set stops everything, and nothing is changed", async () => {
      const { host, port } = pair.replica;
      const at = circumstances(undefined, { nodes: `${host}:${port}` });
      await pair.replica.kill();
      await expect(redis.set(change, at)).rejects.toMatchObject({
        code: "TARGET_UNREACHABLE",
        message: `shop/redis: 127.0.0.1:${port} could not be asked (ECONNREFUSED)`,
      });
      await expect(redis.test(change, at)).rejects.toMatchObject({ code: "TARGET_UNREACHABLE" });
      expect(codes(await redis.inspect(change.from, at))).toEqual(["TARGET_UNREACHABLE"]);
      await expect(pair.primary.command(fresh(), "PING")).rejects.toThrow("WRONGPASS");
      await pair.replica.restart();
      await redis.set(change, at);
      expect(await pair.login(change.to)).toBe("accepted");
    });

    test("a set that reached one node only is not taken for done, and is completed by the next", async () => {
      await pair.primary.command(loginOf(change.from), "ACL", "SETUSER", "default", `>${fresh().password}`);
      expect(await redis.test(change, circumstances())).toEqual({ from: "accepted", to: "refused" });
      await expect(revoke()).rejects.toMatchObject({ code: "PENDING_REFUSED" });
      expect(await pair.login(change.from)).toBe("accepted");
      await redis.set(change, circumstances());
      expect(await redis.test(change, circumstances())).toEqual({ from: "accepted", to: "accepted" });
    });

    test("a revocation that reached one node only is not taken for done, and is completed by the next", async () => {
      await redis.set(change, circumstances());
      await pair.replica.command(fresh(), "ACL", "SETUSER", "default", `!${sha256(START)}`);
      expect(await redis.test(change, circumstances())).toEqual({ from: "accepted", to: "accepted" });
      await revoke();
      expect(await redis.test(change, circumstances())).toEqual({ from: "refused", to: "accepted" });
    });

    test("sessions from before the promotion are ended, newer ones and the replication link are not", async () => {
      const connect = async (as: { password: string }) => {
        const { host, port } = pair.primary;
        const client = createClient({ ...as, socket: { host, port, reconnectStrategy: false } });
        const ended = once(client, "error");
        await client.connect();
        return { client, ended };
      };
      await redis.set(change, circumstances());
      const old = await connect(loginOf(change.from));
      const links = (await pair.primary.command(fresh(), "CLIENT", "LIST", "TYPE", "REPLICA")).split(" ")[0];
      await new Promise((resolve) => setTimeout(resolve, 6_100));
      const promotedAt = new Date(Date.now() - 4_500);
      const young = await connect(fresh());
      await redis.revoke(change, promotedAt, circumstances());
      await old.ended;
      expect(old.client.isOpen).toBe(false);
      expect(await young.client.ping()).toBe("PONG");
      young.client.destroy();
      expect((await pair.primary.command(fresh(), "CLIENT", "LIST", "TYPE", "REPLICA")).split(" ")[0]).toBe(
        links,
      );
    });

    test("a replication link that logs in as another user is left alone", async () => {
      for (const node of pair.both) {
        await node.command(loginOf(change.from), "ACL", "SETUSER", "link", "on", ">link-value", "+@all");
        await node.command(loginOf(change.from), "CONFIG", "SET", "masteruser", "link");
        await node.command(loginOf(change.from), "CONFIG", "SET", "masterauth", "link-value");
      }
      await redis.set(change, circumstances());
      await revoke();
      for (const node of pair.both) {
        expect(await node.command(fresh(), "CONFIG", "GET", "masterauth")).toEqual([
          "masterauth",
          "link-value",
        ]);
      }
      await pair.linked(fresh());
    });
  });
}

test("a node that is down keeps no other from being asked in the daily look", async () => {
  const node = await startRedis({ password: START });
  try {
    const nodes = `127.0.0.1:${await freePort()}`;
    const found = await redis.check(credentialFor(node), undefined, circumstances(undefined, { nodes }));
    expect(found.current).toEqual([
      { where: `127.0.0.1:${node.port}`, verdict: "accepted" },
      { where: nodes, verdict: "silent", because: expect.stringContaining("ECONNREFUSED") },
    ]);
  } finally {
    await node.stop();
  }
});

describe("redis: what inspection refuses", () => {
  const servers: RedisServer[] = [];
  const start = async (options: Parameters<typeof startRedis>[0]) => {
    const server = await startRedis(options);
    servers.push(server);
    return server;
  };
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
  const inspectAt = async (server: RedisServer, password = START) =>
    redis.inspect(credentialFor(server, password), circumstances());

  test("a password that the server does not accept", async () => {
    const server = await start({ password: START });
    expect(await inspectAt(server, "another-value")).toEqual([
      {
        code: "TARGET_REFUSES_CURRENT",
        message: `shop/redis: 127.0.0.1:${server.port} refuses user default with the password known to Rekey; mend that node's password or the secret first`,
      },
    ]);
  });

  test("a server without a config file, whose old password a restart would bring back", async () => {
    const server = await start({ password: START, configFile: false });
    expect(codes(await inspectAt(server))).toEqual(["NOT_PERSISTENT"]);
    const change = await changeOf(credentialFor(server));
    await expect(redis.set(change, circumstances())).rejects.toMatchObject({ code: "NOT_PERSISTENT" });
  });

  test("an aclfile without a config file only where a replication password has to be saved", async () => {
    const alone = await start({ password: START, configFile: false, aclFile: [] });
    expect(await inspectAt(alone)).toEqual([]);
    const replica = await start({
      password: START,
      masterauth: START,
      configFile: false,
      aclFile: [],
      replicaOf: alone,
    });
    expect(codes(await inspectAt(replica))).toContain("NOT_PERSISTENT");
  });

  test("a second password that the secret does not hold", async () => {
    const server = await start({ password: START });
    await server.command({ password: START }, "ACL", "SETUSER", "default", ">somebody-else");
    const [objection, ...more] = await inspectAt(server);
    expect(more).toEqual([]);
    expect(objection?.code).toBe("FOREIGN_PENDING");
    expect(objection?.message).toContain("accepts 1 more password than the secret holds");
  });

  test("a second password set in the overlap is not dropped by the revocation", async () => {
    const server = await start({ password: START });
    const change = await changeOf(credentialFor(server));
    await redis.set(change, circumstances());
    await server.command({ password: START }, "ACL", "SETUSER", "default", ">somebody-else");
    await redis.revoke(change, later(), circumstances());
    expect(await server.command({ password: "somebody-else" }, "PING")).toBe("PONG");
    await expect(server.command({ password: START }, "PING")).rejects.toThrow("WRONGPASS");
  });

  test("a server that accepts any password", async () => {
    expect(codes(await inspectAt(await start({})))).toEqual(["UNSUPPORTED_TARGET"]);
  });

  test("Redis Cluster", async () => {
    const server = await start({ password: START, settings: ["cluster-enabled yes"] });
    const [objection] = await inspectAt(server);
    expect(objection?.code).toBe("UNSUPPORTED_TARGET");
    expect(objection?.message).toContain("runs as Redis Cluster");
  });

  test("a user that may not change users, and not one with an admin who may", async () => {
    const server = await start({
      password: START,
      settings: [`user admin on #${sha256("admin-value")} ~* +@all`],
    });
    await server.command({ password: START }, "ACL", "SETUSER", "default", "-config|set", "-acl|setuser");
    const [objection] = await inspectAt(server);
    expect(objection?.code).toBe("MISSING_RIGHTS");
    expect(objection?.message).toContain("user default may not run ACL SETUSER, CONFIG SET;");
    const admin = new Credential(
      SecretDocument.of({ username: "admin", password: "admin-value" }),
      "shop/admin",
    );
    const change = await changeOf(credentialFor(server));
    expect(await redis.inspect(change.from, circumstances(admin))).toEqual([]);
    await redis.set(change, circumstances(admin));
    await redis.revoke(change, later(), circumstances(admin));
    await expect(server.command({ password: START }, "PING")).rejects.toThrow("WRONGPASS");
  });

  test("a Sentinel that logs in as the same user", async () => {
    const server = await start({ password: START });
    const { host, port } = server;
    const sentinel = createClient({ password: START, name: "sentinel-0a1b2c3d-cmd", socket: { host, port } });
    await sentinel.connect();
    try {
      const [objection] = await inspectAt(server);
      expect(objection?.message).toContain("is watched by a Sentinel");
    } finally {
      sentinel.destroy();
    }
  });

  test("a secret whose fields cannot be right", async () => {
    const at = circumstances();
    const of = (fields: Record<string, unknown>) => new Credential(SecretDocument.of(fields), "shop/redis");
    const messages = async (fields: Record<string, unknown>) =>
      (await redis.inspect(of(fields), at)).map(({ code, message }) => `${code} ${message}`);
    expect(await messages({ host: "localhost" })).toEqual([
      "SECRET_MALFORMED shop/redis: field password is missing or empty",
    ]);
    expect(await messages({ password: "x" })).toEqual([
      "SECRET_MALFORMED shop/redis: field host is missing or empty",
    ]);
    expect(await messages({ host: "localhost", port: "many", password: "x" })).toEqual([
      "SECRET_MALFORMED shop/redis: field port is not a port number",
    ]);
    expect(await messages({ host: "localhost", password: "x", username: "app" })).toEqual([
      "SECRET_MALFORMED shop/redis: field username names another user than default; give the secret the strategy redis-user",
    ]);
  });

  test("a server that takes the connection and never answers is unreachable", {
    timeout: 30_000,
  }, async () => {
    const mute = createServer().listen(0, "127.0.0.1");
    await once(mute, "listening");
    const address = mute.address();
    const port = typeof address === "object" && address ? address.port : 0;
    try {
      const change = await changeOf(credentialFor({ host: "127.0.0.1", port }));
      const failure = await redis.test(change, circumstances()).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "TARGET_UNREACHABLE" });
      expect(inspect(failure, { depth: 10 })).not.toContain(START);
    } finally {
      mute.close();
    }
  });
});

test("a server that quotes a command it does not know does not put a value into the error", async () => {
  const server = await startRedis({ password: START, settings: ['rename-command CONFIG ""'] });
  try {
    const login = { username: "default", password: START };
    const failure = await withRedis(
      { label: "shop/redis", tls: undefined, mayWrite: () => {} },
      server,
      login,
      (node) => node.send("CONFIG", "SET", "masterauth", "it's-a-value"),
    ).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "TARGET_UNREACHABLE",
      message: `shop/redis: 127.0.0.1:${server.port} answered CONFIG SET with: ERR unknown command '...'`,
    });
    expect(inspect(failure, { depth: 10 })).not.toContain("a-value");
  } finally {
    await server.stop();
  }
});

test("an encrypted server is rotated over TLS, and one whose certificate is not trusted is unreachable", async () => {
  const home = await mkdtemp(join(tmpdir(), "rekey-redis-tls-"));
  const [key, cert] = [join(home, "key.pem"), join(home, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject];
  await promisify(execFile)("openssl", [...request, "-keyout", key, "-out", cert]);
  const port = await freePort();
  const files = [`tls-cert-file ${cert}`, `tls-key-file ${key}`, "tls-auth-clients no"];
  const server = await startRedis({
    password: START,
    port,
    settings: ["port 0", `tls-port ${port}`, ...files],
  });
  try {
    const untrusted = credentialFor(server).with({ tls: "true" });
    expect(codes(await redis.inspect(untrusted, circumstances()))).toEqual(["TARGET_UNREACHABLE"]);
    const trusted = untrusted.with({ sslrootcert: await readFile(cert, "utf8") });
    expect(await redis.inspect(trusted, circumstances())).toEqual([]);
    const change = await changeOf(trusted);
    await redis.set(change, circumstances());
    await redis.revoke(change, later(), circumstances());
    expect(await redis.test(change, circumstances())).toEqual({ from: "refused", to: "accepted" });
  } finally {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  }
});
