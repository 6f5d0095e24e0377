/** Secrets Manager's operations over the model, shaped as the SDK reads them. */
import { randomUUID } from "node:crypto";
import type { Secret, SecretsModel, Version } from "./secretsModel.ts";
import { describeRotation, type Rotations } from "./secretsRotation.ts";
import { AwsError, type AwsService, type Operation } from "./service.ts";

const seconds = (date: Date) => date.getTime() / 1000;
const stagesOf = (secret: Secret) =>
  Object.fromEntries(
    [...secret.versions.values()]
      .filter(({ labels }) => labels.size > 0)
      .map(({ versionId, labels }) => [versionId, [...labels]]),
  );

function describe(secret: Secret) {
  return {
    ARN: secret.arn,
    Name: secret.name,
    Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })),
    CreatedDate: seconds(secret.createdAt),
    LastChangedDate: seconds(secret.changedAt),
    ...describeRotation(secret),
    ...(secret.owningService ? { OwningService: secret.owningService } : {}),
    ...(secret.deletedAt ? { DeletedDate: seconds(secret.deletedAt) } : {}),
  };
}

const valueAnswer = (secret: Secret, version: Version) => ({
  ARN: secret.arn,
  Name: secret.name,
  VersionId: version.versionId,
  SecretString: version.text,
  VersionStages: [...version.labels],
  CreatedDate: seconds(version.createdAt),
});

const tagsFrom = (tags: { Key: string; Value: string }[] | undefined) =>
  Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key, Value]));

const PAGE_MOST = 100;

function page<T>(items: readonly T[], token: string | undefined, most: number | undefined) {
  const start = token === undefined ? 0 : Number(Buffer.from(token, "base64").toString());
  const size = Math.min(most ?? PAGE_MOST, PAGE_MOST);
  const end = start + size;
  return {
    items: items.slice(start, end),
    ...(end < items.length ? { NextToken: Buffer.from(String(end)).toString("base64") } : {}),
  };
}

export function secretsManagerService(model: SecretsModel, rotations: Rotations): AwsService {
  const found = (operation: string, id: string | undefined): Secret => {
    const secret = model.find(id);
    const fault = secret.faults.get(operation);
    if (fault) throw fault;
    return secret;
  };

  const operations: Record<string, Operation> = {
    CreateSecret({ Name, SecretString, ClientRequestToken, Tags }) {
      const token = ClientRequestToken ? { token: ClientRequestToken } : {};
      const secret = model.create(Name, SecretString, { tags: tagsFrom(Tags), ...token });
      return { ARN: secret.arn, Name, VersionId: model.holder(secret, "AWSCURRENT")?.versionId };
    },
    PutSecretValue({
      SecretId,
      SecretString,
      ClientRequestToken = randomUUID(),
      VersionStages,
      RotationToken,
    }) {
      const secret = model.usable(found("PutSecretValue", SecretId));
      if (
        typeof SecretString !== "string" ||
        SecretString === "" ||
        Buffer.byteLength(SecretString) > 65_536
      ) {
        throw new AwsError("InvalidParameterException", "SecretString must have 1 to 65536 bytes.");
      }
      rotations.checkToken(secret, RotationToken);
      const version = model.put(secret, SecretString, ClientRequestToken, VersionStages);
      rotations.noteWrite(secret, version.versionId);
      return {
        ARN: secret.arn,
        Name: secret.name,
        VersionId: version.versionId,
        VersionStages: [...version.labels],
      };
    },
    GetSecretValue({ SecretId, VersionId, VersionStage }) {
      const secret = found("GetSecretValue", SecretId);
      return valueAnswer(secret, model.read(secret, VersionId, VersionStage));
    },
    DescribeSecret({ SecretId }) {
      const secret = found("DescribeSecret", SecretId);
      return { ...describe(secret), VersionIdsToStages: stagesOf(secret) };
    },
    ListSecrets({ MaxResults, NextToken, IncludePlannedDeletion, Filters = [] }) {
      const matches = (secret: Secret) =>
        Filters.every(({ Key, Values }: { Key: string; Values: string[] }) => {
          const texts = {
            name: [secret.name],
            "tag-key": [...secret.tags.keys()],
            "tag-value": [...secret.tags.values()],
          }[Key];
          if (!texts) throw new AwsError("InvalidParameterException", `filter ${Key} is not served`);
          return Values.some((value) => texts.some((text) => text.startsWith(value)));
        });
      const all = [...model.secrets.values()].filter(
        (one) => (IncludePlannedDeletion || !one.deletedAt) && matches(one),
      );
      const { items, ...next } = page(all, NextToken, MaxResults);
      return {
        SecretList: items.map((one) => ({ ...describe(one), SecretVersionsToStages: stagesOf(one) })),
        ...next,
      };
    },
    ListSecretVersionIds({ SecretId, IncludeDeprecated, MaxResults, NextToken }) {
      const secret = found("ListSecretVersionIds", SecretId);
      const listed = [...secret.versions.values()].filter(
        ({ labels }) => IncludeDeprecated || labels.size > 0,
      );
      const { items, ...next } = page(listed, NextToken, MaxResults);
      const Versions = items.map(({ versionId, labels, createdAt }) => ({
        VersionId: versionId,
        VersionStages: [...labels],
        CreatedDate: seconds(createdAt),
      }));
      return { ARN: secret.arn, Name: secret.name, Versions, ...next };
    },
    UpdateSecretVersionStage({ SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId }) {
      const secret = found("UpdateSecretVersionStage", SecretId);
      model.moveLabel(secret, VersionStage, RemoveFromVersionId, MoveToVersionId);
      return { ARN: secret.arn, Name: secret.name };
    },
    RotateSecret(input) {
      return rotations.rotate(model.usable(found("RotateSecret", input.SecretId)), input);
    },
    CancelRotateSecret({ SecretId }) {
      return rotations.cancel(model.usable(found("CancelRotateSecret", SecretId)));
    },
    GetResourcePolicy({ SecretId }) {
      const { arn, name, resourcePolicy } = found("GetResourcePolicy", SecretId);
      return { ARN: arn, Name: name, ...(resourcePolicy ? { ResourcePolicy: resourcePolicy } : {}) };
    },
    TagResource({ SecretId, Tags }) {
      const secret = model.usable(found("TagResource", SecretId));
      secret.tags = new Map([...secret.tags, ...Object.entries(tagsFrom(Tags))]);
    },
    UntagResource({ SecretId, TagKeys }) {
      const secret = model.usable(found("UntagResource", SecretId));
      for (const key of TagKeys) secret.tags.delete(key);
    },
    DeleteSecret({ SecretId, RecoveryWindowInDays = 30 }) {
      const secret = found("DeleteSecret", SecretId);
      secret.deletedAt = new Date(Date.now() + RecoveryWindowInDays * 86_400_000);
      return { ARN: secret.arn, Name: secret.name, DeletionDate: seconds(secret.deletedAt) };
    },
    RestoreSecret({ SecretId }) {
      const secret = found("RestoreSecret", SecretId);
      delete secret.deletedAt;
      return { ARN: secret.arn, Name: secret.name };
    },
  };

  return {
    targetPrefix: "secretsmanager",
    eventSource: "secretsmanager.amazonaws.com",
    operations,
    limits: [
      { operations: ["PutSecretValue", "UpdateSecretVersionStage"], burst: 50, perSecond: 50 },
      {
        operations: ["CreateSecret", "DeleteSecret", "RestoreSecret", "TagResource", "UntagResource"],
        burst: 50,
        perSecond: 50,
      },
      { operations: ["RotateSecret", "CancelRotateSecret"], burst: 50, perSecond: 50 },
      { operations: ["ListSecrets", "ListSecretVersionIds"], burst: 50, perSecond: 50 },
      { operations: ["GetSecretValue"], burst: 10_000, perSecond: 10_000 },
      { operations: ["DescribeSecret"], burst: 10_000, perSecond: 10_000 },
      { operations: ["GetResourcePolicy"], burst: 50, perSecond: 50 },
    ],
  };
}
