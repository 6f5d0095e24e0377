/**
 * Writes records as CloudTrail does: a value's read has its KMS half in the same second, a refused call names its target
 * in the sentence of its error alone, and what a service does by itself has nobody's identity.
 */
import type { Caller } from "./callers.ts";
import type { Random } from "./random.ts";
import { currentVersion, type Secret, type Tenant } from "./tenant.ts";

export interface TimedRecord {
  readonly atMs: number;
  readonly record: Readonly<Record<string, unknown>>;
}

export interface Call {
  readonly action: string;
  /** The service's name, if it is not Secrets Manager. */
  readonly service?: string;
  readonly region?: string;
  readonly request?: object | null;
  readonly response?: object | null;
  readonly error?: { readonly code: string; readonly message: string };
  readonly more?: object;
}

export interface Asked {
  readonly versionId?: string;
  readonly label?: string;
  /** What was given, where it does not follow from the time. */
  readonly given?: string;
  readonly region?: string;
  /** By its name, if not by its ARN. */
  readonly isByName?: boolean;
}

const READING = /^(Get|List|Describe|BatchGet|Decrypt|Validate|GenerateDataKey)/;
const SERVICE = "secretsmanager.amazonaws.com";

export class Scribe {
  readonly records: TimedRecord[] = [];
  readonly #tenant: Tenant;
  readonly #random: Random;

  constructor(tenant: Tenant, random: Random) {
    this.#tenant = tenant;
    this.#random = random.branch("records");
  }

  call(caller: Caller, atMs: number, call: Call): void {
    const { service = "secretsmanager", region = this.#tenant.home } = call;
    this.#write(atMs, {
      userIdentity: caller.identity,
      eventSource: `${service}.amazonaws.com`,
      eventName: call.action,
      awsRegion: region,
      ...caller.from,
      userAgent: caller.userAgent,
      ...(call.error ? { errorCode: call.error.code, errorMessage: call.error.message } : {}),
      requestParameters: call.request ?? null,
      responseElements: call.response ?? null,
      readOnly: READING.test(call.action),
      eventType: "AwsApiCall",
      tlsDetails: {
        tlsVersion: "TLSv1.3",
        cipherSuite: "TLS_AES_128_GCM_SHA256",
        clientProvidedHostHeader: `${service}.${region}.amazonaws.com`,
      },
      ...(caller.isFromConsole ? { sessionCredentialFromConsole: "true" } : {}),
      ...call.more,
    });
  }

  /** GetSecretValue, answered, with its Decrypt. */
  read(caller: Caller, atMs: number, secret: Secret, asked: Asked = {}): void {
    const { versionId, label, isByName, region = secret.region } = asked;
    const request = {
      secretId: isByName ? secret.name : secret.arn,
      ...(versionId === undefined ? {} : { versionId }),
      ...(label === undefined ? {} : { versionStage: label }),
    };
    this.call(caller, atMs, { action: "GetSecretValue", request, region });
    this.decrypted(caller, atMs, secret, asked.given ?? versionId ?? currentVersion(secret, atMs).id, region);
  }

  decrypted(caller: Caller, atMs: number, secret: Secret, version: string, region = secret.region): void {
    this.#ofKms("Decrypt", caller, atMs, secret, version, region);
  }

  /** @param asked `requestParameters` of the batch */
  batch(
    caller: Caller,
    atMs: number,
    secrets: readonly Secret[],
    asked: object,
    region = this.#tenant.home,
  ): void {
    this.call(caller, atMs, { action: "BatchGetSecretValue", request: asked, region });
    for (const secret of secrets) {
      if (this.#tenant.batchesHaveChildren)
        this.call(caller, atMs, { action: "GetSecretValue", request: { secretId: secret.arn }, region });
      this.decrypted(caller, atMs, secret, currentVersion(secret, atMs).id, region);
    }
  }

  refused(caller: Caller, atMs: number, secret: Secret, action = "GetSecretValue"): void {
    const call = `secretsmanager:${action}`;
    const message = `User: ${String(caller.identity["arn"])} is not authorized to perform: ${call} on resource: ${secret.arn} because no identity-based policy allows the ${call} action`;
    this.call(caller, atMs, { action, error: { code: "AccessDenied", message } });
  }

  list(caller: Caller, atMs: number, region = this.#tenant.home): void {
    const request = { maxResults: 100, includePlannedDeletion: false };
    this.call(caller, atMs, { action: "ListSecrets", request, region });
  }

  /** DescribeSecret, GetResourcePolicy and others that ask for nothing but a secret. */
  about(caller: Caller, atMs: number, action: string, secret: Secret): void {
    this.call(caller, atMs, { action, request: { secretId: secret.arn }, region: secret.region });
  }

  /** PutSecretValue, and the data key that a new version takes. */
  put(caller: Caller, atMs: number, secret: Secret, version: string, label = "AWSCURRENT"): void {
    const request = { secretId: secret.arn, clientRequestToken: version, versionStages: [label] };
    this.call(caller, atMs, { action: "PutSecretValue", request, response: { arn: secret.arn } });
    this.#ofKms("GenerateDataKey", caller, atMs, secret, version, secret.region);
  }

  moveLabel(
    caller: Caller,
    atMs: number,
    secret: Secret,
    move: { readonly to: string; readonly from: string },
  ): void {
    const request = {
      secretId: secret.arn,
      versionStage: "AWSCURRENT",
      moveToVersionId: move.to,
      removeFromVersionId: move.from,
    };
    this.call(caller, atMs, { action: "UpdateSecretVersionStage", request, response: { arn: secret.arn } });
  }

  /** RotationStarted, RotationSucceeded and the like: Secrets Manager tells them of itself. */
  told(atMs: number, action: string, secret: Secret, version: string): void {
    this.#write(atMs, {
      userIdentity: { accountId: this.#tenant.account, invokedBy: SERVICE },
      eventSource: SERVICE,
      eventName: action,
      awsRegion: secret.region,
      sourceIPAddress: SERVICE,
      userAgent: SERVICE,
      requestParameters: null,
      responseElements: null,
      additionalEventData: { SecretId: secret.arn },
      requestID: `Rotation-${secret.arn}-${version}`,
      readOnly: false,
      eventType: "AwsServiceEvent",
    });
  }

  #ofKms(
    action: string,
    caller: Caller,
    atMs: number,
    secret: Secret,
    version: string,
    region: string,
  ): void {
    // Another key than the caller's, and a session's even where that was a user's.
    const { accessKeyId } = caller.identity;
    const other =
      typeof accessKeyId === "string" ? { accessKeyId: `ASIA${reversed(accessKeyId.slice(4))}` } : {};
    const encryptionContext = { SecretARN: secret.arn, SecretVersionId: version };
    this.#write(atMs, {
      userIdentity: { ...caller.identity, ...other, invokedBy: SERVICE },
      eventSource: "kms.amazonaws.com",
      eventName: action,
      awsRegion: region,
      sourceIPAddress: SERVICE,
      userAgent: SERVICE,
      requestParameters: { encryptionContext, encryptionAlgorithm: "SYMMETRIC_DEFAULT" },
      responseElements: null,
      readOnly: true,
      resources: [{ accountId: this.#tenant.account, type: "AWS::KMS::Key", ARN: secret.kmsKey }],
      eventType: "AwsApiCall",
      vpcEndpointId: "vpce-0a1b2c3d4e5f60718",
    });
  }

  #write(atMs: number, fields: Readonly<Record<string, unknown>>): void {
    const record = {
      eventVersion: "1.11",
      // To the second, as CloudTrail tells it.
      eventTime: `${new Date(atMs).toISOString().slice(0, 19)}Z`,
      requestID: this.#random.uuid(),
      eventID: this.#random.uuid(),
      managementEvent: true,
      recipientAccountId: this.#tenant.account,
      eventCategory: "Management",
      ...fields,
    };
    this.records.push({ atMs, record });
  }
}

const reversed = (text: string) => [...text].toReversed().join("");
