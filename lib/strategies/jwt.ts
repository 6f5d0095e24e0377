/**
 * JWT signing keys: one deployment rotates them, because the next key is already out there. A rotation shifts the keys by
 * one place; every running task already verifies with the key that starts to sign.
 *
 * There is no server to ask. The target is the fleet of verifiers, so `test` signs real tokens and verifies them as tasks
 * with the old and with the new document would.
 */
import { RekeyError } from "../errors.ts";
import type { Audience, Circumstances, Objection, Strategy, Verdict, Wave } from "../rotation/strategy.ts";
import type { Credential } from "../secret.ts";
import {
  isShared,
  type Keyset,
  kidOf,
  newKey,
  publicPem,
  readKeyset,
  SHARED_MINIMUM,
  sign,
  verifies,
  writeKeyset,
} from "./keyset.ts";

const keysetOf = (credential: Credential, at: Circumstances) => readKeyset(credential, at.options.get("alg"));

/** Tag `rekey:not-after = honoured`: verifiers refuse `previous` by its time themselves, so no deployment must drop it. */
const isHonoured = (at: Circumstances) => at.options.get("not-after") === "honoured";

export const jwt: Strategy = {
  id: "jwt",
  overlap: "full",
  takenBy: "tasks",
  valueName: "current",

  async inspect(current, at) {
    const objections: Objection[] = [];
    const notAfter = at.options.get("not-after");
    if (notAfter !== undefined && notAfter !== "honoured") {
      objections.push({
        code: "TAG_INVALID",
        message: `${current.label}: tag rekey:not-after may only be "honoured"; leave it off when verifiers do not look at previousNotAfter`,
      });
    }
    try {
      const keyset = keysetOf(current, at);
      const minimum = SHARED_MINIMUM[keyset.alg] ?? 0;
      // A short key that is only being adopted is what this rotation mends; a short next key is about to sign.
      if (keyset.next !== undefined && Buffer.byteLength(keyset.next) < minimum) {
        objections.push({
          code: "SECRET_MALFORMED",
          message: `${current.label}: field ${current.fieldOf("next")} is shorter than the ${minimum} bytes that ${keyset.alg} needs; remove it and a new one is published first`,
        });
      }
      const held = keyset.next === undefined ? [keyset.current] : [keyset.current, keyset.next];
      for (const key of held) await verifies(await sign(key, keyset.alg, at.now), keyset, at.now);
    } catch (error) {
      objections.push(
        error instanceof RekeyError
          ? { code: error.code, message: error.message }
          : {
              code: "SECRET_MALFORMED",
              message: `${current.label}: its keys are not usable with their algorithm`,
            },
      );
    }
    return objections;
  },

  async check(current, revoked, at) {
    const keyset = keysetOf(current, at);
    const where = current.document.isPlain ? "the secret itself" : `field ${current.fieldOf("current")}`;
    const signed = await probeToken(current, keyset, at);
    const answer = (accepted: boolean) => [{ where, verdict: accepted ? "accepted" : "refused" } as const];
    const now = answer(await verifies(signed, keyset, at.now));
    if (revoked === undefined) return { current: now, revoked: [] };
    const old = keysetOf(revoked, at);
    // Of another algorithm: no verifier looks at such a token any more.
    if (old.alg !== keyset.alg) return { current: now, revoked: answer(false) };
    const forged = await sign(old.current, old.alg, at.now);
    return { current: now, revoked: answer(await verifies(forged, keyset, at.now)) };
  },

  waves(current, audience, at) {
    const { next } = keysetOf(current, at);
    const waves: Wave[] = [];
    if (next === undefined || isUnknownToSome(audience)) waves.push("publish");
    waves.push("rotate");
    if (!isHonoured(at)) waves.push("retire");
    return waves;
  },

  upcoming(current) {
    if (current.document.isPlain) return undefined;
    const { alg, next } = readKeyset(current, undefined);
    return next === undefined ? undefined : kidOf(next, alg);
  },

  generate(wave, current, at) {
    const keyset = keysetOf(current, at);
    return writeKeyset(current, at.emergency ? freshKeyset(keyset) : nextKeyset(wave, keyset, at));
  },

  promotableUntil(change, at) {
    if (change.wave !== "rotate" || !isHonoured(at) || at.emergency) return undefined;
    const { previousNotAfter = 0 } = keysetOf(change.to, at);
    const needed = at.rolloutSeconds + at.graceSeconds + at.skewSeconds;
    return new Date((previousNotAfter - needed) * 1000);
  },

  async set() {
    // The document itself is the change; there is no server to tell.
  },

  async test(change, at) {
    const [from, to] = [keysetOf(change.from, at), keysetOf(change.to, at)];
    const oldKey = change.wave === "retire" ? from.previous : from.current;
    const verdict = (accepted: boolean): Verdict => (accepted ? "accepted" : "refused");
    const newToken = await sign(to.current, to.alg, at.now);
    // In an emergency nobody may know the new key beforehand: the one that was published has leaked as well.
    const knownBefore = at.emergency || (await verifies(newToken, from, at.now));
    const newWorks = knownBefore && (await verifies(newToken, to, at.now));
    if (oldKey === undefined) return { from: "refused", to: verdict(newWorks) };
    return { from: verdict(await oldKeyWorks(change.wave, oldKey, from, to, at)), to: verdict(newWorks) };
  },

  quietUntil(change, rolledOutAt, at) {
    const after = (seconds: number) => new Date(rolledOutAt.getTime() + seconds * 1000);
    if (change.wave !== "rotate") return rolledOutAt;
    if (!isHonoured(at)) return after(at.graceSeconds + at.skewSeconds);
    const { previousNotAfter } = keysetOf(change.to, at);
    return previousNotAfter === undefined ? rolledOutAt : new Date(previousNotAfter * 1000);
  },

  async stragglers() {
    // A verifier keeps no sessions; who still signs with the old key shows only in the tokens.
    return undefined;
  },

  revokes(wave, at) {
    return at.emergency || wave === "retire" || (wave === "rotate" && isHonoured(at));
  },

  async revoke() {
    // Done by the document: its previousNotAfter has passed, or it has no previous key any more.
  },

  async withdraw() {
    // Done by the label: the document with the new keys is no longer read by anybody.
  },
};

/** @throws RekeyError SECRET_MALFORMED if nothing can be signed with the key */
async function probeToken(
  credential: Credential,
  { alg, current }: Keyset,
  at: Circumstances,
): Promise<string> {
  try {
    return await sign(current, alg, at.now);
  } catch {
    // The cause is left out: it could quote the key.
    const message = `${credential.label}: its key is not usable with its algorithm ${alg}`;
    throw new RekeyError("SECRET_MALFORMED", message);
  }
}

/** How much of a rollout's longest time may pass between the writing of a document and its promotion. */
const STAGED_SHARE = 1 / 3;

function isUnknownToSome({ oldestTaskCreatedAt, nextPublishedAt }: Audience): boolean {
  if (oldestTaskCreatedAt === undefined) return false;
  return nextPublishedAt === undefined || oldestTaskCreatedAt < nextPublishedAt;
}

/** Who read the document knows `next` too, and tokens of the leaked key are to be refused. */
function freshKeyset({ alg }: Keyset): Keyset {
  return { alg, current: newKey(alg), next: newKey(alg) };
}

function nextKeyset(wave: Wave, keyset: Keyset, at: Circumstances): Keyset {
  const { alg, current, next } = keyset;
  switch (wave) {
    case "publish":
      // A next key that is there stays, though not every task knows it: somebody may have signed with it already.
      return { ...keyset, next: next ?? newKey(alg) };
    case "retire":
      return { alg, current, ...(next === undefined ? {} : { next }) };
    case "rotate": {
      // A generous end of the rollout: a running task never learns a later time, so an early one would refuse live tokens.
      const lives = at.rolloutSeconds * (1 + STAGED_SHARE) + at.graceSeconds + at.skewSeconds;
      return {
        alg,
        current: next ?? newKey(alg),
        next: newKey(alg),
        previous: isShared(alg) ? current : publicPem(current),
        previousNotAfter: Math.ceil(at.now.getTime() / 1000 + lives),
      };
    }
  }
}

/**
 * Whether a task on the new document still takes a token of the old key. In the retire wave only the public half of that
 * key is left, so the question is whether the new document still lists it.
 */
async function oldKeyWorks(
  wave: Wave,
  oldKey: string,
  from: Keyset,
  to: Keyset,
  at: Circumstances,
): Promise<boolean> {
  if (wave === "retire" && !isShared(from.alg)) {
    return [to.current, to.next, to.previous].some(
      (key) => key !== undefined && kidOf(key, to.alg) === kidOf(oldKey, to.alg),
    );
  }
  return verifies(await sign(oldKey, from.alg, at.now), to, at.now);
}
