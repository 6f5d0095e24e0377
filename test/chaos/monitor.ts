/**
 * The invariant, watched from outside while rotations run: every value that could be read now is tried against the real
 * servers, round after round, and each refusal is kept. What could not be asked is no refusal and is counted apart. A
 * value may lose its last reader between the reading and the trying, so whether it had to work is asked again after the
 * refusal.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { credentialIn, type ManagedCredential } from "../../lib/rotation/managed.ts";
import { type Credential, SecretDocument, SecretText } from "../../lib/secret.ts";
import {
  type Address,
  type Answer,
  type Keys,
  signToken,
  takesToken,
  tryPostgres,
  tryRedis,
} from "./logins.ts";
import { type Readable, readableNow, type Watched } from "./readable.ts";

export interface Ground {
  readonly cloud: Watched;
  /** Where the servers really listen; without it, where each secret says. */
  readonly postgres?: Address;
  /** Every node: each must take every value. */
  readonly redis?: readonly Address[];
}

export interface Refusal {
  readonly at: string;
  /** `name`, or `name#FIELD` in a bundle. */
  readonly credential: string;
  readonly versionId: string;
  readonly heldBy: readonly string[];
  readonly target: string;
  /** The target's own word for it. */
  readonly answer: string;
}

export interface Watch {
  /** How often a value was tried and an answer came. */
  readonly tries: number;
  /** Why a target could not be asked -> how often. */
  readonly unasked: Readonly<Record<string, number>>;
  readonly refusals: readonly Refusal[];
  /** Ends the round under way. @throws Error if no value was ever tried, since that has shown nothing */
  stop(): Promise<void>;
}

interface Token {
  readonly text: string;
  readonly signedBy: Readable;
  /** Epoch milliseconds. */
  readonly deadAt: number;
}

export function watchInvariant(ground: Ground, { everyMs = 100 } = {}): Watch {
  const refusals: Refusal[] = [];
  const unasked: Record<string, number> = {};
  const tokens = new Map<string, Token[]>();
  let tries = 0;
  const ending = new AbortController();

  /** @param stillDue looks at the world as it is after the answer */
  function note(
    answer: Answer,
    about: Omit<Refusal, "at" | "answer">,
    stillDue: (now: readonly Readable[]) => boolean,
  ): void {
    if (answer.verdict === "unasked") {
      const why = `${about.target}: ${answer.because}`;
      unasked[why] = (unasked[why] ?? 0) + 1;
      return;
    }
    tries += 1;
    if (answer.verdict === "refused" && stillDue(readableNow(ground.cloud)))
      refusals.push({ at: new Date().toISOString(), ...about, answer: answer.with });
  }

  const isAmong = ({ version }: Readable) => {
    return (now: readonly Readable[]) => now.some((one) => one.version === version);
  };
  const about = ({ version, heldBy }: Readable, { label }: ManagedCredential, target: string) => ({
    credential: label,
    versionId: version.versionId,
    heldBy,
    target,
  });

  async function tryLogin(held: Readable, managed: ManagedCredential): Promise<void> {
    const credential = open(held, managed, "password");
    const own = { host: credential.require("host"), port: Number(credential.reveal("port")) };
    const password = credential.require("password");
    const username = credential.reveal("username");
    if (managed.strategy.startsWith("postgres")) {
      const at = ground.postgres ?? own;
      const database = credential.reveal("dbname") ?? "postgres";
      const answer = await tryPostgres(at, { user: username ?? "", password, database });
      note(answer, about(held, managed, `postgres ${at.host}:${at.port}`), isAmong(held));
      return;
    }
    const login = { password, ...(username ? { username } : {}) };
    for (const node of ground.redis ?? [own]) {
      const answer = await tryRedis(node, login);
      note(answer, about(held, managed, `redis ${node.host}:${node.port}`), isAmong(held));
    }
  }

  /** Each holder signs, and every holder must take what is signed now and what was signed within a token's life. */
  async function tryTokens(holders: readonly Readable[], managed: ManagedCredential): Promise<void> {
    const key = `${holders[0]?.secret.arn} ${managed.label}`;
    const lived = (tokens.get(key) ?? []).filter(({ deadAt }) => deadAt > Date.now());
    const fresh = await Promise.all(
      holders.map(async (held): Promise<Token> => {
        const text = await signToken(keysOf(held, managed));
        return { text, signedBy: held, deadAt: Date.now() + managed.graceSeconds * 1000 };
      }),
    );
    for (const token of [...lived, ...fresh]) {
      for (const held of holders) {
        const takes = await takesToken(token.text, keysOf(held, managed), Date.now());
        const answer: Answer = takes
          ? { verdict: "accepted" }
          : { verdict: "refused", with: `a token signed with version ${token.signedBy.version.versionId}` };
        const isAlive = (now: readonly Readable[]) =>
          token.deadAt > Date.now() || isAmong(token.signedBy)(now);
        note(
          answer,
          about(held, managed, `a task with version ${held.version.versionId}`),
          (now) => isAmong(held)(now) && isAlive(now),
        );
      }
    }
    // Only what a task could have signed lives on; what nobody holds signs nothing.
    const ofTasks = fresh.filter(({ signedBy }) => signedBy.heldBy.some((holder) => holder !== "AWSCURRENT"));
    tokens.set(key, [...lived, ...ofTasks].slice(-MOST_TOKENS));
  }

  async function round(): Promise<void> {
    const held = readableNow(ground.cloud);
    const bySecret = Map.groupBy(held, ({ secret }) => secret);
    const logins = held.flatMap((one) =>
      one.credentials
        .filter(({ strategy }) => LOGINS.includes(strategy))
        .map((managed) => tryLogin(one, managed)),
    );
    const signatures = [...bySecret.values()].flatMap((holders) =>
      (holders[0]?.credentials ?? [])
        .filter(({ strategy }) => strategy === "jwt")
        .map((managed) => tryTokens(holders, managed)),
    );
    await Promise.all([...logins, ...signatures]);
  }

  const watching = (async () => {
    while (!ending.signal.aborted) {
      const begunAt = Date.now();
      await round();
      const restMs = Math.max(everyMs, REST * (Date.now() - begunAt));
      await sleep(restMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  })();
  // Told by `stop`; until then nobody waits for it.
  watching.catch(() => undefined);

  return {
    get tries() {
      return tries;
    },
    unasked,
    refusals,
    async stop() {
      ending.abort();
      await watching;
      if (tries === 0) throw new Error("the monitor has tried no value, so it has shown nothing");
    },
  };
}

/** On a machine that is busy, how much longer than a round the pause after it is: what is watched needs the time. */
const REST = 3;
const LOGINS = ["postgres", "redis", "redis-user"];
const MOST_TOKENS = 200;

function open({ version }: Readable, managed: ManagedCredential, valueName: string): Credential {
  return credentialIn(SecretDocument.parse(new SecretText(version.text)), managed, valueName);
}

function keysOf(held: Readable, managed: ManagedCredential): Keys {
  const credential = open(held, managed, "current");
  const alg = managed.options.get("alg") ?? "HS256";
  if (credential.document.isPlain) return { alg, current: credential.document.revealPlain() };
  const [next, previous] = [credential.reveal("next"), credential.reveal("previous")];
  const looksAtTime = managed.options.get("not-after") === "honoured";
  return {
    alg: credential.reveal("alg") ?? alg,
    current: credential.require("current"),
    ...(next ? { next } : {}),
    ...(previous ? { previous } : {}),
    ...(looksAtTime ? { previousNotAfter: Number(credential.reveal("previousNotAfter") ?? 0) } : {}),
  };
}
