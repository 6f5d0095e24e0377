/**
 * Secrets Manager's semantics without HTTP: versions, staging labels and how they move, deletion, lookup by name, ARN and
 * partial ARN. Strict where AWS is strict, since a rotation that only works against a lenient model works nowhere.
 */
import { randomInt, randomUUID } from "node:crypto";
import { AwsError } from "./service.ts";

export interface Version {
  readonly versionId: string;
  /** Empty while RotateSecret has promised a value that is not put yet; a value has one byte at least. */
  readonly text: string;
  readonly createdAt: Date;
  readonly labels: Set<string>;
}

export interface Secret {
  readonly arn: string;
  readonly name: string;
  tags: Map<string, string>;
  readonly versions: Map<string, Version>;
  readonly createdAt: Date;
  changedAt: Date;
  deletedAt?: Date;
  rotationEnabled: boolean;
  rotation?: RotationSettings;
  owningService?: string;
  /** JSON text. */
  resourcePolicy?: string;
  /** Operation -> the error that it answers: a denied right, a disabled key. */
  readonly faults: Map<string, AwsError>;
}

export interface RotationSettings {
  readonly lambdaArn: string;
  readonly rules?: { readonly AutomaticallyAfterDays?: number; readonly ScheduleExpression?: string };
  lastRotatedAt?: Date;
  nextRotationAt?: Date;
}

const CURRENT = "AWSCURRENT";
const PENDING = "AWSPENDING";
const PREVIOUS = "AWSPREVIOUS";
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const MOST_LABELS = 20;

const invalidParameter = (message: string) => new AwsError("InvalidParameterException", message);
const invalidRequest = (message: string) => new AwsError("InvalidRequestException", message);
const notFound = (message = "Secrets Manager can't find the specified secret.") =>
  new AwsError("ResourceNotFoundException", message);

export class SecretsModel {
  readonly secrets = new Map<string, Secret>();
  readonly #prefix: string;

  constructor(region: string, account: string) {
    this.#prefix = `arn:aws:secretsmanager:${region}:${account}:secret:`;
  }

  create(
    name: string,
    text: string | undefined,
    options: { tags?: Record<string, string>; token?: string } = {},
  ): Secret {
    const { tags = {}, token = randomUUID() } = options;
    const existing = [...this.secrets.values()].find((secret) => secret.name === name);
    if (existing?.deletedAt)
      throw invalidRequest("A secret with this name is already scheduled for deletion.");
    // The SDK makes the token, so a create that is sent again after a lost answer finds its own work.
    if (existing && text !== undefined && existing.versions.get(token)?.text === text) return existing;
    if (existing) throw new AwsError("ResourceExistsException", "A secret with this name already exists.");
    const suffix = Array.from({ length: 6 }, () => LETTERS[randomInt(LETTERS.length)]).join("");
    const now = new Date();
    const secret: Secret = {
      arn: `${this.#prefix}${name}-${suffix}`,
      name,
      tags: new Map(Object.entries(tags)),
      versions: new Map(),
      createdAt: now,
      changedAt: now,
      rotationEnabled: false,
      faults: new Map(),
    };
    this.secrets.set(secret.arn, secret);
    if (text !== undefined) this.put(secret, text, token, [CURRENT]);
    return secret;
  }

  /** By name, full ARN, or ARN without the suffix. */
  find(id: string | undefined): Secret {
    const wanted = id ?? "";
    const exact = this.secrets.get(wanted);
    if (exact) return exact;
    for (const secret of this.secrets.values()) {
      if (secret.name === wanted || secret.arn.slice(0, -7) === wanted) return secret;
    }
    throw notFound();
  }

  usable(secret: Secret): Secret {
    if (secret.deletedAt) {
      throw invalidRequest(
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    }
    return secret;
  }

  put(secret: Secret, text: string, token: string, labels: readonly string[] = [CURRENT]): Version {
    if (token.length < 32 || token.length > 64) {
      throw invalidParameter("ClientRequestToken must have between 32 and 64 characters.");
    }
    if (labels.length === 0 || labels.length > MOST_LABELS)
      throw invalidParameter("VersionStages must have 1 to 20 members.");
    const existing = secret.versions.get(token);
    if (existing && existing.text !== "" && existing.text !== text) {
      throw new AwsError("ResourceExistsException", "A resource with the ID you requested already exists.");
    }
    if (existing && existing.text !== "") return existing;
    const version = { versionId: token, text, createdAt: new Date(), labels: new Set(existing?.labels) };
    secret.versions.set(token, version);
    for (const label of labels) this.#attach(secret, version, label);
    // The first version of a secret is current whatever it was put as.
    if (this.holder(secret, CURRENT) === undefined) version.labels.add(CURRENT);
    secret.changedAt = new Date();
    return version;
  }

  /** What RotateSecret does first: AWSPENDING on a version that has no value, for createSecret to put one. */
  promise(secret: Secret, token: string): void {
    const known = secret.versions.get(token);
    const version = known ?? { versionId: token, text: "", createdAt: new Date(), labels: new Set<string>() };
    secret.versions.set(token, version);
    this.#attach(secret, version, PENDING);
  }

  holder(secret: Secret, label: string): Version | undefined {
    return [...secret.versions.values()].find((version) => version.labels.has(label));
  }

  read(secret: Secret, versionId: string | undefined, stage: string | undefined): Version {
    this.usable(secret);
    const byStage = this.holder(secret, stage ?? CURRENT);
    const found = versionId === undefined ? byStage : secret.versions.get(versionId);
    if (!found || found.text === "") {
      const what = versionId === undefined ? `staging label: ${stage ?? CURRENT}` : `VersionId: ${versionId}`;
      throw notFound(`Secrets Manager can't find the specified secret value for ${what}`);
    }
    if (versionId !== undefined && stage !== undefined && byStage !== found) {
      throw invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.");
    }
    return found;
  }

  moveLabel(secret: Secret, label: string, from: string | undefined, to: string | undefined): void {
    this.usable(secret);
    const holder = this.holder(secret, label);
    if (from === undefined && to === undefined)
      throw invalidParameter("Give RemoveFromVersionId, MoveToVersionId, or both.");
    if (from !== undefined && holder?.versionId !== from) {
      throw invalidParameter(`The staging label ${label} is not currently attached to version ${from}.`);
    }
    if (to === undefined) {
      if (label === CURRENT)
        throw invalidParameter("You can't remove AWSCURRENT without moving it to another version.");
      holder?.labels.delete(label);
      return;
    }
    const target = secret.versions.get(to);
    if (!target) throw notFound(`Secrets Manager can't find the version ${to}.`);
    if (holder === target) return;
    if (holder && from === undefined) {
      throw invalidParameter(
        `The staging label ${label} is currently attached to version ${holder.versionId}, so you must explicitly reference that version in RemoveFromVersionId.`,
      );
    }
    this.#attach(secret, target, label);
    secret.changedAt = new Date();
  }

  #attach(secret: Secret, version: Version, label: string): void {
    const before = this.holder(secret, label);
    if (before === version) return;
    if (version.labels.size >= MOST_LABELS)
      throw new AwsError("LimitExceededException", "A version has at most 20 labels.");
    before?.labels.delete(label);
    version.labels.add(label);
    if (label === CURRENT && before) {
      // AWSPREVIOUS follows by itself, and never sits on the version that is current.
      this.holder(secret, PREVIOUS)?.labels.delete(PREVIOUS);
      before.labels.add(PREVIOUS);
    }
  }
}
