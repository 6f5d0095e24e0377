/** Every value that a task could read now, or holds, works; and each secret has exactly one AWSCURRENT. */
import type { Hands } from "./hands.ts";
import type { Secret } from "./secrets.ts";
import type { Values } from "./values.ts";
import { type CredentialPlan, labelOf } from "./world.ts";

interface Tokens {
  /** The keys that tasks sign with. */
  signing: Set<string>;
  /** Until when each was signed with. */
  readonly signedUntil: Map<string, number>;
}

export class Invariant {
  readonly #values: Values;
  readonly #hands: Hands;
  readonly #violate: (what: string) => void;
  /** By credential. */
  readonly #tokens = new Map<string, Tokens>();

  constructor(values: Values, hands: Hands, violate: (what: string) => void) {
    this.#values = values;
    this.#hands = hands;
    this.#violate = violate;
  }

  check(): void {
    for (const secret of this.#values.world.secrets.all.values()) {
      for (const label of ["AWSCURRENT", "AWSPENDING"]) {
        const count = secret.holders(label).length;
        if (count > 1 || (count === 0 && label === "AWSCURRENT"))
          this.#violate(`${secret.name} has ${count} versions with ${label}`);
      }
      const readable = this.#values.readable(secret);
      for (const plan of this.#values.plansOf(secret)) {
        if (plan.kind === "pair") this.#checkPair(secret, plan, readable);
        else this.#checkKeys(secret, plan, readable);
      }
    }
  }

  /** Before the label moves: what a person made current is not taken away by us. */
  moving(secret: Secret): void {
    const current = secret.holder("AWSCURRENT");
    const isOurs = this.#values.world.records
      .openRotations()
      .filter(({ secretArn }) => secretArn === secret.arn)
      .flatMap(({ history }) => history.flatMap((wave) => [wave.fromVersionId, wave.toVersionId]))
      .some((versionId) => versionId === current);
    if (!isOurs) this.#violate(`${secret.name}: AWSCURRENT is taken off ${current}, which is not ours`);
  }

  refusing(secret: Secret, plan: CredentialPlan, value: string, act: "revoke" | "withdraw"): void {
    if (this.#hands.exempt.has(value)) return;
    const holders = this.#values.holders(secret, plan, value);
    const isCurrent = [...secret.currents(this.#values.world.schedule.now)].some(
      (versionId) => this.#values.value(secret, versionId, plan) === value,
    );
    if (holders === 0 && !isCurrent) return;
    if (this.#hands.areNew(secret)) this.#hands.exempt.add(value);
    else
      this.#violate(
        `${act} of ${labelOf(plan.secret, plan.field)} ${value} while ${holders} tasks hold it, current: ${isCurrent}`,
      );
  }

  #checkPair(secret: Secret, plan: CredentialPlan, readable: readonly string[]): void {
    for (const versionId of readable) {
      const value = this.#values.value(secret, versionId, plan);
      if (!this.#values.accepts(plan, value) && !this.#hands.exempt.has(value))
        this.#violate(`a task could read ${value} of ${labelOf(plan.secret, plan.field)}, which is refused`);
    }
  }

  /** Who could sign must be believed by everybody, and so must the tokens that are still alive. */
  #checkKeys(secret: Secret, plan: CredentialPlan, readable: readonly string[]): void {
    const kept = () => readable.filter((versionId) => !this.#hands.exempt.has(versionId));
    for (const a of kept()) {
      for (const b of kept()) {
        if (this.#values.agree(secret, plan, a, b)) continue;
        if (this.#hands.areNew(secret)) for (const one of [a, b]) this.#hands.exemptKeys(secret, plan, one);
        else this.#violate(`a token of ${secret.name} ${a} would be refused by a task that read ${b}`);
      }
    }
    this.#checkTokens(secret, plan, kept());
  }

  #checkTokens(secret: Secret, plan: CredentialPlan, own: readonly string[]): void {
    const { now } = this.#values.world.schedule;
    const life = (plan.graceSeconds ?? 0) * 1000;
    const label = labelOf(plan.secret, plan.field);
    const tokens = this.#tokens.get(label) ?? { signing: new Set(), signedUntil: new Map() };
    this.#tokens.set(label, tokens);
    for (const key of tokens.signing) tokens.signedUntil.set(key, now);
    tokens.signing = new Set(
      this.#values.held(secret).map((versionId) => this.#values.keys(secret, versionId, plan)[0] ?? ""),
    );
    for (const [key, until] of tokens.signedUntil) {
      const isRefused = () =>
        own.some((versionId) => !this.#values.keys(secret, versionId, plan).includes(key));
      if (until + life <= now || this.#hands.exempt.has(key)) tokens.signedUntil.delete(key);
      else if (!isRefused()) continue;
      // Whoever makes a document current that does not know the key parts with its tokens, whose tasks may be gone by now.
      else if (this.#hands.areNew(secret)) tokens.signedUntil.delete(key);
      else this.#violate(`a live token signed with ${key} of ${secret.name} is refused`);
    }
  }
}
