/** Switching an AWS access key off and on, and refusing a role's older sessions. */
import { RekeyError } from "../errors.ts";
import type { AccessControl, KeyFacts } from "../incident/accessControl.ts";
import { absent, type Effect, passed, type Task } from "../incident/effect.ts";

const keyIn = ({ inputs }: Task["order"]) => String(inputs.accessKey);
const roleIn = ({ inputs }: Task["order"]) => String(inputs.role);

/** @param isActive how the key is to be */
export function keyEffect(iam: AccessControl, now: () => Date, isActive: boolean): Effect {
  const check = isActive ? "keyActive" : "keyInactive";
  async function find(order: Task["order"]): Promise<KeyFacts> {
    const key = await iam.key(keyIn(order));
    if (key) return key;
    throw new RekeyError("PAYLOAD_INVALID", `accessKey: nobody of this account has the key ${keyIn(order)}`);
  }
  return {
    async before({ order }) {
      const key = await find(order);
      // When it was used last changes by itself, and makes nobody decide otherwise.
      return {
        digest: `${key.user} ${key.isActive}`,
        shows: shown(order, key),
        isAlready: key.isActive === isActive,
      };
    },
    async act({ order }) {
      await iam.setKey(keyIn(order), (await find(order)).user, isActive);
      return undefined;
    },
    async prove({ order }) {
      const key = await find(order);
      if (key.isActive !== isActive) return absent(shown(order, key));
      return passed(check, `IAM lists it so: ${shown(order, key)}`, now());
    },
  };
}

function shown(order: Task["order"], { user, isActive, lastUsed }: KeyFacts): string {
  const used = lastUsed
    ? `last used at ${lastUsed.at.toISOString()} for ${lastUsed.service} in ${lastUsed.region}`
    : "never used";
  return `the key ...${keyIn(order).slice(-4)} of ${user} is ${isActive ? "active" : "inactive"}, ${used}`;
}

/** Sessions that begin just before the act may be stamped a little later than it. */
const MINUTE_MS = 60_000;

export function denyEffect(iam: AccessControl, now: () => Date): Effect {
  return {
    async before({ order }) {
      const denied = await deniedIn(iam, order);
      return { digest: timeOf(denied), shows: roleShown(order, denied), isAlready: false };
    },
    async act({ order, beganAt }) {
      await iam.denyBefore(roleIn(order), beganAt);
      return undefined;
    },
    async prove({ order, beganAt }) {
      const denied = await deniedIn(iam, order);
      if (denied === "none" || denied.getTime() < beganAt.getTime()) return absent(roleShown(order, denied));
      const older = new Date(denied.getTime() - MINUTE_MS);
      if (!(await iam.isRefused(roleIn(order), older)))
        return {
          verdict: "notYet",
          because: "the denial is there, and IAM's simulator still lets an older session in",
        };
      const shows = `${roleShown(order, denied)}; IAM's simulator refuses a session of ${older.toISOString()}`;
      return passed("olderSessionsDenied", shows, now(), { providerAt: denied });
    },
  };
}

export function allowEffect(iam: AccessControl, now: () => Date): Effect {
  return {
    async before({ order }) {
      const denied = await deniedIn(iam, order);
      return { digest: timeOf(denied), shows: roleShown(order, denied), isAlready: denied === "none" };
    },
    async act({ order }) {
      await iam.allowAll(roleIn(order));
      return undefined;
    },
    async prove({ order }) {
      const denied = await deniedIn(iam, order);
      if (denied !== "none") return absent(roleShown(order, denied));
      return passed("olderSessionsAllowed", roleShown(order, denied), now());
    },
  };
}

async function deniedIn(iam: AccessControl, order: Task["order"]): Promise<Date | "none"> {
  const denied = await iam.deniedBefore(roleIn(order));
  if (denied !== undefined) return denied;
  throw new RekeyError("PAYLOAD_INVALID", `role: IAM knows no role ${roleIn(order)}`);
}

const timeOf = (denied: Date | "none") => (denied === "none" ? "none" : denied.toISOString());

const roleShown = (order: Task["order"], denied: Date | "none") =>
  denied === "none"
    ? `${roleIn(order)} refuses no session for its age`
    : `${roleIn(order)} refuses sessions that began before ${denied.toISOString()}`;
