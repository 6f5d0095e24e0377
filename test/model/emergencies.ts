/**
 * A leaked value dies before the rollout ends, and is never made current again by us. Whoever holds it is cut off, and no
 * other law counts that.
 *
 * A rotation that is made an emergency while a worker is at it is one for that worker from its next look at the records.
 */
import type { Rotation, WaveRecord } from "../../lib/rotation/intent.ts";
import type { Hands } from "./hands.ts";
import type { Worker } from "./schedule.ts";
import type { Secret } from "./secrets.ts";
import type { Values } from "./values.ts";
import { type CredentialPlan, labelOf } from "./world.ts";

export class Emergencies {
  readonly #values: Values;
  readonly #hands: Hands;
  readonly #violate: (what: string) => void;
  /** Rotation id -> who has read that it is an emergency. */
  readonly #knownTo = new Map<string, Set<string>>();
  /** Waves whose rollout was seen to have ended. */
  readonly #called = new Set<string>();
  #isExcused = false;

  constructor(values: Values, hands: Hands, violate: (what: string) => void) {
    this.#values = values;
    this.#hands = hands;
    this.#violate = violate;
  }

  /** A worker was given the rotations of a run. */
  read(worker: string, rotations: readonly Rotation[]): void {
    for (const { emergency, rotationId } of rotations) {
      if (!emergency) continue;
      const knownTo = this.#knownTo.get(rotationId) ?? new Set();
      this.#knownTo.set(rotationId, knownTo.add(worker));
    }
  }

  /** A target that cannot be asked cannot be told; the services are deployed meanwhile. */
  excuse(): void {
    this.#isExcused = true;
  }

  /** Before the label moves. */
  moving({ id }: Worker, secret: Secret, to: string): void {
    const open = this.#openOn(secret);
    if (!open) return;
    const hasLeaked = open.history.some(({ fromVersionId }) => fromVersionId === to);
    const isKnown = this.#knownTo.get(open.rotationId)?.has(id) === true;
    if (hasLeaked && isKnown && !this.#hands.wereOn(secret))
      this.#violate(`${secret.name}: the leaked version ${to} is made current again`);
    if (open.history.at(-1)?.toVersionId !== to) return;
    // Who signs with a leaked key is believed by nobody who has the new ones, and the other way round.
    for (const plan of this.#values.plansOf(secret)) {
      if (plan.kind !== "keys") continue;
      for (const other of this.#values.readable(secret)) {
        this.#hands.exemptKeys(secret, plan, other);
        for (const key of this.#values.keys(secret, other, plan)) this.#hands.exempt.add(key);
      }
    }
  }

  refusing(secret: Secret, plan: CredentialPlan, value: string): void {
    if (!this.#openOn(secret)) return;
    const currents = [...secret.currents(this.#values.world.schedule.now)];
    // Unless it has been current for longer than any reader could overlook.
    if (currents.some((versionId) => this.#values.value(secret, versionId, plan) !== value))
      this.#hands.exempt.add(value);
  }

  /** @returns whether a value may go because a person put another beside ours, and an emergency must have room */
  evicting(secret: Secret, value: string): boolean {
    if (!this.#openOn(secret) || !this.#hands.wereOn(secret)) return false;
    this.#hands.exempt.add(value);
    return true;
  }

  stored(secret: Secret, rotation: Rotation, wave: WaveRecord): void {
    const isFromBirth = this.#values.world.records.runs.get(rotation.runId)?.request.emergency === true;
    if (isFromBirth && rotation.outcome === "rolledBack" && !this.#hands.wereOn(secret))
      this.#violate(`${secret.name}: an emergency is rolled back`);
    // One that was made an emergency after its promotion cuts who signs with the key it replaced.
    for (const plan of rotation.emergency && wave.promotedAt ? this.#values.plansOf(secret) : [])
      if (plan.kind === "keys") this.#hands.exempt.add(this.#values.value(secret, wave.fromVersionId, plan));
    const key = `${rotation.rotationId} ${wave.wave} ${wave.rolledOutAt}`;
    if (wave.rolledOutAt === undefined || this.#called.has(key)) return;
    this.#called.add(key);
    if (!rotation.emergency || this.#isExcused || this.#hands.wereOn(secret)) return;
    for (const plan of this.#values.plansOf(secret).filter(({ kind }) => kind === "pair")) {
      const label = labelOf(plan.secret, plan.field);
      const value = this.#values.value(secret, wave.fromVersionId, plan);
      const takesPart = rotation.credentials.some(
        (one) => one.label === label && one.waves.includes(wave.wave),
      );
      if (takesPart && this.#values.accepts(plan, value))
        this.#violate(`${label}: the rollout has ended and the leaked ${value} is accepted`);
    }
  }

  #openOn({ arn }: Secret): Rotation | undefined {
    return this.#values.world.records
      .openRotations()
      .find(({ secretArn, emergency }) => emergency && secretArn === arn);
  }
}
