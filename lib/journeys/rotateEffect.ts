/**
 * Rotating a secret as a step of a runbook. It is done elsewhere, where the targets can be reached: here it is started, under an
 * id that is made of the step's token, so that the same act is one run, and looked for. The proof stands in its records: the old value was tried, and refused.
 */

import { RekeyError } from "../errors.ts";
import type { Verdict } from "../incident/decision.ts";
import { absent, type Effect, impossible, notYet, passed, type Task } from "../incident/effect.ts";
import { isOver, type Rotation, type RotationLog } from "../rotation/intent.ts";
import { holderOf, type SecretStore } from "../rotation/secretStore.ts";

/** Starts a run of rotations and does not wait for it. The same id again is the same run. */
export interface RotationStarter {
  /** @throws RekeyError AWS_UNANSWERED when nobody knows whether it starts; any other, when it does not */
  start(id: string, request: StartRequest): Promise<void>;
}

export interface StartRequest {
  readonly only: readonly string[];
  readonly emergency: boolean;
  readonly reason: string;
}

interface Records {
  readonly store: Pick<SecretStore, "describe">;
  readonly log: Pick<RotationLog, "run" | "rotations" | "claims" | "history">;
  readonly now: () => Date;
}

export function rotateEffect(ports: Records, starter: RotationStarter, emergency: boolean): Effect {
  return {
    async before({ order }) {
      const facts = await ports.store.describe(nameIn(order));
      const current = holderOf(facts, "AWSCURRENT");
      if (!current)
        throw new RekeyError("SECRET_UNREADABLE", `${facts.name} has no current version to take its place`);
      return {
        digest: current.versionId,
        shows: `${facts.name} is on version ${current.versionId.slice(0, 8)}`,
        isAlready: false,
      };
    },

    async act({ order, token, reason }) {
      await starter.start(uuidOf(token), { only: [nameIn(order)], emergency, reason });
      return undefined;
    },

    async prove(task) {
      const { arn, name } = await ports.store.describe(nameIn(task.order));
      const claims = await ports.log.claims();
      const runIds = [uuidOf(task.token), ...[claims.get(arn) ?? []].flat()];
      const found = await Promise.all(runIds.map((runId) => ports.log.rotations(runId)));
      const rotations = found.flat().filter(({ secretArn }) => secretArn === arn);
      const dead = rotations.map((one) => refusedAt(one, task)).find((at) => at !== undefined);
      if (dead) return proven(name, dead, rotations, ports.now());
      const remembered = await rememberedAt(ports, arn, task);
      if (remembered) return proven(name, remembered, rotations, ports.now());
      return stillOpen(ports, task, rotations);
    },
  };
}

const nameIn = ({ inputs }: Task["order"]): string => String(inputs.secret);

/** Secrets Manager and our own log take a UUID. */
const uuidOf = (token: string) =>
  [token.slice(0, 8), token.slice(8, 12), token.slice(12, 16), token.slice(16, 20), token.slice(20, 32)].join(
    "-",
  );

/** When the last of its credentials was tried and refused, if all were, and the value was the one that people were asked about. */
function refusedAt({ history, credentials }: Rotation, { before }: Task): Date | undefined {
  if (!history.some(({ fromVersionId }) => fromVersionId === before?.digest)) return undefined;
  const times = credentials.map(({ label }) => history.map(({ revoked }) => revoked[label]).find((at) => at));
  if (times.length === 0 || times.some((at) => at === undefined)) return undefined;
  return new Date(Math.max(...times.map((at) => Date.parse(at ?? ""))));
}

/** Another run may have done it, and have ended since. */
async function rememberedAt(
  { log }: Pick<Records, "log">,
  arn: string,
  { before }: Task,
): Promise<Date | undefined> {
  const all = Object.values((await log.history(arn)).credentials);
  if (all.length === 0 || all.some(({ revoked }) => revoked?.versionId !== before?.digest)) return undefined;
  return new Date(Math.max(...all.map(({ revoked }) => Date.parse(revoked?.at ?? ""))));
}

function proven(name: string, at: Date, rotations: readonly Rotation[], now: Date): Verdict {
  const services = [...new Set(rotations.flatMap(({ consumers }) => consumers))];
  const check = "oldValueRefused";
  const shows = `the old value of ${name} was tried, and refused at ${at.toISOString()}`;
  const gave = { services };
  return passed(check, shows, now, { providerAt: at, gave });
}

async function stillOpen(
  { log }: Pick<Records, "log">,
  { token }: Task,
  rotations: readonly Rotation[],
): Promise<Verdict> {
  const [rotation] = rotations;
  if (rotation) {
    const why = rotation.because ?? rotation.error?.message ?? "its old value has not been refused yet";
    return rotation.outcome === undefined ? notYet(why) : impossible(`it was ${rotation.outcome}: ${why}`);
  }
  const run = await log.run(uuidOf(token));
  if (!run) return absent("there is no such rotation");
  const refused = run.refused[0]?.objections[0]?.message;
  if (refused === undefined && !isOver(run)) return notYet("the rotation is being prepared");
  return impossible(refused ?? "its preflight refused it; the log of rotateAll says why");
}
