/**
 * Redis by its default user, the one that `requirepass` protects. A user may have several passwords, so during the overlap
 * every node accepts both: they are added and removed by their hash with ACL SETUSER, on every node, and saved there.
 *
 * `CONFIG SET requirepass` drops every other password of the default user, so it is kept for the end. Redis cannot tell
 * which password a session used; who is still on the old one is told by task age alone.
 */
import { RekeyError } from "../errors.ts";
import type { Change, Circumstances, Objection, Strategy } from "../rotation/strategy.ts";
import type { Credential } from "../secret.ts";
import { newPassword } from "./password.ts";
import { addPassword, hashOf, leaveOnlyPassword, readUser, removePassword } from "./redisAcl.ts";
import { aclLine, askEveryNode } from "./redisCheck.ts";
import { alignRequirepass, moveReplicationLogin, persist } from "./redisConfig.ts";
import { type Login, nameOf, targetOf } from "./redisConnection.ts";
import {
  asObjections,
  inspectNodes,
  inspectPasswords,
  inspectSentinels,
  objectionsToClosed,
  objectionsToMode,
} from "./redisInspection.ts";
import { expectEverywhere, verdictOf, verdicts } from "./redisLogins.ts";
import { discover, discoverAll, onEveryNode, refusalOf, type Topology } from "./redisNodes.ts";
import { asStraggler, endSessionsOf, sessionsOf } from "./redisSessions.ts";

const USER = "default";
const ROTATING = [USER];

/** @throws RekeyError SECRET_MALFORMED */
function loginOf(credential: Credential): Login {
  const username = credential.reveal("username") || USER;
  if (username !== USER) {
    throw new RekeyError(
      "SECRET_MALFORMED",
      `${credential.label}: field ${credential.fieldOf("username")} names another user than default; give the secret the strategy redis-user`,
    );
  }
  return { username, password: credential.require("password") };
}

/** The admin's, or else the credential's own: an admin secret that names the default user is this credential once more. */
function loginsFor({ admin }: Circumstances, ...own: readonly Credential[]): readonly Login[] {
  const username = admin?.reveal("username") || USER;
  if (!admin || username === USER) return own.map(loginOf);
  return [{ username, password: admin.require("password") }];
}

/** Every node, let in by whichever value it accepts. @throws RekeyError if one of them does not answer or lets nobody in */
const everyNode = (at: Circumstances, first: Credential, second: Credential): Promise<Topology> =>
  discoverAll(targetOf(first, at), loginsFor(at, first, second));

/** Both passwords on every node, saved, and read back. */
async function acceptBoth(topology: Topology, { from, to }: Change): Promise<void> {
  const passwords = [loginOf(from).password, loginOf(to).password];
  await onEveryNode(topology, async (redis) => {
    for (const password of passwords) await addPassword(redis, USER, password);
  });
}

export const redis: Strategy = {
  id: "redis",
  overlap: "full",
  takenBy: "server",
  valueName: "password",

  inspect(current, at) {
    return asObjections(async () => {
      const login = loginOf(current);
      const logins = loginsFor(at, current);
      const target = targetOf(current, at);
      const topology = await discover(target, logins);
      const unsupported = objectionsToMode(topology);
      if (unsupported.length > 0) return unsupported;
      const objections: Objection[] = objectionsToClosed(topology, logins);
      const refused = (await verdicts({ ...topology, closed: [] }, login)).filter(
        ({ verdict }) => verdict === "refused",
      );
      for (const { address } of refused)
        objections.push({ code: "TARGET_REFUSES_CURRENT", message: refusalOf(target, address, [login]) });
      const found = await inspectNodes(topology, async (node, _facts, where) => [
        ...(await inspectPasswords(node, USER, hashOf(login.password), where)),
        ...(await inspectSentinels(node, USER, where)),
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
    const [admin] = loginsFor(at, current);
    const username = admin?.username ?? USER;
    const isApart = username !== USER;
    // Without an admin a node that lost the value in use is entered with the one that it came back with.
    const own = what === "remove" ? prints.current : (prints.revoked ?? prints.current);
    const as = { username, auth: isApart ? (prints.admin ?? prints.current) : own };
    const value = what === "remove" ? (prints.revoked ?? prints.current) : prints.current;
    const before = what === "replace" ? ["resetpass"] : [];
    const rule = { user: USER, before, sign: what === "remove" ? "<" : ">", value } as const;
    return aclLine(targetOf(current, at), where, as, rule, isApart ? as.auth : prints.current);
  },

  waves: () => ["rotate"],

  async generate(_wave, current) {
    return current.with({ password: newPassword() });
  },

  async set(change, at) {
    const { from, to } = change;
    const topology = await everyNode(at, from, to);
    await acceptBoth(topology, change);
    // Only now does every primary accept the new value from a replica that reconnects with it.
    await onEveryNode(topology, async (redis, node) => {
      await moveReplicationLogin(redis, node, ROTATING, loginOf(to));
      await persist(redis, node);
      const saved = await readUser(redis, USER);
      const missing = [from, to].some((value) => !saved?.hashes.includes(hashOf(loginOf(value).password)));
      if (missing) {
        throw new RekeyError(
          "PENDING_REFUSED",
          `${to.label}: ${nameOf(node.address)} does not list both passwords of user default after ACL SETUSER; someone else changes it`,
        );
      }
    });
  },

  async test({ from, to }, at) {
    const topology = await discover(targetOf(from, at), loginsFor(at, from, to));
    return verdictOf(topology, { from: loginOf(from), to: loginOf(to) });
  },

  quietUntil: (_change, rolledOutAt, at) => new Date(rolledOutAt.getTime() + at.graceSeconds * 1000),

  async stragglers({ from, to }, at) {
    if (!at.emergency) return undefined;
    const topology = await everyNode(at, to, from);
    const perNode = await onEveryNode(topology, (redis) => sessionsOf(redis, USER));
    return perNode.flat().map(asStraggler);
  },

  revokes: () => true,

  async revoke({ from, to }, promotedAt, at) {
    const topology = await everyNode(at, to, from);
    const [old, fresh] = [loginOf(from), loginOf(to)];
    // A node that joined since then would be left with a password that nobody knows.
    const why = "the new password, so the old one is not revoked; set it on that node";
    await expectEverywhere(topology, fresh, "accepted", "PENDING_REFUSED", why);
    await onEveryNode(topology, (redis, node) => moveReplicationLogin(redis, node, ROTATING, fresh));
    await onEveryNode(topology, async (redis, node) => {
      if (at.emergency) await leaveOnlyPassword(redis, USER, fresh.password);
      else await removePassword(redis, USER, old.password);
      await alignRequirepass(redis, fresh.password);
      await persist(redis, node);
      await endSessionsOf(redis, USER, promotedAt, at.now);
    });
    const after = await everyNode(at, to, to);
    await expectEverywhere(after, old, "refused", "OLD_VALUE_STILL_ACCEPTED", "the old password");
    await expectEverywhere(after, fresh, "accepted", "PENDING_REFUSED", "the new password");
  },

  async withdraw(change, at) {
    const { from, to } = change;
    const topology = await everyNode(at, from, to);
    const [old, fresh] = [loginOf(from), loginOf(to)];
    await onEveryNode(topology, (redis) => addPassword(redis, USER, old.password));
    // Before the new password goes: a replica that reconnects in between must not find its own refused.
    await onEveryNode(topology, (redis, node) => moveReplicationLogin(redis, node, ROTATING, old));
    await onEveryNode(topology, async (redis, node) => {
      await removePassword(redis, USER, fresh.password);
      await alignRequirepass(redis, old.password);
      await persist(redis, node);
    });
    const after = await everyNode(at, from, from);
    await expectEverywhere(after, old, "accepted", "OLD_VALUE_REFUSED", "the old password");
  },
};
