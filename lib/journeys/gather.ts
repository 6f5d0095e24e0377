/** Reads what `decide` wants to know about one rotation, afresh, from Secrets Manager, the target and ECS. */
import { RekeyError } from "../errors.ts";
import type { Consumers } from "../rotation/consumers.ts";
import type { CredentialFacts, Facts, Target } from "../rotation/decision.ts";
import type { FleetFacts } from "../rotation/fleet.ts";
import { isPastReturn } from "../rotation/forward.ts";
import type { Rotation, Run, WaveRecord } from "../rotation/intent.ts";
import { type ManagedCredential, type ManagedSecret, readTags } from "../rotation/managed.ts";
import { type Holding, judgeRollout, type RolloutFacts } from "../rotation/rollout.ts";
import { holderOf, type SecretFacts } from "../rotation/secretStore.ts";
import type { Change, Circumstances, Strategy, Wave } from "../rotation/strategy.ts";
import { SecretDocument } from "../secret.ts";
import { circumstances, openCredential } from "./credentials.ts";
import type { Ports } from "./ports.ts";

/** One credential of a wave, ready to be worked on. */
export interface Part {
  readonly label: string;
  readonly managed: ManagedCredential;
  readonly strategy: Strategy;
  readonly change: Change;
  readonly at: Circumstances;
}

/** For how long a wait may rest on labels read before: so late, at most, a person's hand on them is noticed. */
const LATELY_MS = 5_000;

/** One worker's view of a rotation. Documents are kept by version id, which never change; facts only to go on waiting by. */
export class Workpiece {
  readonly #ports: Ports;
  readonly managed: ManagedSecret;
  readonly #documents = new Map<string, SecretDocument>();
  #opened: SecretFacts | undefined;
  #seen: string | undefined;
  #waited: { readonly facts: Facts; readonly at: Date } | undefined;
  #reason: { readonly because: string; readonly since: Date } | undefined;

  private constructor(ports: Ports, facts: SecretFacts) {
    this.#ports = ports;
    this.#opened = facts;
    this.managed = readTags(facts.arn, facts.name, facts.tags);
  }

  static async open(ports: Ports, rotation: Pick<Rotation, "secretArn">): Promise<Workpiece> {
    return new Workpiece(ports, await ports.store.describe(rotation.secretArn));
  }

  /** The first answer is the one that this was opened with a moment ago. */
  async describe(): Promise<SecretFacts> {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#waited = undefined;
    return opened ?? this.#ports.store.describe(this.managed.arn);
  }

  /** Whether a reader is given what AWSCURRENT moved to: forward the new version, back anything but it. Seen once is seen. */
  async isSeen({ toVersionId, promotedAt, retreat }: WaveRecord): Promise<boolean> {
    const move = `${toVersionId} ${retreat?.demotedAt ?? promotedAt}`;
    if (this.#seen === move) return true;
    const current = await this.#ports.store.read(this.managed.arn, { label: "AWSCURRENT" });
    const isSeen = (current.versionId === toVersionId) === (retreat === undefined);
    if (isSeen) this.#seen = move;
    return isSeen;
  }

  /** Keeps what a wait for ECS or for a far time rests on; a wait for anything else looks again each time. */
  waits(facts: Facts, { until }: { readonly until?: Date }): void {
    const { target: _, rollout, credentials, ...rest } = facts;
    const isForEcs = rollout?.state === "running" || rollout?.state === "missing";
    if (!isForEcs && (until === undefined || credentials === undefined)) return;
    const known = credentials?.map(({ stragglers: _s, target: _t, ...one }) => one);
    const kept = { ...rest, ...(known ? { credentials: known } : {}) };
    if (this.#waited?.facts.labels !== facts.labels) this.#waited = { facts: kept, at: this.#ports.now() };
  }

  /** For how long this is what is waited for, as far as this worker has seen. */
  hasWaitedMs(because: string): number {
    const now = this.#ports.now();
    if (this.#reason?.because !== because) this.#reason = { because, since: now };
    return now.getTime() - this.#reason.since.getTime();
  }

  /** What the last wait rested on. Good for waiting on, and for nothing else. */
  lately(): Facts | undefined {
    const isRecent = this.#waited && this.#ports.now().getTime() - this.#waited.at.getTime() < LATELY_MS;
    if (!isRecent) this.#waited = undefined;
    return this.#waited?.facts;
  }

  async document(versionId: string): Promise<SecretDocument> {
    const known = this.#documents.get(versionId);
    if (known) return known;
    const { text } = await this.#ports.store.read(this.managed.arn, { versionId });
    const document = SecretDocument.parse(text);
    this.#documents.set(versionId, document);
    return document;
  }

  /** The credentials that this wave changes, in the order of their labels. */
  inWave(
    rotation: Pick<Rotation, "credentials">,
    wave: Wave,
  ): { managed: ManagedCredential; strategy: Strategy }[] {
    return rotation.credentials
      .filter(({ waves }) => waves.includes(wave))
      .map(({ label }) => {
        const managed = this.managed.credentials.find((one) => one.label === label);
        const strategy = managed && this.#ports.strategies.get(managed.strategy);
        if (managed && strategy) return { managed, strategy };
        throw new RekeyError(
          "TAG_INVALID",
          `${label}: its rekey tag was removed while its rotation was open; put it back`,
        );
      });
  }

  async parts(rotation: Pick<Rotation, "credentials" | "emergency">, wave: WaveRecord): Promise<Part[]> {
    const [from, to] = await Promise.all([
      this.document(wave.fromVersionId),
      this.document(wave.toVersionId),
    ]);
    return Promise.all(
      this.inWave(rotation, wave.wave).map(async ({ managed, strategy }) => {
        const credential = openCredential(from, managed, strategy);
        const change = { wave: wave.wave, from: credential, to: credential.on(to) };
        return {
          label: managed.label,
          managed,
          strategy,
          change,
          at: await circumstances(this.#ports, managed, credential, rotation.emergency),
        };
      }),
    );
  }
}

export async function gatherLabels(
  ports: Ports,
  rotation: Rotation,
  piece: Workpiece,
  runWave: Wave,
): Promise<Facts> {
  const wave = rotation.history.at(-1);
  const described = await piece.describe();
  const current = holderOf(described, "AWSCURRENT")?.versionId;
  const previous = holderOf(described, "AWSPREVIOUS")?.versionId;
  const toVersionId = wave?.toVersionId ?? "";
  const pending = await pendingOf(ports, described, toVersionId);
  // A version that Secrets Manager labelled for its own rotation has no value until createSecret puts one.
  const labelled = !rotation.native && described.versions.some(({ versionId }) => versionId === toVersionId);
  return {
    labels: {
      ...(current === undefined ? {} : { current }),
      ...(pending === undefined ? {} : { pending }),
      ...(previous === undefined ? {} : { previous }),
      staged:
        labelled ||
        ((rotation.native || wave?.stagedAt !== undefined || (wave?.setAttempts ?? 0) > 0) &&
          (await isReadable(ports, rotation.secretArn, toVersionId))),
      native: described.rotationEnabled,
    },
    runWave,
    ...(wave && isRollingOut(wave) ? { settled: hasSettled(ports, wave) && (await piece.isSeen(wave)) } : {}),
  };
}

/** Whether services are, or are about to be, deployed for this wave: forward, or back. */
export function isRollingOut({ promotedAt, displacedAt, rolledOutAt, retreat }: WaveRecord): boolean {
  if (promotedAt === undefined) return false;
  return retreat
    ? retreat.demotedAt !== undefined && retreat.withdrawnAt === undefined
    : rolledOutAt === undefined && displacedAt === undefined;
}

/** From when on nobody is given the value that AWSCURRENT moved away from; until then a reader may be answered with it. */
export function settlesAt(ports: Ports, { promotedAt, retreat }: WaveRecord): Date {
  const movedAt = retreat?.demotedAt ?? promotedAt ?? 0;
  return new Date(new Date(movedAt).getTime() + ports.settings.settleSeconds * 1000);
}

export function hasSettled(ports: Ports, wave: WaveRecord): boolean {
  return ports.now() >= settlesAt(ports, wave);
}

/**
 * The version that AWSPENDING keeps for somebody. Not one that Secrets Manager labelled for a rotation of its own which never
 * came to a value: it holds nothing, and a value put beside it makes Secrets Manager abandon that rotation.
 */
export async function pendingOf(
  ports: Ports,
  facts: SecretFacts,
  toVersionId: string,
): Promise<string | undefined> {
  const holder = holderOf(facts, "AWSPENDING");
  const isEmpty =
    facts.rotationEnabled &&
    holder !== undefined &&
    holder.versionId !== toVersionId &&
    !holder.labels.includes("AWSCURRENT") &&
    !(await isReadable(ports, facts.arn, holder.versionId));
  return isEmpty ? undefined : holder?.versionId;
}

/** Labels are eventually consistent after a put; the version itself answers for whether it is there. */
async function isReadable(ports: Ports, arn: string, versionId: string): Promise<boolean> {
  try {
    await ports.store.read(arn, { versionId });
    return true;
  } catch (error) {
    if (error instanceof RekeyError && error.code === "SECRET_UNREADABLE") return false;
    throw error;
  }
}

/** Before the promotion: both values must be accepted by every target of the wave. */
export async function askTargets(parts: readonly Part[]): Promise<Target> {
  const answers = await Promise.all(parts.map(askTarget));
  const down = answers.find((answer) => "unreachable" in answer);
  if (down) return down;
  const every = (value: "from" | "to") =>
    answers.every((answer) => !("unreachable" in answer) && answer[value] === "accepted");
  return { from: every("from") ? "accepted" : "refused", to: every("to") ? "accepted" : "refused" };
}

/** The earliest of the times until which the parts' documents may be promoted. */
export function promotable(parts: readonly Part[]): { readonly promotableUntil?: Date } {
  const [first] = parts
    .flatMap(({ strategy, change, at }) => strategy.promotableUntil?.(change, at) ?? [])
    .toSorted((a, b) => +a - +b);
  return first === undefined ? {} : { promotableUntil: first };
}

export async function askTarget({ strategy, change, at }: Part): Promise<Target> {
  try {
    return await strategy.test(change, at);
  } catch (error) {
    if (error instanceof RekeyError && error.code === "TARGET_UNREACHABLE")
      return { unreachable: error.message };
    throw error;
  }
}

export function credentialFacts(parts: readonly Part[], wave: WaveRecord): CredentialFacts[] {
  const rolledOutAt = new Date(wave.rolledOutAt ?? 0);
  return parts.map(({ label, strategy, change, at }) => ({
    label,
    takenBy: strategy.takenBy,
    revokes: strategy.revokes(wave.wave, at),
    quietUntil: strategy.quietUntil(change, rolledOutAt, at),
  }));
}

/** ECS as it was looked at in this round. */
export interface FleetLook {
  readonly facts: FleetFacts;
  /** Whether everything was looked at, and not only the services known to consume the run's secrets. */
  readonly complete: boolean;
  /** Undefined for a secret that could not be opened in this round. */
  consumersOf(secretArn: string): Consumers | undefined;
}

/** How far the fleet is with this wave, forward or back. */
export function rolloutFacts(
  ports: Ports,
  run: Run,
  rotation: Rotation,
  fleet: FleetFacts,
  consumers: Consumers,
): RolloutFacts {
  const wave = rotation.history.at(-1);
  const isBack = wave?.retreat?.demotedAt !== undefined;
  const before = wave ? settlesAt(ports, wave) : new Date(0);
  // `promotedAt` is written after the label has moved, much later if a process died in between; `testedAt` before it.
  const holding: Holding = isBack && wave.testedAt ? { from: new Date(wave.testedAt), before } : { before };
  return judgeRollout({
    consumers,
    tasks: fleet.tasks,
    records: run.deployments,
    back: isBack,
    holding,
    forwardOnly: wave !== undefined && isPastReturn(rotation, wave),
    rolloutSeconds: ports.settings.rolloutSeconds,
    settleSeconds: ports.settings.settleSeconds,
    now: ports.now(),
  });
}
