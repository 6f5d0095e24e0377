/**
 * What must hold in every world, after every step and at the end.
 *
 * A person may break things by hand, and no law holds the engine to account for that. Exempt is a value
 *  - that a person put and the target never accepted;
 *  - that the target did not accept when a person made it current;
 *  - that a person made current when no look of the engine could have shown it before the value went: the look was taken
 *    before the move, or within the two seconds in which Secrets Manager may answer with what was. A move counts as shown
 *    once a worker was given it and afterwards wrote a record; then the engine had its chance to remember it.
 */
import { RekeyError } from "../../lib/errors.ts";
import { decide, type Facts } from "../../lib/rotation/decide.ts";
import type { Rotation, WaveRecord } from "../../lib/rotation/intent.ts";
import type { Verdict } from "../../lib/rotation/strategy.ts";
import type { Task } from "./fleet.ts";
import type { Worker } from "./schedule.ts";
import { type Secret, STALE_MS } from "./secrets.ts";
import { keysIn } from "./target.ts";
import { type CredentialPlan, labelOf, type Watch, type World } from "./world.ts";

/** A person's move of AWSCURRENT. */
interface Hand {
  readonly versionId: string;
  readonly shownTo: Set<string>;
  known: boolean;
}

/** The sentences that ask a person for something. */
const FOR_PERSON =
  /AWSCURRENT was moved|still logged in|way back failed|refuses the new value|cannot be read|no way back/;

type Act = "stage" | "set" | "promote" | "demote" | "revoke" | "withdraw";

export class Laws implements Watch {
  readonly violations: string[] = [];
  /** Values and versions that a person broke. */
  readonly exempt = new Set<string>();
  readonly #world: World;
  readonly #hands = new Map<string, Hand[]>();
  readonly #acts = new Map<string, { readonly act: Act; readonly by: string; readonly label?: string }>();
  /** When the last one was asked for. */
  readonly #deployments = new Map<string, number>();
  /** Services that somebody else deployed, scaled or broke. */
  readonly #foreign = new Set<string>();
  readonly #documents = new Map<string, Readonly<Record<string, string>>>();
  /** By credential: the keys that tasks sign with, and until when each was signed with. */
  /** Rollouts that were called complete. */
  readonly #called = new Set<string>();
  readonly #tokens = new Map<string, { signing: Set<string>; readonly signedUntil: Map<string, number> }>();
  #isDue = true;

  constructor(world: World) {
    this.#world = world;
    world.watch = this;
    world.records.onRotation = (next, worker) => this.#stored(next, worker);
  }

  changed(): void {
    this.#isDue = true;
  }

  evicted(label: string, value: string): void {
    this.#violate(`a third live value: ${label} had to give up ${value}`);
  }

  refusing(label: string, value: string, act: "revoke" | "withdraw"): void {
    const { plan, secret } = this.#planOf(label);
    const holders = this.#world.fleet.tasks.filter((task) => this.#holds(task, secret, plan, value));
    const isCurrent = [...secret.currents(this.#world.schedule.now)].some(
      (versionId) => this.value(secret, versionId, plan) === value,
    );
    if (holders.length === 0 && !isCurrent) return;
    if (this.#isByHand(secret)) this.exempt.add(value);
    else
      this.#violate(
        `${act} of ${label} ${value} while ${holders.length} tasks hold it, current: ${isCurrent}`,
      );
  }

  acted(label: string, act: "set" | "revoke" | "withdraw", { id }: Worker): void {
    this.#acts.set(this.#planOf(label).secret.arn, { act, by: id, label });
  }

  described(worker: Worker, arn: string, current: string | undefined): void {
    const hands = this.#hands.get(arn);
    if (!hands) return;
    const { now } = this.#world.schedule;
    const waves = this.#world.records.openRotations().filter(({ secretArn }) => secretArn === arn);
    const isStale = waves.some(({ history }) => {
      const wave = history.at(-1);
      return [wave?.promotedAt, wave?.retreat?.demotedAt].some((at) => now - Date.parse(at ?? "") < STALE_MS);
    });
    for (const hand of isStale ? [] : hands) if (hand.versionId === current) hand.shownTo.add(worker.id);
  }

  moved({ id }: Worker, arn: string, act: "promote" | "demote" | "stage"): void {
    this.#acts.set(arn, { act, by: id });
  }

  /**
   * One deployment of a service for each wave and direction. Another is needed only for a secret whose label moved after
   * the first was asked for: tasks of that one do not hold its value.
   */
  deployed(_worker: Worker, service: string): void {
    const { records, schedule } = this.#world;
    const [found] = [...records.runs.values()].flatMap(({ runId, deployments }) =>
      deployments
        .filter((one) => one.service === service && one.status === "requested")
        .map(({ wave, back }) => ({ runId, wave, back, key: [runId, service, wave, back].join() })),
    );
    if (!found) {
      this.#violate(`${service} is deployed without a record of it`);
      return;
    }
    const before = this.#deployments.get(found.key);
    this.#deployments.set(found.key, schedule.now);
    if (before === undefined || this.#foreign.has(service)) return;
    const isLater = [...(records.rotations.get(found.runId)?.values() ?? [])].some(({ history }) => {
      const wave = history.findLast((one) => one.wave === found.wave);
      const movedAt = found.back ? wave?.retreat?.demotedAt : wave?.promotedAt;
      return movedAt !== undefined && Date.parse(movedAt) > before;
    });
    if (!isLater)
      this.#violate(
        `a second deployment of ${service} ${found.back ? "back from" : "for"} its ${found.wave} wave`,
      );
  }

  ended({ id }: Worker, error: unknown): void {
    if (error !== undefined && !(error instanceof RekeyError))
      this.#violate(`${id} fails with ${error instanceof Error ? error.stack : String(error)}`);
  }

  /** Something outside changed for this secret: the same act may be needed again. */
  disturbed(arn: string): void {
    this.#acts.delete(arn);
  }

  foreign(service: string): void {
    this.#foreign.add(service);
  }

  /** A person has made this version current. */
  movedByHand(secret: Secret, versionId: string): void {
    const hands = this.#hands.get(secret.arn) ?? [];
    this.#hands.set(secret.arn, [...hands, { versionId, shownTo: new Set(), known: false }]);
    for (const plan of this.plansOf(secret)) {
      const value = this.value(secret, versionId, plan);
      if (plan.kind === "pair" && !this.#accepts(plan, value)) this.exempt.add(value);
      if (plan.kind === "pair") continue;
      const cut = this.#readable(secret).filter(
        (other) =>
          !this.#agree(secret, plan, versionId, other) || !this.#agree(secret, plan, other, versionId),
      );
      for (const one of cut.length > 0 ? [versionId, ...cut] : []) {
        this.#exemptKeys(secret, plan, one);
      }
    }
    this.disturbed(secret.arn);
    this.changed();
  }

  wasTouched(secret: Secret): boolean {
    return this.#hands.has(secret.arn);
  }

  /** Whether each rotation that is left waits for an act that its sentence asks of a person. */
  waitsForPerson(): boolean {
    return this.#world.records
      .openRotations()
      .every(({ parkedSince, because }) => parkedSince !== undefined && FOR_PERSON.test(because ?? ""));
  }

  /** Rotations that have ended and still keep others away from their secret. */
  leftClaims(): string[] {
    const { records } = this.#world;
    return [...records.rotations.values()]
      .flatMap((ofRun) => [...ofRun.values()])
      .filter(
        ({ outcome, runId, secretArn }) => outcome !== undefined && records.claims.get(secretArn) === runId,
      )
      .map(({ rotationId }) => rotationId);
  }

  /** After everything has calmed down. */
  checkEnd(): void {
    const { records } = this.#world;
    if (!this.waitsForPerson()) {
      const stuck = records.openRotations().map(({ secretName, because }) => `${secretName}: ${because}`);
      this.#violate(`stuck: ${stuck.join("; ")}`);
    }
    // One whose caller died before it was written down has promised nothing; the next caller clears it away.
    const open = [...records.open].filter((runId) => records.runs.has(runId));
    if (open.length > 0 && records.openRotations().length === 0)
      this.#violate(`run ${open.join()} has nothing left to do and is not closed`);
    for (const ofRun of records.rotations.values()) for (const one of ofRun.values()) this.#checkOutcome(one);
  }

  #checkOutcome(rotation: Rotation): void {
    const secret = this.#world.secrets.find(rotation.secretArn);
    const wave = rotation.history.at(-1);
    if (rotation.outcome === undefined || !wave) return;
    if (secret.holder("AWSPENDING") === wave.toVersionId)
      this.#violate(`${rotation.secretName} is ${rotation.outcome} and AWSPENDING is left`);
    const gone = rotation.outcome === "rotated" ? wave.fromVersionId : wave.toVersionId;
    if (!secret.versions.has(gone) || this.wasTouched(secret)) return;
    for (const plan of this.plansOf(secret).filter(({ kind }) => kind === "pair")) {
      const takesPart = rotation.credentials.some(
        ({ label, waves }) => label === labelOf(plan.secret, plan.field) && waves.includes(wave.wave),
      );
      const target = this.#world.targets.get(labelOf(plan.secret, plan.field));
      const value = this.value(secret, gone, plan);
      if (takesPart && (target?.accepted.includes(value) || target?.saved.includes(value)))
        this.#violate(`${rotation.secretName} is ${rotation.outcome} and ${value} is not dead for good`);
    }
  }

  check(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    for (const secret of this.#world.secrets.all.values()) {
      for (const label of ["AWSCURRENT", "AWSPENDING"]) {
        const count = secret.holders(label).length;
        if (count > 1 || (count === 0 && label === "AWSCURRENT"))
          this.#violate(`${secret.name} has ${count} versions with ${label}`);
      }
      const readable = this.#readable(secret);
      for (const plan of this.plansOf(secret)) {
        if (plan.kind === "pair") this.#checkPair(secret, plan, readable);
        else this.#checkKeys(secret, plan, readable);
      }
    }
  }

  #checkPair(secret: Secret, plan: CredentialPlan, readable: readonly string[]): void {
    for (const versionId of readable) {
      const value = this.value(secret, versionId, plan);
      if (!this.#accepts(plan, value) && !this.exempt.has(value))
        this.#violate(`a task could read ${value} of ${labelOf(plan.secret, plan.field)}, which is refused`);
    }
  }

  /** Who could sign must be believed by everybody, and so must the tokens that are still alive. */
  #checkKeys(secret: Secret, plan: CredentialPlan, readable: readonly string[]): void {
    const { now } = this.#world.schedule;
    const kept = () => readable.filter((versionId) => !this.exempt.has(versionId));
    for (const a of kept()) {
      for (const b of kept()) {
        if (this.#agree(secret, plan, a, b)) continue;
        if (this.#isByHand(secret)) for (const one of [a, b]) this.#exemptKeys(secret, plan, one);
        else this.#violate(`a token of ${secret.name} ${a} would be refused by a task that read ${b}`);
      }
    }
    const own = kept();
    const life = (plan.graceSeconds ?? 0) * 1000;
    const label = labelOf(plan.secret, plan.field);
    const tokens = this.#tokens.get(label) ?? {
      signing: new Set<string>(),
      signedUntil: new Map<string, number>(),
    };
    this.#tokens.set(label, tokens);
    for (const key of tokens.signing) tokens.signedUntil.set(key, now);
    const held = this.#world.fleet.tasks.flatMap((task) => task.held?.get(secret.arn) ?? []);
    tokens.signing = new Set(held.map((versionId) => this.#keys(secret, versionId, plan)[0] ?? ""));
    for (const [key, until] of tokens.signedUntil) {
      if (until + life <= now || this.exempt.has(key)) tokens.signedUntil.delete(key);
      else if (own.some((versionId) => !this.#keys(secret, versionId, plan).includes(key)))
        this.#violate(`a live token signed with ${key} of ${secret.name} is refused`);
    }
  }

  #exemptKeys(secret: Secret, plan: CredentialPlan, versionId: string): void {
    this.exempt.add(versionId);
    this.exempt.add(this.value(secret, versionId, plan));
  }

  #stored(next: Rotation, worker: string): void {
    const secret = this.#world.secrets.find(next.secretArn);
    for (const hand of this.#hands.get(next.secretArn) ?? []) hand.known ||= hand.shownTo.has(worker);
    const wave = next.history.at(-1);
    const done = this.#acts.get(next.secretArn);
    this.#acts.delete(next.secretArn);
    if (!wave || next.outcome !== undefined) return;
    this.#checkConfirmed(secret, next, wave);
    if (done === undefined || done.by !== worker || next.failures > 0) return;
    const again = decide(next, this.#facts(secret, next, wave), new Date(this.#world.schedule.now));
    const isAnother = again.do === "revoke" && again.label !== done.label;
    if (again.do === done.act && !isAnother)
      this.#violate(`${secret.name}: ${done.act} is done and asked for again`);
  }

  /** A rollout, forward or back, is called complete only when no task holds what it was to take away. */
  #checkConfirmed(secret: Secret, { secretName }: Rotation, wave: WaveRecord): void {
    const { fromVersionId, toVersionId, rolledOutAt, retreat } = wave;
    const calledAt = retreat ? retreat.withdrawnAt : rolledOutAt;
    if (calledAt === undefined || this.#called.has(`${secretName} ${calledAt}`)) return;
    this.#called.add(`${secretName} ${calledAt}`);
    const gone = retreat ? toVersionId : fromVersionId;
    const holders = this.#world.fleet.tasks.filter(({ held }) => held?.get(secret.arn) === gone);
    if (holders.length === 0 || this.#isByHand(secret)) return;
    this.#violate(
      `${secretName}: the ${wave.wave} wave is called through while ${holders.length} tasks hold ${gone}`,
    );
  }

  /** Fresh and exact, with every wait behind us. */
  #facts(secret: Secret, rotation: Rotation, wave: WaveRecord): Facts {
    const current = secret.holder("AWSCURRENT");
    const pending = secret.holder("AWSPENDING");
    const verdicts = this.plansOf(secret)
      .filter((plan) =>
        rotation.credentials.some(
          (one) => one.label === labelOf(plan.secret, plan.field) && one.waves.includes(wave.wave),
        ),
      )
      .map((plan) => ({ plan, target: this.#ask(secret, plan, wave) }));
    const every = (side: "from" | "to"): Verdict =>
      verdicts.every(({ target }) => target[side] === "accepted") ? "accepted" : "refused";
    return {
      labels: {
        ...(current === undefined ? {} : { current }),
        ...(pending === undefined ? {} : { pending }),
        staged: secret.versions.has(wave.toVersionId),
      },
      runWave: wave.wave,
      settled: true,
      target: { from: every("from"), to: every("to") },
      rollout: { state: "through", because: "", missing: [] },
      credentials: verdicts.map(({ plan, target }) => ({
        label: labelOf(plan.secret, plan.field),
        takenBy: plan.kind === "pair" ? "server" : "tasks",
        revokes: plan.kind === "pair" || wave.wave === "retire",
        quietUntil: new Date(0),
        stragglers: [],
        target,
      })),
    };
  }

  #ask(secret: Secret, plan: CredentialPlan, { wave, fromVersionId, toVersionId }: WaveRecord) {
    const verdict = (accepted: boolean): Verdict => (accepted ? "accepted" : "refused");
    if (!secret.versions.has(toVersionId)) return { from: verdict(true), to: verdict(false) };
    if (plan.kind === "pair") {
      const accepts = (versionId: string) =>
        verdict(this.#accepts(plan, this.value(secret, versionId, plan)));
      return { from: accepts(fromVersionId), to: accepts(toVersionId) };
    }
    const [before, after] = [this.#keys(secret, fromVersionId, plan), this.#keys(secret, toVersionId, plan)];
    const old = wave === "retire" ? before[2] : before[0];
    return { from: verdict(after.includes(old ?? "")), to: verdict(before.includes(after[0] ?? "")) };
  }

  plansOf({ name }: Secret): CredentialPlan[] {
    return this.#world.layout.credentials.filter(({ secret }) => secret === name);
  }

  value(secret: Secret, versionId: string, plan: CredentialPlan): string {
    return (
      this.#document(secret, versionId)[plan.field ?? (plan.kind === "pair" ? "password" : "current")] ?? ""
    );
  }

  #keys(secret: Secret, versionId: string, { field }: CredentialPlan): string[] {
    const document = this.#document(secret, versionId);
    return keysIn(
      (name) =>
        document[field === undefined ? name : name === "current" ? field : `${field}_${name.toUpperCase()}`],
    );
  }

  #document(secret: Secret, versionId: string): Readonly<Record<string, string>> {
    const key = `${secret.name} ${versionId}`;
    const known =
      this.#documents.get(key) ?? JSON.parse(secret.versions.get(versionId)?.text.reveal() ?? "{}");
    this.#documents.set(key, known);
    return known;
  }

  #agree(secret: Secret, plan: CredentialPlan, signer: string, verifier: string): boolean {
    return this.#keys(secret, verifier, plan).includes(this.#keys(secret, signer, plan)[0] ?? "");
  }

  #accepts(plan: CredentialPlan, value: string): boolean {
    return this.#world.targets.get(labelOf(plan.secret, plan.field))?.accepted.includes(value) ?? false;
  }

  #readable(secret: Secret): string[] {
    const held = this.#world.fleet.tasks.flatMap((task) => task.held?.get(secret.arn) ?? []);
    return [...new Set([...secret.currents(this.#world.schedule.now), ...held])];
  }

  #holds({ held }: Task, secret: Secret, plan: CredentialPlan, value: string): boolean {
    const versionId = held?.get(secret.arn);
    return versionId !== undefined && this.value(secret, versionId, plan) === value;
  }

  #isByHand(secret: Secret): boolean {
    return (this.#hands.get(secret.arn) ?? []).some(({ known }) => !known);
  }

  #planOf(label: string): { plan: CredentialPlan; secret: Secret } {
    const plan = this.#world.layout.credentials.find((one) => labelOf(one.secret, one.field) === label);
    const secret = [...this.#world.secrets.all.values()].find(({ name }) => name === plan?.secret);
    if (!plan || !secret) throw new Error(`no credential ${label}`);
    return { plan, secret };
  }

  #violate(what: string): void {
    this.violations.push(what);
  }
}
