/**
 * Does one thing for one rotation and notes that it was done. What could not be told from the world afterwards is written
 * before the act; the times, which only reports need, after it. Each act may be repeated after a crash.
 */
import type { Decision } from "../rotation/decision.ts";
import type { Rotation, WaveRecord } from "../rotation/intent.ts";
import { credentialIn, followInUrls } from "../rotation/managed.ts";
import type { Wave } from "../rotation/strategy.ts";
import { circumstances, openCredential } from "./credentials.ts";
import type { Workpiece } from "./gather.ts";
import type { Ports } from "./ports.ts";

/** The version id of a wave: known before the version exists, so that a crash after the write finds it again. */
export function versionIdOf(rotationId: string, wave: Wave): string {
  if (wave === "rotate") return rotationId;
  // A version id has 64 characters at most, and so may a ClientRequestToken.
  return `${rotationId.slice(0, 63 - wave.length)}-${wave}`;
}

export function newWave(
  rotation: Pick<Rotation, "rotationId">,
  wave: Wave,
  fromVersionId: string,
  now: Date,
): WaveRecord {
  return {
    wave,
    fromVersionId,
    toVersionId: versionIdOf(rotation.rotationId, wave),
    startedAt: now.toISOString(),
    setAttempts: 0,
    cut: {},
    switchedOff: [],
    revoked: {},
  };
}

type Act = Exclude<Decision, { do: "look" | "wait" | "nothing" }>;

export async function act(
  ports: Ports,
  rotation: Rotation,
  piece: Workpiece,
  decision: Act,
): Promise<Rotation> {
  const wave = rotation.history.at(-1);
  if (!wave) return rotation;
  const now = () => ports.now().toISOString();
  const note = (changes: Partial<WaveRecord>, more: Partial<Rotation> = {}) =>
    ports.log.saveRotation({
      ...rotation,
      failures: 0,
      ...more,
      history: [...rotation.history.slice(0, -1), { ...wave, ...changes }],
    });
  const retreat = (changes: Partial<NonNullable<WaveRecord["retreat"]>>) =>
    note(wave.retreat ? { retreat: { ...wave.retreat, ...changes } } : {});

  switch (decision.do) {
    case "stage":
      await stage(ports, rotation, piece, wave);
      return note({ stagedAt: now() });
    case "set": {
      // The attempt is counted before it is made: a target that kills us each time must not be tried for ever.
      const { setAt: _, ...unset } = wave;
      const attempt = { ...unset, setAttempts: wave.setAttempts + 1 };
      const earlier = rotation.history.slice(0, -1);
      const counted = await ports.log.saveRotation({
        ...rotation,
        failures: 0,
        history: [...earlier, attempt],
      });
      for (const part of await piece.parts(rotation, wave)) await part.strategy.set(part.change, part.at);
      return ports.log.saveRotation({ ...counted, history: [...earlier, { ...attempt, setAt: now() }] });
    }
    case "promote":
      await ports.store.moveCurrent(rotation.secretArn, wave.fromVersionId, wave.toVersionId);
      return note({ promotedAt: now() });
    case "revoke": {
      const part = (await piece.parts(rotation, wave)).find(({ label }) => label === decision.label);
      await part?.strategy.revoke(part.change, new Date(wave.promotedAt ?? 0), part.at);
      return note({ switchedOff: [...wave.switchedOff, decision.label] });
    }
    case "demote":
      if (wave.promotedAt !== undefined || wave.stagedAt !== undefined) await demote(ports, rotation, wave);
      return retreat({ demotedAt: now() });
    case "withdraw":
      for (const part of await piece.parts(rotation, wave))
        await part.strategy.withdraw(part.change, part.at);
      return retreat({ withdrawnAt: now() });
    case "giveUp":
      return note(
        {
          retreat: {
            code: decision.code,
            because: decision.because,
            at: now(),
            ...(decision.service === undefined ? {} : { service: decision.service }),
          },
        },
        { because: decision.because, error: { code: decision.code, message: decision.because } },
      );
    case "note":
      switch (decision.that) {
        case "cut":
          return note({ cut: { ...wave.cut, [decision.label]: [...decision.cut] } });
        case "revoked":
          return note({ revoked: { ...wave.revoked, [decision.label]: now() }, revokedAt: now() });
        case "promoted":
          return note({
            promotedAt: now(),
            ...(wave.retreat ? { retreat: beforeDemotion(wave.retreat) } : {}),
          });
        case "returned":
          return noteReturn(ports, rotation, wave);
        default:
          return note({ [`${decision.that}At`]: now() });
      }
    case "finish":
      return finish(ports, rotation, piece, wave, decision);
  }
}

function beforeDemotion({ demotedAt: _, ...retreat }: NonNullable<WaveRecord["retreat"]>) {
  return retreat;
}

/** The rollout starts over: whatever was deployed before may have read what AWSCURRENT was meanwhile. */
function noteReturn(ports: Ports, rotation: Rotation, wave: WaveRecord): Promise<Rotation> {
  // `confirmedAt` stays: the old value may have been revoked since, and nobody may go back to it.
  const { displacedAt: _, rolledOutAt: __, retreat: ___, ...rest } = wave;
  const again = { ...rest, promotedAt: ports.now().toISOString() };
  return ports.log.saveRotation({
    ...rotation,
    failures: 0,
    history: [...rotation.history.slice(0, -1), again],
  });
}

async function stage(ports: Ports, rotation: Rotation, piece: Workpiece, wave: WaveRecord): Promise<void> {
  let document = await piece.document(wave.fromVersionId);
  for (const { managed, strategy } of piece.inWave(rotation, wave.wave)) {
    const current = openCredential(document, managed, strategy);
    const at = await circumstances(ports, managed, current, rotation.emergency);
    const next = await strategy.generate(wave.wave, current, at);
    document = followInUrls(next.document, current, next);
  }
  await ports.store.stage(rotation.secretArn, wave.toVersionId, document.toText());
}

async function demote(ports: Ports, rotation: Rotation, wave: WaveRecord): Promise<void> {
  const { versions } = await ports.store.describe(rotation.secretArn);
  const isCurrent = versions.some(
    ({ versionId, labels }) => versionId === wave.toVersionId && labels.includes("AWSCURRENT"),
  );
  if (isCurrent) await ports.store.moveCurrent(rotation.secretArn, wave.toVersionId, wave.fromVersionId);
}

async function finish(
  ports: Ports,
  rotation: Rotation,
  piece: Workpiece,
  wave: WaveRecord,
  decision: Extract<Act, { do: "finish" }>,
): Promise<Rotation> {
  // A left-over AWSPENDING makes Secrets Manager refuse the next rotation of this secret, ours or its own.
  // Whatever the records say: a process may have died between the write of the version and the note of it.
  await ports.store.dropPending(rotation.secretArn, wave.toVersionId);
  const now = ports.now();
  const done: WaveRecord = { ...wave, finishedAt: now.toISOString() };
  const history = [...rotation.history.slice(0, -1), done];
  const succeeded = decision.as === "wave" || decision.as === "rotated";
  // Before the secret is given free: the next rotation must not start without knowing this one.
  if (succeeded) await remember(ports, { ...rotation, history }, piece, done);
  if (decision.as === "wave") {
    const next = rotation.waves[rotation.waves.indexOf(wave.wave) + 1] ?? "rotate";
    const begun = newWave(rotation, next, wave.toVersionId, now);
    return ports.log.saveRotation({ ...rotation, history: [...history, begun] });
  }
  const { parkedSince: _, ...rest } = rotation;
  const ended = await ports.log.saveRotation({
    ...rest,
    history,
    outcome: decision.as,
    because: decision.because,
  });
  await ports.log.release(ended);
  return ended;
}

/** What the next rotation must know, and the daily look: when each credential changed, what is published, what was revoked. */
async function remember(ports: Ports, rotation: Rotation, piece: Workpiece, wave: WaveRecord): Promise<void> {
  const before = await ports.log.history(rotation.secretArn);
  const document = await piece.document(wave.toVersionId);
  const credentials = { ...before.credentials };
  // A retire wave revokes what the rotate wave before it replaced.
  const revokedFrom = rotation.history.findLast((one) => one.wave === "rotate")?.fromVersionId;
  for (const { managed, strategy } of piece.inWave(rotation, wave.wave)) {
    const nextKid = strategy.upcoming?.(credentialIn(document, managed, strategy.valueName));
    const known = credentials[managed.label];
    const revokedAt = wave.revoked[managed.label];
    credentials[managed.label] = {
      ...known,
      ...(wave.wave === "rotate" && wave.promotedAt ? { rotatedAt: wave.promotedAt } : {}),
      ...(nextKid !== undefined && nextKid !== known?.nextKid && wave.promotedAt
        ? { nextKid, nextPublishedAt: wave.promotedAt }
        : {}),
      ...(revokedFrom !== undefined && revokedAt !== undefined
        ? { revoked: { versionId: revokedFrom, at: revokedAt } }
        : {}),
    };
  }
  const current = wave.promotedAt ? { versionId: wave.toVersionId, since: wave.promotedAt } : before.current;
  await ports.log.remember(rotation.secretArn, { credentials, ...(current ? { current } : {}) });
}
