/**
 * Redis by two ACL users that take turns: `app_a` and `app_b`. While one is in use the other gets a new password and the
 * same rules, on every node, saved there; so both work until the old one is switched off. Sessions carry their user's
 * name, so who still uses the old value is known exactly.
 *
 * The rules are read from the user in use on the same node each time, so a right granted by hand is not lost.
 */
import { isDeepStrictEqual } from "node:util";
import { RekeyError } from "../errors.ts";
import type { Circumstances, Objection, Strategy } from "../rotation/strategy.ts";
import type { Credential } from "../secret.ts";
import { alternate } from "./alternate.ts";
import { newPassword } from "./password.ts";
import { hashOf, readUser, switchOff } from "./redisAcl.ts";
import { aclLine, askEveryNode } from "./redisCheck.ts";
import { moveReplicationLogin, persist } from "./redisConfig.ts";
import { type Login, nameOf, type Redis, targetOf, withRedis } from "./redisConnection.ts";
import {
  asObjections,
  inspectNodes,
  inspectPasswords,
  inspectSentinels,
  mayRun,
  objectionsToClosed,
  objectionsToMode,
} from "./redisInspection.ts";
import { expectEverywhere, verdictOf, verdicts } from "./redisLogins.ts";
import { discover, discoverAll, firstAccepted, onEveryNode, refusalOf } from "./redisNodes.ts";
import { asStraggler, sessionsOf } from "./redisSessions.ts";

const loginOf = (credential: Credential): Login => ({
  username: credential.require("username"),
  password: credential.require("password"),
});

/**
 * The admin's, or else the credential's own, in this order.
 *
 * @throws RekeyError ADMIN_MISSING if the admin is one of the two users that take turns, and would be switched off
 */
function loginsFor({ admin }: Circumstances, ...own: readonly Credential[]): readonly Login[] {
  const logins = own.map(loginOf);
  if (!admin) return logins;
  const username = admin.reveal("username") || "default";
  const turns = logins.flatMap((login) => [login.username, alternate(login.username).next]);
  if (turns.includes(username)) {
    throw new RekeyError(
      "ADMIN_MISSING",
      `${admin.label}: the admin is user ${username}, which takes turns itself; name another with the tag rekey:admin`,
    );
  }
  return [{ username, password: admin.require("password") }];
}

const everyNode = (at: Circumstances, first: Credential, second: Credential) =>
  discoverAll(targetOf(first, at), loginsFor(at, first, second));
const bothUsers = (from: Credential, to: Credential) => [loginOf(from).username, loginOf(to).username];

/** Gives the idle user the rules of the one in use, and this one password. @throws RekeyError if it does not read back */
async function enable(redis: Redis, current: Login, idle: Login, where: string): Promise<void> {
  const model = await readUser(redis, current.username);
  if (!model)
    throw new RekeyError(
      "TARGET_REFUSES_CURRENT",
      `${where} has no user ${current.username}; create it first`,
    );
  const wanted = { isOn: true, isOpen: false, hashes: [hashOf(idle.password)], rules: model.rules };
  const isAsWanted = async () => {
    const { name: _, ...found } = (await readUser(redis, idle.username)) ?? { name: idle.username };
    return isDeepStrictEqual(found, wanted);
  };
  // Tasks may already run as this user when a step is repeated.
  if (await isAsWanted()) return;
  const hash = `#${hashOf(idle.password)}`;
  // One command, so that nobody can log in as a user that is half made.
  await redis.send("ACL", "SETUSER", idle.username, "reset", "on", hash, ...model.rules);
  if (await isAsWanted()) return;
  throw new RekeyError(
    "PENDING_REFUSED",
    `${where}: user ${idle.username} does not read back with the rules of ${current.username}; someone else changes it`,
  );
}

export const redisUser: Strategy = {
  id: "redis-user",
  overlap: "full",
  takenBy: "server",
  valueName: "password",

  inspect(current, at) {
    return asObjections(async () => {
      const login = loginOf(current);
      if (login.username === "default") {
        const message = `${current.label}: the default user does not take turns; give the secret the strategy redis`;
        return [{ code: "SECRET_MALFORMED", message }];
      }
      const logins = loginsFor(at, current);
      const target = targetOf(current, at);
      if (!at.admin && !(await isAdmin(current, at))) {
        const message = `${current.label}: user ${login.username} may not run ACL, and there is no admin secret; name one with the tag rekey:admin`;
        return [{ code: "ADMIN_MISSING", message }];
      }
      const topology = await discover(target, logins);
      const unsupported = objectionsToMode(topology);
      if (unsupported.length > 0) return unsupported;
      const objections: Objection[] = objectionsToClosed(topology, logins);
      const refused = (await verdicts({ ...topology, closed: [] }, login)).filter(
        ({ verdict }) => verdict === "refused",
      );
      for (const { address } of refused)
        objections.push({ code: "TARGET_REFUSES_CURRENT", message: refusalOf(target, address, [login]) });
      const { next } = alternate(login.username);
      const found = await inspectNodes(topology, async (redis, _node, where) => [
        ...(await inspectPasswords(redis, login.username, hashOf(login.password), where)),
        ...(await inspectSentinels(redis, login.username, where)),
        ...(await inspectIdle(redis, next, where)),
      ]);
      return [...objections, ...found];
    });
  },

  check(current, revoked, at) {
    const target = targetOf(current, at);
    const logins = { current: loginOf(current), revoked: revoked && loginOf(revoked) };
    return askEveryNode(target, loginsFor(at, current), logins);
  },

  byHand(what, where, current, prints, at) {
    // A user that lives on is made anew by the next rotation, and switched off at its end.
    if (what === "remove") return undefined;
    const [admin] = loginsFor(at, current);
    const as = { username: admin?.username ?? "default", auth: prints.admin ?? prints.current };
    const rule = {
      user: loginOf(current).username,
      before: ["on"],
      sign: ">",
      value: prints.current,
    } as const;
    return aclLine(targetOf(current, at), where, as, rule);
  },

  waves: () => ["rotate"],

  async generate(_wave, current) {
    return current.with({ username: alternate(loginOf(current).username).next, password: newPassword() });
  },

  async set({ from, to }, at) {
    const topology = await everyNode(at, from, to);
    const where = (name: string) => `${to.label}: ${name}`;
    await onEveryNode(topology, (redis, node) =>
      enable(redis, loginOf(from), loginOf(to), where(nameOf(node.address))),
    );
    // Only now does every primary know the user that a reconnecting replica comes with.
    await onEveryNode(topology, async (redis, node) => {
      await moveReplicationLogin(redis, node, bothUsers(from, to), loginOf(to));
      await persist(redis, node);
    });
  },

  async test({ from, to }, at) {
    const topology = await discover(targetOf(from, at), loginsFor(at, from, to));
    return verdictOf(topology, { from: loginOf(from), to: loginOf(to) });
  },

  quietUntil: (_change, rolledOutAt, at) => new Date(rolledOutAt.getTime() + at.graceSeconds * 1000),

  async stragglers({ from, to }, at) {
    const topology = await everyNode(at, to, from);
    const perNode = await onEveryNode(topology, (redis) => sessionsOf(redis, loginOf(from).username));
    return perNode.flat().map(asStraggler);
  },

  revokes: () => true,

  async revoke({ from, to }, _promotedAt, at) {
    const topology = await everyNode(at, to, from);
    const [old, fresh] = [loginOf(from), loginOf(to)];
    const why = `user ${fresh.username}, so ${old.username} is not switched off; set it on that node`;
    await expectEverywhere(topology, fresh, "accepted", "PENDING_REFUSED", why);
    await onEveryNode(topology, (redis, node) =>
      moveReplicationLogin(redis, node, bothUsers(from, to), fresh),
    );
    // All its sessions, whenever they began: nobody may log in with it any more, so none of them can be a new task's.
    await onEveryNode(topology, async (redis, node) => {
      await switchOff(redis, old.username);
      await persist(redis, node);
    });
    const after = await everyNode(at, to, to);
    await expectEverywhere(after, old, "refused", "OLD_VALUE_STILL_ACCEPTED", `user ${old.username}`);
    await expectEverywhere(after, fresh, "accepted", "PENDING_REFUSED", `user ${fresh.username}`);
  },

  async withdraw({ from, to }, at) {
    const topology = await everyNode(at, from, to);
    const [old, fresh] = [loginOf(from), loginOf(to)];
    await onEveryNode(topology, async (redis) => {
      const user = await readUser(redis, old.username);
      const hash = hashOf(old.password);
      if (!user?.isOn || !user.hashes.includes(hash))
        await redis.send("ACL", "SETUSER", old.username, "on", `#${hash}`);
    });
    await onEveryNode(topology, (redis, node) => moveReplicationLogin(redis, node, bothUsers(from, to), old));
    await onEveryNode(topology, async (redis, node) => {
      await switchOff(redis, fresh.username);
      await persist(redis, node);
    });
    const after = await everyNode(at, from, from);
    await expectEverywhere(after, old, "accepted", "OLD_VALUE_REFUSED", `user ${old.username}`);
  },
};

/** Whether the user in use may itself change users. A refused login is reported by the inspection of the nodes. */
async function isAdmin(current: Credential, at: Circumstances): Promise<boolean> {
  const login = loginOf(current);
  const target = targetOf(current, at);
  const [seed] = target.seeds;
  if (!seed || !(await firstAccepted(target, seed, [login]))) return true;
  return withRedis(target, seed, login, (redis) => mayRun(redis, login.username, ["ACL", "SETUSER", "x"]));
}

/** Its password is about to be replaced, so nobody may be on it. */
async function inspectIdle(redis: Redis, idle: string, where: string): Promise<readonly Objection[]> {
  const [session] = await sessionsOf(redis, idle);
  if (!session) return [];
  return [
    {
      code: "STRAGGLERS",
      message: `${where}: user ${idle} is to take the next turn and is in use from ${session.from}; end those sessions first`,
    },
  ];
}
