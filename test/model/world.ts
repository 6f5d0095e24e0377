/** The simulated outside: secrets, targets, services, records, and the workers that the real journeys run in. */
import { type ErrorCode, RekeyError } from "../../lib/errors.ts";
import { advance } from "../../lib/journeys/advance.ts";
import type { Ports } from "../../lib/journeys/ports.ts";
import { rotateAll } from "../../lib/journeys/rotateAll.ts";
import type { RotationRequest } from "../../lib/rotation/intent.ts";
import { Fleet } from "./fleet.ts";
import { type Ask, logOn, Records } from "./log.ts";
import { numbersFrom, Schedule, type Worker } from "./schedule.ts";
import { Secret, Secrets, STALE_MS } from "./secrets.ts";
import { keysStrategy, pairStrategy, Target, type Witness } from "./target.ts";

export const SETTINGS = {
  rolloutSeconds: 120,
  leaseSeconds: 90,
  pollMs: 8_000,
  settleSeconds: 2,
  concurrency: 4,
  // So that of two secrets one waits for its turn.
  mostBegun: 1,
} as const;
const TICK_MS = 60_000;
export const REQUEST: RotationRequest = { dryRun: false, force: false, emergency: false, scheduled: false };

export interface CredentialPlan {
  readonly secret: string;
  /** The bundle's field. */
  readonly field?: string;
  readonly kind: "pair" | "keys";
  readonly graceSeconds?: number;
  /** A document of keys that knows its next one already. */
  readonly isPublished?: boolean;
}

export interface Layout {
  readonly credentials: readonly CredentialPlan[];
  /** Service -> the secrets that it consumes. */
  readonly services: Readonly<Record<string, readonly string[]>>;
}

/** A port's answer that goes wrong: which calls, how, and how often. */
export interface Trouble {
  readonly calls: string;
  readonly code: ErrorCode;
  /** The call takes effect all the same. */
  readonly unheard: boolean;
  left: number;
}

/** What watches the world; the laws implement it. */
export interface Watch extends Omit<Witness, "acted"> {
  acted(label: string, act: "set" | "revoke" | "withdraw", worker: Worker): void;
  changed(): void;
  described(worker: Worker, arn: string, current: string | undefined): void;
  moving(worker: Worker, arn: string, to: string): void;
  moved(worker: Worker, arn: string, act: "promote" | "demote" | "stage"): void;
  deployed(worker: Worker, service: string): void;
  ended(worker: Worker, error: unknown): void;
}

export type Plant = (ports: Ports, worker: Worker) => Ports;

export class World {
  readonly schedule = new Schedule();
  readonly secrets = new Secrets();
  readonly targets = new Map<string, Target>();
  readonly records = new Records();
  readonly fleet: Fleet;
  readonly layout: Layout;
  readonly workers: Worker[] = [];
  readonly troubles: Trouble[] = [];
  watch: Watch | undefined;
  readonly below: (count: number) => number;
  readonly #plant: Plant;
  #values = 0;

  constructor(layout: Layout, seed: number, plant: Plant = (ports) => ports) {
    this.layout = layout;
    this.#plant = plant;
    this.below = numbersFrom(seed);
    const now = this.schedule.now;
    for (const name of new Set(layout.credentials.map(({ secret }) => secret))) this.#create(name, now);
    const arnOf = (name: string) =>
      [...this.secrets.all.values()].find((one) => one.name === name)?.arn ?? "";
    const services = Object.entries(layout.services).map(([name, secrets]) => ({
      name: `shop/${name}`,
      secrets: secrets.map(arnOf),
    }));
    this.fleet = new Fleet(this.schedule, services, this.below, ({ secrets }) => {
      return new Map(
        secrets.map((arn) => [arn, this.secrets.read(arn, { label: "AWSCURRENT" }, this.#asOf()).versionId]),
      );
    });
    this.fleet.onChange = () => this.watch?.changed();
    this.#tick();
  }

  newValue = (): string => `value-${++this.#values}`;

  #create(name: string, now: number): void {
    const own = this.layout.credentials.filter(({ secret }) => secret === name);
    const tags = new Map<string, string>();
    const document: Record<string, string> = { DEBUG: "off" };
    for (const { field, kind, graceSeconds, isPublished } of own) {
      tags.set(field === undefined ? "rekey:strategy" : `rekey:field:${field}`, kind);
      const of = (option: string) => `rekey:${option}${field === undefined ? "" : `:${field}`}`;
      tags.set(of("grace"), String(graceSeconds ?? 0));
      tags.set(of("skew"), "5");
      const value = this.newValue();
      document[field ?? (kind === "pair" ? "password" : "current")] = value;
      if (isPublished) document[field === undefined ? "next" : `${field}_NEXT`] = this.newValue();
      if (kind === "pair") this.targets.set(labelOf(name, field), new Target(value));
    }
    const secret = new Secret(name, tags);
    secret.put("first", JSON.stringify(document), "AWSCURRENT", now - 2_000_000);
    this.secrets.all.set(secret.arn, secret);
  }

  /** How far behind a reader of Secrets Manager is. */
  #asOf(): number {
    return this.schedule.now - (this.below(3) === 0 ? this.below(STALE_MS) : 0);
  }

  #tick(): void {
    this.schedule.after(TICK_MS, () => {
      this.start("advance", TICK_MS * 2);
      this.#tick();
    });
  }

  start(journey: "rotateAll" | "advance", lifeMs: number, request: RotationRequest = REQUEST): void {
    const worker: Worker = { id: `${journey}-${this.workers.length + 1}`, alive: true, frozenUntil: 0 };
    this.workers.push(worker);
    const ports = this.#plant(this.#ports(worker), worker);
    const deadline = new Date(this.schedule.now + lifeMs);
    const work =
      journey === "rotateAll"
        ? rotateAll(ports, request, { eventId: worker.id, holder: worker.id, deadline })
        : advance(ports, { holder: worker.id, deadline });
    work.then(
      () => this.#end(worker, undefined),
      (error: unknown) => this.#end(worker, error),
    );
  }

  #end(worker: Worker, error: unknown): void {
    worker.alive = false;
    this.watch?.ended(worker, error);
  }

  #ports(worker: Worker): Ports {
    const ask: Ask = (name, effect) => this.schedule.call(worker, name, () => this.#suffer(name, effect));
    const { secrets, schedule, fleet, records } = this;
    const witness: Witness = {
      evicted: (label, value) => this.watch?.evicted(label, value),
      refusing: (label, value, act) => this.watch?.refusing(label, value, act),
      acted: (label, act) => this.watch?.acted(label, act, worker),
    };
    const changing = <T>(effect: () => T): T => {
      const before = effect();
      this.watch?.changed();
      return before;
    };
    return {
      mayWrite: () => {},
      store: {
        list: () => ask("store.list", () => [...secrets.all.values()].map((one) => one.facts(this.#asOf()))),
        describe: (arn) =>
          ask("store.describe", () => {
            const facts = secrets.find(arn).facts(this.#asOf());
            const current = facts.versions.find(({ labels }) => labels.includes("AWSCURRENT"));
            this.watch?.described(worker, arn, current?.versionId);
            return facts;
          }),
        read: (arn, version) => ask("store.read", () => secrets.read(arn, version, this.#asOf())),
        stage: (arn, versionId, text) =>
          ask("store.stage", () => {
            secrets.stage(arn, versionId, text, schedule.now);
            this.watch?.moved(worker, arn, "stage");
          }),
        moveCurrent: (arn, from, to) =>
          ask("store.moveCurrent", () =>
            changing(() => {
              const act =
                (secrets.find(arn).versions.get(to)?.createdAt ?? 0) >=
                (secrets.find(arn).versions.get(from)?.createdAt ?? 0);
              // Any other is refused, and changes nothing.
              if (secrets.find(arn).holder("AWSCURRENT") === from) this.watch?.moving(worker, arn, to);
              secrets.moveCurrent(arn, from, to, schedule.now);
              this.watch?.moved(worker, arn, act ? "promote" : "demote");
            }),
          ),
        dropPending: (arn, versionId) =>
          ask("store.dropPending", () => secrets.dropPending(arn, versionId, schedule.now)),
      },
      fleet: {
        survey: () => ask("fleet.survey", () => fleet.facts()),
        look: (services) => ask("fleet.look", () => fleet.facts(services.map(({ name }) => name))),
        deploy: ({ name }) =>
          ask("fleet.deploy", () => {
            const service = fleet.services.find((one) => one.name === name);
            if (!service) throw new RekeyError("AWS_FAILED", `no service ${name}`);
            this.watch?.deployed(worker, name);
            return { deploymentId: fleet.deploy(service) };
          }),
        rollBack: ({ name }) =>
          ask("fleet.rollBack", () => {
            const service = fleet.services.find((one) => one.name === name);
            if (service) fleet.rollBack(service);
          }),
      },
      log: logOn(records, ask, worker.id),
      strategies: new Map(
        [
          pairStrategy(
            (name, effect) => ask(name, () => changing(effect)),
            this.targets,
            witness,
            this.newValue,
          ),
          keysStrategy(this.newValue),
        ].map((strategy) => [strategy.id, strategy]),
      ),
      tell: () => {},
      now: () => new Date(schedule.now),
      sleep: (ms, signal) => schedule.sleep(worker, ms, signal),
      settings: SETTINGS,
    };
  }

  #suffer<T>(name: string, effect: () => T): T {
    const trouble = this.troubles.find(({ calls, left }) => left > 0 && name.startsWith(calls));
    if (!trouble) return effect();
    trouble.left--;
    if (trouble.unheard) effect();
    throw new RekeyError(trouble.code, `${name} went wrong`);
  }
}

export const labelOf = (secret: string, field: string | undefined) =>
  field === undefined ? secret : `${secret}#${field}`;
