/**
 * What people did by hand, and what no law holds the engine to account for because of it: a value
 *  - that a person put and the target never accepted;
 *  - that the target did not accept for good when a person made it current;
 *  - that a person made current when no look of the engine could have shown it before the value went: the look was taken
 *    before the move, or within the two seconds in which Secrets Manager may answer with what was. A move counts as shown
 *    once the worker that holds the rotation was given it and afterwards wrote a record; then the engine had its chance to
 *    remember it. Who only prepares a run of its own on that secret cannot.
 */
import type { Worker } from "./schedule.ts";
import { type Secret, STALE_MS } from "./secrets.ts";
import type { Values } from "./values.ts";
import type { CredentialPlan } from "./world.ts";

/** A person's move of AWSCURRENT. */
interface Hand {
  readonly versionId: string;
  readonly at: number;
  readonly shownTo: Set<string>;
  known: boolean;
}

export class Hands {
  /** Values and versions that a person broke, or that an emergency cut. */
  readonly exempt = new Set<string>();
  readonly #values: Values;
  readonly #moves = new Map<string, Hand[]>();

  constructor(values: Values) {
    this.#values = values;
  }

  /** A person has made this version current. */
  moved(secret: Secret, versionId: string): void {
    const moves = this.#moves.get(secret.arn) ?? [];
    this.#moves.set(secret.arn, [
      ...moves,
      { versionId, at: this.#values.world.schedule.now, shownTo: new Set(), known: false },
    ]);
    for (const plan of this.#values.plansOf(secret)) {
      const value = this.#values.value(secret, versionId, plan);
      if (plan.kind === "pair" && !this.#values.acceptsForGood(plan, value)) this.exempt.add(value);
      if (plan.kind === "keys") this.#cutKeys(secret, plan, versionId);
    }
  }

  /** Who holds this document and who holds another that does not agree with it have been parted knowingly. */
  #cutKeys(secret: Secret, plan: CredentialPlan, versionId: string): void {
    const values = this.#values;
    const cut = values
      .readable(secret)
      .filter(
        (other) =>
          !values.agree(secret, plan, versionId, other) || !values.agree(secret, plan, other, versionId),
      );
    for (const one of cut.length > 0 ? [versionId, ...cut] : []) this.exemptKeys(secret, plan, one);
    // Nothing tells when a previous key was signed with last, if not the rotation in whose middle its document was made.
    const [, , previous] = values.keys(secret, versionId, plan);
    if (previous !== undefined) this.exempt.add(previous);
  }

  described(worker: Worker, arn: string, current: string | undefined): void {
    const moves = this.#moves.get(arn);
    if (!moves) return;
    const { records, schedule } = this.#values.world;
    const open = records.openRotations().filter(({ secretArn }) => secretArn === arn);
    if (!open.some(({ runId }) => records.leases.get(runId)?.holder === worker.id)) return;
    const isStale = open.some(({ history }) => {
      const wave = history.at(-1);
      return [wave?.promotedAt, wave?.retreat?.demotedAt].some(
        (at) => schedule.now - Date.parse(at ?? "") < STALE_MS,
      );
    });
    for (const move of isStale ? [] : moves) {
      if (move.versionId === current) move.shownTo.add(worker.id);
      // The next answer may come from a replica that has not heard of it.
      else if (schedule.now - move.at < STALE_MS) move.shownTo.delete(worker.id);
    }
  }

  recorded(arn: string, worker: string): void {
    for (const move of this.#moves.get(arn) ?? []) move.known ||= move.shownTo.has(worker);
  }

  wereOn({ arn }: Secret): boolean {
    return this.#moves.has(arn);
  }

  /** Whether there was one that the engine had no chance to remember yet. */
  areNew({ arn }: Secret): boolean {
    return (this.#moves.get(arn) ?? []).some(({ known }) => !known);
  }

  exemptKeys(secret: Secret, plan: CredentialPlan, versionId: string): void {
    this.exempt.add(versionId);
    this.exempt.add(this.#values.value(secret, versionId, plan));
  }
}
