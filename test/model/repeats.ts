/** Asking again after acting never repeats the act, and a service is deployed once for each wave and direction. */
import { decide } from "../../lib/rotation/decide.ts";
import type { Facts } from "../../lib/rotation/decision.ts";
import type { Rotation, WaveRecord } from "../../lib/rotation/intent.ts";
import type { Verdict } from "../../lib/rotation/strategy.ts";
import type { Secret } from "./secrets.ts";
import type { Values } from "./values.ts";
import { type CredentialPlan, labelOf } from "./world.ts";

export type Act = "stage" | "set" | "promote" | "demote" | "revoke" | "withdraw";

export class Repeats {
  readonly #values: Values;
  readonly #violate: (what: string) => void;
  readonly #acts = new Map<string, { readonly act: Act; readonly by: string; readonly label?: string }>();
  /** The last one of each run, service, wave and direction. */
  readonly #deployments = new Map<
    string,
    { readonly runId: string; readonly service: string; readonly at: number }
  >();
  /** Services that somebody else deployed, scaled or broke. */
  readonly #foreign = new Set<string>();

  constructor(values: Values, violate: (what: string) => void) {
    this.#values = values;
    this.#violate = violate;
  }

  acted(arn: string, act: Act, by: string, label?: string): void {
    this.#acts.set(arn, { act, by, ...(label === undefined ? {} : { label }) });
  }

  /** Something outside changed for this secret: the same act may be needed again. */
  disturbed(arn: string): void {
    this.#acts.delete(arn);
  }

  foreign(service: string): void {
    this.#foreign.add(service);
  }

  /** A worker was given the records: it knows no more than they say, whatever it did before its last note failed. */
  read(by: string, rotations: readonly Rotation[]): void {
    for (const { secretArn } of rotations)
      if (this.#acts.get(secretArn)?.by === by) this.#acts.delete(secretArn);
  }

  stored(secret: Secret, next: Rotation, worker: string): void {
    const wave = next.history.at(-1);
    const done = this.#acts.get(next.secretArn);
    this.#acts.delete(next.secretArn);
    if (!wave || next.outcome !== undefined) return;
    if (done === undefined || done.by !== worker || next.failures > 0) return;
    const now = new Date(this.#values.world.schedule.now);
    const again = decide(next, this.#facts(secret, next, wave), now);
    const isAnother = again.do === "revoke" && again.label !== done.label;
    if (again.do === done.act && !isAnother)
      this.#violate(`${secret.name}: ${done.act} is done and asked for again`);
  }

  /**
   * Another one is needed only for a secret whose label moved after the first was asked for: tasks of that one do not hold
   * its value.
   */
  deployed(worker: string, service: string): void {
    const { records, schedule } = this.#values.world;
    const [found] = [...records.runs.values()].flatMap(({ runId, deployments }) =>
      deployments
        .filter((one) => one.service === service && one.status === "requested")
        .filter(() => records.leases.get(runId)?.holder === worker)
        .map(({ wave, back }) => ({ runId, wave, back, key: [runId, service, wave, back].join() })),
    );
    if (!found) {
      this.#violate(`${service} is deployed without a record of it`);
      return;
    }
    const before = this.#deployments.get(found.key)?.at;
    // An emergency's deployment ends the one of the run beside it; so soon after a label has moved, neither counts for the other.
    const isEnded = [...this.#deployments.values()].some(
      (other) => other.service === service && other.runId !== found.runId && other.at >= (before ?? 0),
    );
    this.#deployments.set(found.key, { runId: found.runId, service, at: schedule.now });
    if (before === undefined || isEnded || this.#foreign.has(service)) return;
    // Of whatever wave and direction: one deployment serves them all, and its record names but one of them.
    const isLater = [...(records.rotations.get(found.runId)?.values() ?? [])].some(({ history }) =>
      history
        .flatMap(({ promotedAt, retreat }) => [promotedAt, retreat?.demotedAt])
        .some((movedAt) => movedAt !== undefined && Date.parse(movedAt) > before),
    );
    if (!isLater)
      this.#violate(
        `a second deployment of ${service} ${found.back ? "back from" : "for"} its ${found.wave} wave`,
      );
  }

  /** Fresh and exact, with every wait behind us. */
  #facts(secret: Secret, rotation: Rotation, wave: WaveRecord): Facts {
    const current = secret.holder("AWSCURRENT");
    const pending = secret.holder("AWSPENDING");
    const previous = secret.holder("AWSPREVIOUS");
    const verdicts = this.#values
      .plansOf(secret)
      .filter((plan) =>
        rotation.credentials.some(
          (one) => one.label === labelOf(plan.secret, plan.field) && one.waves.includes(wave.wave),
        ),
      )
      .map((plan) => ({ plan, target: this.#ask(secret, plan, wave, rotation.emergency) }));
    const every = (side: "from" | "to"): Verdict =>
      verdicts.every(({ target }) => target[side] === "accepted") ? "accepted" : "refused";
    return {
      labels: {
        ...(current === undefined ? {} : { current }),
        ...(pending === undefined ? {} : { pending }),
        ...(previous === undefined ? {} : { previous }),
        staged: secret.versions.has(wave.toVersionId),
      },
      runWave: wave.wave,
      settled: true,
      target: { from: every("from"), to: every("to") },
      rollout: { state: "through", because: "", missing: [] },
      credentials: verdicts.map(({ plan, target }) => ({
        label: labelOf(plan.secret, plan.field),
        takenBy: plan.kind === "pair" ? "server" : "tasks",
        revokes: plan.kind === "pair" || rotation.emergency || wave.wave === "retire",
        quietUntil: new Date(0),
        stragglers: [],
        target,
      })),
    };
  }

  #ask(
    secret: Secret,
    plan: CredentialPlan,
    { wave, fromVersionId, toVersionId }: WaveRecord,
    isEmergency: boolean,
  ): { from: Verdict; to: Verdict } {
    const verdict = (accepted: boolean): Verdict => (accepted ? "accepted" : "refused");
    if (!secret.versions.has(toVersionId)) return { from: verdict(true), to: verdict(false) };
    if (plan.kind === "pair") {
      const accepts = (versionId: string) =>
        verdict(this.#values.accepts(plan, this.#values.value(secret, versionId, plan)));
      return { from: accepts(fromVersionId), to: accepts(toVersionId) };
    }
    const [before, after] = [
      this.#values.keys(secret, fromVersionId, plan),
      this.#values.keys(secret, toVersionId, plan),
    ];
    const old = wave === "retire" ? before[2] : before[0];
    return {
      from: verdict(after.includes(old ?? "")),
      to: verdict(isEmergency || before.includes(after[0] ?? "")),
    };
  }
}
