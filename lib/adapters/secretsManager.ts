/** Secrets Manager as the engine's SecretStore. Values pass through as SecretText; labels and ids as they are. */
import {
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  type SecretListEntry,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { type ErrorCode, RekeyError } from "../errors.ts";
import type { SecretFacts, SecretStore } from "../rotation/secretStore.ts";
import { SecretText, type StagingLabel } from "../secret.ts";
import { awsError, bucket, CLIENT_OPTIONS, isSdkError } from "./awsCalls.ts";
import type { CallLedger } from "./callLedger.ts";

/** Put, UpdateSecretVersionStage and replication share 50 a second, with a burst of as many. */
const WRITES = [48, 49] as const;
const LISTS = [40, 20] as const;

const READ_CODES: Readonly<Record<string, ErrorCode>> = {
  AccessDeniedException: "SECRET_UNREADABLE",
  ResourceNotFoundException: "SECRET_UNREADABLE",
  DecryptionFailure: "SECRET_UNREADABLE",
};

/** @param ledger writes down who reads; without it nobody can tell our reads from those with stolen credentials */
export function secretsManagerStore(
  ledger?: CallLedger,
  client = new SecretsManagerClient(CLIENT_OPTIONS),
): SecretStore {
  if (ledger) markCalls(client, ledger);
  const writing = bucket(...WRITES);
  const listing = bucket(...LISTS);

  const describe = (secret: string) =>
    client.send(new DescribeSecretCommand({ SecretId: secret })).then(fromDescription, (error: unknown) => {
      throw awsError(error, `describe the secret ${secret}`, READ_CODES);
    });

  /** A secret that we may not describe we may not rotate either. */
  const describeListed = (entry: SecretListEntry) =>
    describe(entry.ARN ?? "").catch((error: RekeyError) => {
      if (error.code === "SECRET_UNREADABLE") return fromListing(entry);
      throw error;
    });

  return {
    async list() {
      const entries: SecretListEntry[] = [];
      let token: string | undefined;
      do {
        const request = {
          MaxResults: 100,
          IncludePlannedDeletion: true,
          ...(token ? { NextToken: token } : {}),
        };
        const page = await listing(() => client.send(new ListSecretsCommand(request))).catch(
          (error: unknown) => {
            throw awsError(error, "list the secrets");
          },
        );
        entries.push(...(page.SecretList ?? []));
        token = page.NextToken;
      } while (token);
      // A listing in which nothing has a tag may be one that leaves tags out; then each secret is asked.
      const isTagless = entries.every(({ Tags }) => (Tags ?? []).length === 0);
      return isTagless ? Promise.all(entries.map(describeListed)) : entries.map(fromListing);
    },

    describe,

    async read(secret, version) {
      const which =
        "versionId" in version ? { VersionId: version.versionId } : { VersionStage: version.label as string };
      await ledger?.open();
      const got = await client
        .send(new GetSecretValueCommand({ SecretId: secret, ...which }))
        .catch((error: unknown) => {
          const deleted = isSdkError(error, "InvalidRequestException") && /delet/i.test(error.message);
          throw awsError(error, `read the secret ${secret}`, {
            ...READ_CODES,
            InvalidRequestException: deleted ? "SECRET_DELETED" : "SECRET_UNREADABLE",
          });
        });
      if (got.SecretString === undefined || got.VersionId === undefined) {
        throw new RekeyError("SECRET_MALFORMED", `${secret}: holds binary data; Rekey rotates text`);
      }
      return {
        versionId: got.VersionId,
        text: new SecretText(got.SecretString),
        ...(got.CreatedDate ? { createdAt: got.CreatedDate } : {}),
      };
    },

    async stage(arn, versionId, text, { rotationToken } = {}) {
      const request = {
        SecretId: arn,
        ClientRequestToken: versionId,
        SecretString: text.reveal(),
        VersionStages: ["AWSPENDING"],
        ...(rotationToken ? { RotationToken: rotationToken.reveal() } : {}),
      };
      await writing(() => client.send(new PutSecretValueCommand(request))).catch((error: unknown) => {
        if (isSdkError(error, "ResourceExistsException")) return;
        throw awsError(error, `stage version ${versionId} of ${arn}`);
      });
    },

    async moveCurrent(arn, from, to) {
      const request = {
        SecretId: arn,
        VersionStage: "AWSCURRENT" satisfies StagingLabel,
        RemoveFromVersionId: from,
        MoveToVersionId: to,
      };
      await writing(() => client.send(new UpdateSecretVersionStageCommand(request))).catch(
        (error: unknown) => {
          throw awsError(error, `move AWSCURRENT of ${arn} from ${from} to ${to}`, {
            InvalidParameterException: "LABEL_MOVED",
          });
        },
      );
    },

    async dropPending(arn, versionId) {
      const request = { SecretId: arn, VersionStage: "AWSPENDING", RemoveFromVersionId: versionId };
      await writing(() => client.send(new UpdateSecretVersionStageCommand(request))).catch(
        async (error: unknown) => {
          // Perhaps somebody was here before; whether the label is gone, the secret itself says.
          const { versions } = await describe(arn);
          const isThere = versions.some(
            (one) => one.versionId === versionId && one.labels.includes("AWSPENDING"),
          );
          if (isThere) throw awsError(error, `take AWSPENDING off version ${versionId} of ${arn}`);
        },
      );
    },
  };
}

/** Behind the SDK's own user agent; attempts of one call carry one mark, because one of them may have been answered in vain. */
function markCalls(client: SecretsManagerClient, ledger: CallLedger): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as { readonly headers: Record<string, string> };
      request.headers["user-agent"] = `${request.headers["user-agent"] ?? ""} ${ledger.mark()}`.trim();
      return next(args);
    },
    { name: "markCalls", step: "build", priority: "low" },
  );
}

function fromDescription(described: DescribeSecretCommandOutput): SecretFacts {
  return facts(described, described.VersionIdsToStages ?? {});
}

function fromListing(entry: SecretListEntry): SecretFacts {
  return facts(entry, entry.SecretVersionsToStages ?? {});
}

function facts(
  secret: SecretListEntry | DescribeSecretCommandOutput,
  stages: Readonly<Record<string, readonly string[]>>,
): SecretFacts {
  return {
    arn: secret.ARN ?? "",
    name: secret.Name ?? "",
    tags: new Map((secret.Tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""])),
    rotationEnabled: secret.RotationEnabled ?? false,
    ...(secret.RotationLambdaARN ? { rotationFunctionArn: secret.RotationLambdaARN } : {}),
    ...(secret.KmsKeyId ? { keyId: secret.KmsKeyId } : {}),
    ...(secret.OwningService ? { owningService: secret.OwningService } : {}),
    ...(secret.DeletedDate ? { deletedAt: secret.DeletedDate } : {}),
    ...(secret.LastRotatedDate ? { lastRotatedAt: secret.LastRotatedDate } : {}),
    ...(secret.LastChangedDate ? { changedAt: secret.LastChangedDate } : {}),
    versions: Object.entries(stages).map(([versionId, labels]) => ({ versionId, labels })),
  };
}
