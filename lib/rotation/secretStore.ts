/**
 * What the engine needs of Secrets Manager. Labels are the truth about where a rotation stands; this room knows their
 * rules, the adapter knows the SDK.
 */
import type { SecretText, StagingLabel } from "../secret.ts";

export interface VersionFacts {
  readonly versionId: string;
  readonly labels: readonly (StagingLabel | string)[];
  readonly createdAt?: Date;
}

export interface SecretFacts {
  readonly arn: string;
  readonly name: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly rotationEnabled: boolean;
  /** The function that Secrets Manager's own rotation asks; stays when that rotation is turned off. */
  readonly rotationFunctionArn?: string;
  /** Of the key that encrypts it; undefined where it is the account's default key. */
  readonly keyId?: string;
  /** Set when another AWS service owns the secret (RDS, Redshift ...). */
  readonly owningService?: string;
  readonly deletedAt?: Date;
  readonly lastRotatedAt?: Date;
  /** Of anything: a value, a label, a tag. */
  readonly changedAt?: Date;
  /** Versions that carry a label. */
  readonly versions: readonly VersionFacts[];
}

export interface StageOptions {
  /** What Secrets Manager hands to a rotation function that writes under another identity, and wants back with the value. */
  readonly rotationToken?: SecretText;
}

export interface SecretStore {
  /** Every secret of the account and Region, managed or not, also those scheduled for deletion. */
  list(): Promise<readonly SecretFacts[]>;
  /** Read afresh. @throws RekeyError SECRET_UNREADABLE when it does not exist or may not be described. */
  describe(secret: string): Promise<SecretFacts>;
  /**
   * @param version a version id, or a label
   * @throws RekeyError SECRET_UNREADABLE (denied, KMS, no such version), SECRET_DELETED
   */
  read(
    secret: string,
    version: { readonly versionId: string } | { readonly label: StagingLabel },
  ): Promise<{ readonly versionId: string; readonly text: SecretText; readonly createdAt?: Date }>;
  /** Writes the value as AWSPENDING under this version id. The first value written under an id is the one that counts; a later one changes nothing. */
  stage(arn: string, versionId: string, text: SecretText, options?: StageOptions): Promise<void>;
  /** Moves AWSCURRENT from one version to another in one compare-and-set write. @throws RekeyError LABEL_MOVED if it does not sit on `from` any more. */
  moveCurrent(arn: string, from: string, to: string): Promise<void>;
  /** Takes AWSPENDING off this version. Safe to repeat. */
  dropPending(arn: string, versionId: string): Promise<void>;
}

export function holderOf(facts: SecretFacts, label: StagingLabel): VersionFacts | undefined {
  return facts.versions.find((version) => version.labels.includes(label));
}

/**
 * Since when tasks that start get this value. Labels carry no time: what we promoted ourselves we know; a value that was put
 * is current from its creation, or from the end of the rotation by which somebody else promoted it. A label that was moved
 * back by hand was moved no later than the secret's last change, which errs toward one redeploy too many.
 *
 * @param ours what Rekey promoted last, and when
 */
export function currentSince(
  { changedAt, lastRotatedAt }: Pick<SecretFacts, "changedAt" | "lastRotatedAt">,
  { versionId, createdAt }: Pick<VersionFacts, "versionId" | "createdAt">,
  ours: { readonly versionId: string; readonly since: string } | undefined,
): Date | undefined {
  if (ours?.versionId === versionId) return new Date(ours.since);
  if (createdAt === undefined) return undefined;
  if (ours !== undefined && createdAt < new Date(ours.since)) return changedAt;
  return lastRotatedAt && lastRotatedAt > createdAt ? lastRotatedAt : createdAt;
}
