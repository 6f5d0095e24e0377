/** What each version of a secret holds, and who accepts or holds it: the world as nobody in it can see it. */
import type { Secret } from "./secrets.ts";
import { keysIn } from "./target.ts";
import { type CredentialPlan, labelOf, type World } from "./world.ts";

type Document = Readonly<Record<string, string>>;

export class Values {
  readonly world: World;
  readonly #documents = new Map<string, Document>();
  readonly #plans = new Map<string, readonly CredentialPlan[]>();

  constructor(world: World) {
    this.world = world;
    const { credentials } = world.layout;
    for (const { name } of world.secrets.all.values())
      this.#plans.set(
        name,
        credentials.filter(({ secret }) => secret === name),
      );
  }

  plansOf({ name }: Secret): readonly CredentialPlan[] {
    return this.#plans.get(name) ?? [];
  }

  planOf(label: string): { plan: CredentialPlan; secret: Secret } {
    const plan = this.world.layout.credentials.find((one) => labelOf(one.secret, one.field) === label);
    const secret = [...this.world.secrets.all.values()].find(({ name }) => name === plan?.secret);
    if (!plan || !secret) throw new Error(`no credential ${label}`);
    return { plan, secret };
  }

  value(secret: Secret, versionId: string, plan: CredentialPlan): string {
    return (
      this.#document(secret, versionId)[plan.field ?? (plan.kind === "pair" ? "password" : "current")] ?? ""
    );
  }

  keys(secret: Secret, versionId: string, { field }: CredentialPlan): string[] {
    const document = this.#document(secret, versionId);
    return keysIn(
      (name) =>
        document[field === undefined ? name : name === "current" ? field : `${field}_${name.toUpperCase()}`],
    );
  }

  /** Versions of one content are one document, and a version's content never changes. */
  #document(secret: Secret, versionId: string): Document {
    const key = `${secret.name} ${versionId}`;
    const known = this.#documents.get(key);
    if (known) return known;
    const document = JSON.parse(secret.versions.get(versionId)?.text.reveal() ?? "{}");
    this.#documents.set(key, document);
    return document;
  }

  /** Whether a token that one task signs is believed by the other. */
  agree(secret: Secret, plan: CredentialPlan, signer: string, verifier: string): boolean {
    return this.keys(secret, verifier, plan).includes(this.keys(secret, signer, plan)[0] ?? "");
  }

  accepts(plan: CredentialPlan, value: string): boolean {
    return this.world.targets.get(labelOf(plan.secret, plan.field))?.accepted.includes(value) ?? false;
  }

  /** Also after a restart. */
  acceptsForGood(plan: CredentialPlan, value: string): boolean {
    const target = this.world.targets.get(labelOf(plan.secret, plan.field));
    return this.accepts(plan, value) && target?.saved.includes(value) === true;
  }

  /** Every version that a task could read now, or holds. */
  readable(secret: Secret): string[] {
    const held = this.held(secret);
    return [...new Set([...secret.currents(this.world.schedule.now), ...held])];
  }

  held({ arn }: Secret): string[] {
    return this.world.fleet.tasks.flatMap((task) => task.held?.get(arn) ?? []);
  }

  holders(secret: Secret, plan: CredentialPlan, value: string): number {
    return this.held(secret).filter((versionId) => this.value(secret, versionId, plan) === value).length;
  }
}
