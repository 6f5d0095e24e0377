/** What must hold in every world, after every step and at the end; each law in its own file, told here of what happens. */
import { RekeyError } from "../../lib/errors.ts";
import type { Rotation } from "../../lib/rotation/intent.ts";
import { Emergencies } from "./emergencies.ts";
import { Endings } from "./endings.ts";
import { Hands } from "./hands.ts";
import { Invariant } from "./invariant.ts";
import { type Act, Repeats } from "./repeats.ts";
import type { Worker } from "./schedule.ts";
import type { Secret } from "./secrets.ts";
import { Values } from "./values.ts";
import type { Watch, World } from "./world.ts";

export class Laws implements Watch {
  readonly violations: string[] = [];
  readonly values: Values;
  readonly endings: Endings;
  readonly #world: World;
  readonly #hands: Hands;
  readonly #invariant: Invariant;
  readonly #repeats: Repeats;
  readonly #emergencies: Emergencies;
  #isDue = true;

  constructor(world: World) {
    const violate = (what: string) => void this.violations.push(what);
    this.#world = world;
    this.values = new Values(world);
    this.#hands = new Hands(this.values);
    this.#invariant = new Invariant(this.values, this.#hands, violate);
    this.#repeats = new Repeats(this.values, violate);
    this.endings = new Endings(this.values, this.#hands, violate);
    this.#emergencies = new Emergencies(this.values, this.#hands, violate);
    world.watch = this;
    world.records.onRotation = (next, worker) => this.#stored(next, worker);
    world.records.onRead = (rotations, worker) => {
      this.#emergencies.read(worker, rotations);
      this.#repeats.read(worker, rotations);
    };
  }

  check(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    this.#invariant.check();
  }

  changed(): void {
    this.#isDue = true;
  }

  evicted(label: string, value: string): void {
    const { secret } = this.values.planOf(label);
    if (!this.#emergencies.evicting(secret, value))
      this.violations.push(`a third live value: ${label} had to give up ${value}`);
  }

  refusing(label: string, value: string, act: "revoke" | "withdraw"): void {
    const { plan, secret } = this.values.planOf(label);
    if (act === "revoke") this.#emergencies.refusing(secret, plan, value);
    this.#invariant.refusing(secret, plan, value, act);
  }

  acted(label: string, act: "set" | "revoke" | "withdraw", { id }: Worker): void {
    this.#repeats.acted(this.values.planOf(label).secret.arn, act, id, label);
  }

  described(worker: Worker, arn: string, current: string | undefined): void {
    this.#hands.described(worker, arn, current);
  }

  moving(worker: Worker, arn: string, to: string): void {
    const secret = this.#world.secrets.find(arn);
    this.#invariant.moving(secret);
    this.#emergencies.moving(worker, secret, to);
  }

  moved({ id }: Worker, arn: string, act: Extract<Act, "promote" | "demote" | "stage">): void {
    this.#repeats.acted(arn, act, id);
  }

  deployed({ id }: Worker, service: string): void {
    this.#repeats.deployed(id, service);
  }

  ended({ id }: Worker, error: unknown): void {
    if (error !== undefined && !(error instanceof RekeyError))
      this.violations.push(`${id} fails with ${error instanceof Error ? error.stack : String(error)}`);
  }

  disturbed(arn: string): void {
    this.#repeats.disturbed(arn);
  }

  foreign(service: string): void {
    this.#repeats.foreign(service);
  }

  unreachable(): void {
    this.#emergencies.excuse();
  }

  movedByHand(secret: Secret, versionId: string): void {
    this.#hands.moved(secret, versionId);
    this.disturbed(secret.arn);
    this.changed();
  }

  #stored(next: Rotation, worker: string): void {
    const secret = this.#world.secrets.find(next.secretArn);
    this.#hands.recorded(next.secretArn, worker);
    const wave = next.history.at(-1);
    if (wave && next.outcome === undefined) this.endings.stored(secret, next, wave);
    if (wave) this.#emergencies.stored(secret, next, wave);
    this.#repeats.stored(secret, next, worker);
  }
}
