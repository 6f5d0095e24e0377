/** A rollout is complete when it is called so; every run ends, or waits for a person; and what it says of its end is true. */
import type { Rotation, WaveRecord } from "../../lib/rotation/intent.ts";
import { makeReport } from "../../lib/rotation/report.ts";
import type { Hands } from "./hands.ts";
import type { Secret } from "./secrets.ts";
import type { Values } from "./values.ts";
import { labelOf } from "./world.ts";

/** Longer than any grace period: a rotation that has been parked since then waits for no time, but for a person. */
const ONLY_PERSON_MS = 100_000;

export class Endings {
  readonly #values: Values;
  readonly #hands: Hands;
  readonly #violate: (what: string) => void;
  /** Rollouts that were called complete. */
  readonly #called = new Set<string>();

  constructor(values: Values, hands: Hands, violate: (what: string) => void) {
    this.#values = values;
    this.#hands = hands;
    this.#violate = violate;
  }

  /** Whether each rotation that is left waits for a person, and its report says what for. */
  waitsForPerson(): boolean {
    const { records, schedule } = this.#values.world;
    const open = records.openRotations();
    if (open.length === 0) return false;
    return open.every((rotation) => {
      const run = records.runs.get(rotation.runId);
      const parkedSince = Date.parse(rotation.parkedSince ?? "");
      if (!run || !(schedule.now - parkedSince > ONLY_PERSON_MS) || !rotation.because) return false;
      return makeReport(run, [rotation]).open.includes(`${rotation.secretName}: ${rotation.because}`);
    });
  }

  /** Secrets that nobody rotates any more and that others are still kept away from. */
  leftClaims(): string[] {
    const { records } = this.#values.world;
    return [...records.claims]
      .filter(([arn, runId]) => {
        const rotation = records.rotations.get(runId)?.get(arn);
        return rotation?.outcome !== undefined || !records.open.has(runId);
      })
      .map(([arn, runId]) => `${runId} ${arn}`);
  }

  checkEnd(): void {
    const { records } = this.#values.world;
    // One whose caller died before it was written down has promised nothing; the next caller clears it away.
    const open = [...records.open].filter((runId) => records.runs.has(runId));
    if (open.length > 0 && records.openRotations().length === 0)
      this.#violate(`run ${open.join()} has nothing left to do and is not closed`);
    for (const ofRun of records.rotations.values()) for (const one of ofRun.values()) this.#checkOutcome(one);
  }

  #checkOutcome(rotation: Rotation): void {
    const secret = this.#values.world.secrets.find(rotation.secretArn);
    const wave = rotation.history.at(-1);
    if (rotation.outcome === undefined || !wave) return;
    if (secret.holder("AWSPENDING") === wave.toVersionId)
      this.#violate(`${rotation.secretName} is ${rotation.outcome} and AWSPENDING is left`);
    const gone = rotation.outcome === "rotated" ? wave.fromVersionId : wave.toVersionId;
    if (!secret.versions.has(gone) || this.#hands.wereOn(secret)) return;
    for (const plan of this.#values.plansOf(secret).filter(({ kind }) => kind === "pair")) {
      const takesPart = rotation.credentials.some(
        ({ label, waves }) => label === labelOf(plan.secret, plan.field) && waves.includes(wave.wave),
      );
      const target = this.#values.world.targets.get(labelOf(plan.secret, plan.field));
      const value = this.#values.value(secret, gone, plan);
      if (takesPart && (target?.accepted.includes(value) || target?.saved.includes(value)))
        this.#violate(`${rotation.secretName} is ${rotation.outcome} and ${value} is not dead for good`);
    }
  }

  /** A rollout, forward or back, is called complete only when no task holds what it was to take away. */
  stored(secret: Secret, { secretName }: Rotation, wave: WaveRecord): void {
    const { fromVersionId, toVersionId, rolledOutAt, retreat } = wave;
    const calledAt = retreat ? retreat.withdrawnAt : rolledOutAt;
    if (calledAt === undefined || this.#called.has(`${secretName} ${calledAt}`)) return;
    this.#called.add(`${secretName} ${calledAt}`);
    const gone = retreat ? toVersionId : fromVersionId;
    const holders = this.#values.held(secret).filter((versionId) => versionId === gone).length;
    if (holders === 0 || this.#hands.areNew(secret)) return;
    this.#violate(
      `${secretName}: the ${wave.wave} wave is called through while ${holders} tasks hold ${gone}`,
    );
  }
}
