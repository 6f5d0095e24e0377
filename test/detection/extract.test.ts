import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { extract } from "../../lib/detection/extract.ts";
import type { SecretEvent } from "../../lib/detection/secretEvent.ts";
import { ACCOUNT, ARN, decrypt, KEY, REGION, ROLE, record, VERSION } from "./records.ts";

function eventOf(changes: Readonly<Record<string, unknown>>, from = record): SecretEvent {
  const extracted = extract(from(changes));
  if (!("event" in extracted)) throw new Error(JSON.stringify(extracted));
  return extracted.event;
}

const denied = (errorMessage: string) => ({
  errorCode: "AccessDenied",
  errorMessage,
  requestParameters: null,
});

describe("the secret is found", () => {
  const PARTIAL = ARN.slice(0, -7);
  const USER = `User: arn:aws:sts::${ACCOUNT}:assumed-role/shop-task/1 is not authorized to perform:`;
  test.each<[string, Record<string, unknown>]>([
    ["in a name that was asked for", { requestParameters: { secretId: "shop/database" } }],
    ["in a partial ARN", { requestParameters: { secretId: PARTIAL } }],
    ["in a full ARN", { requestParameters: { secretId: ARN } }],
    ["in the name of a new one", { eventName: "CreateSecret", requestParameters: { name: "shop/database" } }],
    [
      "in the answer's arn",
      { eventName: "PutSecretValue", requestParameters: null, responseElements: { arn: ARN } },
    ],
    [
      "in the answer's aRN, as it was spelled once",
      { eventName: "DeleteSecret", responseElements: { aRN: ARN } },
    ],
    [
      "in the end of a version",
      {
        eventName: "EndSecretVersionDelete",
        requestParameters: null,
        additionalEventData: { ARN, Name: "shop/database" },
      },
    ],
    [
      "in its name alone, where a version's end has no ARN",
      { requestParameters: null, additionalEventData: { Name: "shop/database" } },
    ],
    [
      "in a rotation's own event",
      { eventName: "RotationSucceeded", requestParameters: null, additionalEventData: { SecretId: ARN } },
    ],
    [
      "in the details of a service's event",
      { eventName: "RotationStarted", requestParameters: null, serviceEventDetails: { secretId: ARN } },
    ],
    [
      "in a rotation's request id",
      { eventName: "RotationSucceeded", requestParameters: null, requestID: `Rotation-${ARN}-${VERSION}` },
    ],
    ["among the resources", { requestParameters: null, resources: [{ ARN: "arn:aws:kms:x" }, { ARN }] }],
    [
      "in the sentence of a denied read",
      denied(
        `${USER} secretsmanager:GetSecretValue on resource: ${ARN} because no identity-based policy allows the secretsmanager:GetSecretValue action`,
      ),
    ],
    [
      "in the sentence of a read by name",
      denied(
        `${USER} secretsmanager:GetSecretValue on resource: shop/database because no identity-based policy allows it`,
      ),
    ],
    ["in an older sentence", denied(`${USER} secretsmanager:GetSecretValue on resource: ${ARN}`)],
    [
      "in a sentence of an explicit denial",
      denied(
        `${USER} secretsmanager:GetSecretValue on resource: ${ARN} with an explicit deny in a resource-based policy`,
      ),
    ],
    ["in a sentence of another form", denied(`Access to ${ARN} is not allowed`)],
  ])("%s", (_where, changes) => {
    expect(eventOf(changes).secrets.map(({ key }) => key)).toEqual([KEY]);
  });

  test("in what KMS decrypts for it", () => {
    expect(eventOf({}, decrypt).secrets).toEqual([{ key: KEY, name: "shop/database", arn: ARN }]);
  });

  test("in every line of a batch, once each", () => {
    const secretIdList = ["shop/database", ARN, "shop/cache"];
    const { secrets } = eventOf({ eventName: "BatchGetSecretValue", requestParameters: { secretIdList } });
    expect(secrets.map(({ name }) => name)).toEqual(["shop/database", "shop/cache"]);
  });

  test("by its full ARN where one place has that and another a name", () => {
    const { secrets } = eventOf({
      requestParameters: { secretId: "shop/database" },
      responseElements: { arn: ARN },
    });
    expect(secrets).toEqual([{ key: KEY, name: "shop/database", arn: ARN }]);
  });

  test("with a last word of six letters that is no suffix", () => {
    const secretId = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:my-secret`;
    expect(eventOf({ requestParameters: { secretId } }).secrets).toEqual([
      { key: `${ACCOUNT}/${REGION}/my-secret`, name: "my-secret" },
    ]);
  });

  test("in the account and the Region that its ARN names, whoever keeps the trail", () => {
    const secretId = "arn:aws-us-gov:secretsmanager:us-gov-west-1:999999999999:secret:shop/key-Zz9Zz9";
    expect(eventOf({ requestParameters: { secretId } }).secrets[0]?.key).toBe(
      "999999999999/us-gov-west-1/shop/key",
    );
  });
});

test.each<[string, Record<string, unknown>]>([
  [
    "a filter of a batch",
    { eventName: "BatchGetSecretValue", requestParameters: { filters: [{ key: "name", values: ["!x"] }] } },
  ],
  [
    "a denied listing",
    {
      eventName: "ListSecrets",
      ...denied("not authorized to perform: secretsmanager:ListSecrets on resource: * because no policy"),
    },
  ],
  [
    "a name that belongs to another service's call",
    { eventSource: "iam.amazonaws.com", eventName: "PutRolePolicy", requestParameters: { name: "x" } },
  ],
])("%s names no secret", (_what, changes) => {
  expect(eventOf(changes).secrets).toEqual([]);
});

describe("which version was read", () => {
  test.each([
    ["a default read does not tell", { secretId: "a" }, { label: "AWSCURRENT", known: "unknown" }],
    [
      "a label does not tell",
      { secretId: "a", versionStage: "AWSPREVIOUS" },
      { label: "AWSPREVIOUS", known: "unknown" },
    ],
    [
      "a version that was asked for is proven",
      { secretId: "a", versionId: VERSION },
      { id: VERSION, known: "proven" },
    ],
    [
      "both are kept",
      { secretId: "a", versionId: VERSION, versionStage: "mine" },
      { id: VERSION, label: "mine", known: "proven" },
    ],
  ])("%s", (_what, requestParameters, expected) => {
    expect(eventOf({ requestParameters }).version).toEqual(expected);
  });

  test("KMS proves it", () => {
    expect(eventOf({}, decrypt).version).toEqual({ id: VERSION, known: "proven" });
  });

  test("a write has none", () => {
    expect(eventOf({ eventName: "PutSecretValue" }).version).toBeUndefined();
  });
});

describe("what is none of our business", () => {
  test.each<[string, Record<string, unknown>]>([
    ["another service's read", record({ eventSource: "s3.amazonaws.com", eventName: "GetObject" })],
    [
      "a decryption of something else",
      record({
        eventSource: "kms.amazonaws.com",
        eventName: "Decrypt",
        requestParameters: { encryptionContext: { "aws:s3:arn": "x" } },
      }),
    ],
    [
      "KMS's check of a secret's key",
      decrypt({
        requestParameters: {
          encryptionContext: { SecretARN: ARN, SecretVersionId: "RequestToValidateKeyAccess" },
        },
      }),
    ],
    [
      "a harmless call of a service that guards",
      record({ eventSource: "cloudtrail.amazonaws.com", eventName: "DescribeTrails" }),
    ],
    ["a service that has a name of the language", record({ eventSource: "constructor" })],
  ])("%s", (_what, one) => {
    expect(extract(one)).toEqual({ ignored: true });
  });

  test("but not what blinds the trail, a key's policy, a function's code or a role's rights", () => {
    for (const [eventSource, eventName] of [
      ["cloudtrail.amazonaws.com", "StopLogging"],
      ["kms.amazonaws.com", "PutKeyPolicy"],
      ["lambda.amazonaws.com", "UpdateFunctionCode20150331v2"],
      ["iam.amazonaws.com", "AttachRolePolicy"],
      ["events.amazonaws.com", "DisableRule"],
    ])
      expect(eventOf({ eventSource, eventName }).action).toBe(eventName);
  });
});

describe("who", () => {
  const who = (userIdentity: unknown) => eventOf({ userIdentity }).principal;

  test("a role is one principal, whatever its session is called", () => {
    expect(who(ROLE)).toEqual({
      key: `arn:aws:iam::${ACCOUNT}:role/service/shop-task`,
      kind: "role",
      account: ACCOUNT,
      session: "7e2b9c",
      accessKeyId: "ASIAEXAMPLE",
      isPerson: false,
    });
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      "a session whose issuer the record leaves out",
      { type: "AssumedRole", arn: `arn:aws:sts::${ACCOUNT}:assumed-role/shop-task/x@y` },
      { key: `arn:aws:iam::${ACCOUNT}:role/shop-task`, kind: "role", session: "x@y", account: ACCOUNT },
    ],
    [
      "a user",
      { type: "IAMUser", arn: `arn:aws:iam::${ACCOUNT}:user/ann`, accountId: ACCOUNT },
      { key: `arn:aws:iam::${ACCOUNT}:user/ann`, kind: "user", isPerson: false },
    ],
    [
      "root",
      { type: "Root", arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT },
      { key: `arn:aws:iam::${ACCOUNT}:root`, kind: "root" },
    ],
    [
      "a service",
      { type: "AWSService", invokedBy: "kafka.amazonaws.com" },
      { key: "kafka.amazonaws.com", kind: "service" },
    ],
    [
      "an account",
      { type: "AWSAccount", principalId: "AIDAX", accountId: "999999999999" },
      { key: "AIDAX", kind: "account", account: "999999999999" },
    ],
    [
      "a person of the identity centre",
      { type: "IdentityCenterUser", accountId: ACCOUNT, onBehalfOf: { userId: "u-1" } },
      { key: "identity-center/u-1", isPerson: true },
    ],
    [
      "a person by single sign-on",
      {
        type: "AssumedRole",
        sessionContext: {
          sessionIssuer: {
            arn: `arn:aws:iam::${ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1`,
          },
        },
      },
      { isPerson: true, kind: "role" },
    ],
    ["a person at the console", { ...ROLE, sessionCredentialFromConsole: "true" }, { isPerson: true }],
    [
      "a call in somebody's name",
      { ...ROLE, invokedBy: "secretsmanager.amazonaws.com" },
      { invokedBy: "secretsmanager.amazonaws.com", kind: "role" },
    ],
    ["a kind that is not known yet", { type: "Somebody", principalId: "X" }, { key: "X", kind: "unknown" }],
  ])("%s", (_who, identity, expected) => {
    expect(who(identity)).toMatchObject(expected);
  });

  test("nobody, when a service does it by itself", () => {
    expect(who({ accountId: ACCOUNT, invokedBy: "secretsmanager.amazonaws.com" })).toBeUndefined();
    expect(who(null)).toBeUndefined();
  });
});

describe("from where and with what", () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      "the subnet of a private address",
      { sourceIPAddress: "10.0.3.17" },
      { kind: "private", key: "10.0.3.0/24" },
    ],
    [
      "the subnet of a carrier's private address",
      { sourceIPAddress: "100.64.1.2" },
      { kind: "private", key: "100.64.1.0/24" },
    ],
    [
      "the neighbourhood of a public address",
      { sourceIPAddress: "203.0.113.9" },
      { kind: "public", key: "203.0.113.0/24", address: "203.0.113.9" },
    ],
    ["172.32 is public", { sourceIPAddress: "172.32.0.1" }, { kind: "public", key: "172.32.0.0/24" }],
    ["a /48 of IPv6", { sourceIPAddress: "2001:db8:1:2::7" }, { kind: "public", key: "2001:db8:1::/48" }],
    ["a short IPv6 address", { sourceIPAddress: "2001:db8::7" }, { kind: "public", key: "2001:db8:0::/48" }],
    ["an endpoint", { vpcEndpointId: "vpce-1" }, { kind: "endpoint", key: "vpce-1", address: "10.0.3.17" }],
    [
      "a service that calls in somebody's name, whose endpoint is not theirs",
      { sourceIPAddress: "secretsmanager.amazonaws.com", vpcEndpointId: "vpce-1" },
      { kind: "service", key: "secretsmanager.amazonaws.com" },
    ],
    ["nowhere", { sourceIPAddress: "not an address" }, { kind: "unknown", key: "not an address" }],
  ])("%s", (_where, changes, expected) => {
    expect(eventOf(changes).network).toMatchObject(expected);
  });

  test.each([
    ["aws-cli/2.15.0 Python/3.11 exec-env/CloudShell", "cloudshell"],
    ["aws-cli/2.15.0 Python/3.11 Linux/6.1", "cli"],
    ["APN/1.0 HashiCorp/1.0 Terraform/1.9.0 aws-sdk-go-v2/1.30", "terraform"],
    ["Boto3/1.34.0 Botocore/1.34.0 exec-env/AWS_Lambda_python3.12", "lambda"],
    ["Boto3/1.34.0 Botocore/1.34.0 AwsSecretCache/1.1.2", "caching-client"],
    ["Amazon ECS Agent - v1.86.0 (+http://aws.amazon.com/ecs/)", "ecs-agent"],
    ["Mozilla/5.0 (X11; Linux x86_64)", "console"],
    ["console.amazonaws.com", "console"],
    ["secretsmanager.amazonaws.com", "service"],
    ["aws-sdk-go-v2/1.30 os/linux", "sdk"],
    ["curl/8.5", "other"],
    [undefined, "other"],
  ])("%s is the family %s", (userAgent, family) => {
    expect(eventOf({ userAgent }).client).toBe(family);
  });
});

test.each([
  [undefined, "allowed"],
  ["AccessDenied", "denied"],
  ["AccessDeniedException", "denied"],
  ["Client.UnauthorizedOperation", "denied"],
  ["ResourceNotFoundException", "failed"],
])("with the error %s it was %s", (errorCode, outcome) => {
  expect(eventOf(errorCode === undefined ? {} : { errorCode }).outcome).toBe(outcome);
});

describe("a record that is none", () => {
  test.each<[string, unknown]>([
    ["eventSource or eventName is missing", {}],
    ["eventSource or eventName is missing", "text"],
    ["eventSource or eventName is missing", null],
    ["eventSource or eventName is missing", [record()]],
    ["eventSource or eventName is missing", record({ eventName: 7 })],
    ["eventID is missing", record({ eventID: {} })],
    ["eventTime is not a time", record({ eventTime: "yesterday" })],
  ])("%s", (malformed, one) => {
    expect(extract(one)).toEqual({ malformed });
  });

  test("whatever stands in it, it is an event, ignored, or malformed", () => {
    const anything = fc.dictionary(
      fc.constantFrom(
        "userIdentity",
        "eventTime",
        "requestParameters",
        "responseElements",
        "additionalEventData",
        "resources",
        "requestID",
        "errorMessage",
        "errorCode",
        "sourceIPAddress",
        "userAgent",
        "vpcEndpointId",
        "recipientAccountId",
        "awsRegion",
      ),
      fc.anything(),
    );
    fc.assert(
      fc.property(anything, (changes) => {
        const { event } = extract(record(changes)) as { event?: SecretEvent };
        expect(JSON.stringify(event?.secrets ?? []).length).toBeLessThan(20_000);
      }),
    );
  });

  test("what hides or breaks a line is gone from what is shown, and a page is the most there is", () => {
    const { secrets, principal } = eventOf({
      requestParameters: { secretId: `a\u0000b\n\u202Ec${"x".repeat(100_000)}` },
      userIdentity: { type: "IAMUser", arn: "arn:aws:iam::1:user/\u001b[31m<!channel>" },
    });
    expect(secrets[0]?.name).toMatch(/^a b {2}cx+$/);
    expect(secrets[0]?.name.length).toBeLessThanOrEqual(2_048);
    expect(principal?.key).toBe("arn:aws:iam::1:user/ [31m<!channel>");
  });

  test("a record nested ten thousand deep is read like any other", () => {
    const deep = JSON.parse(`${"[".repeat(10_000)}${"]".repeat(10_000)}`);
    expect(eventOf({ requestParameters: { secretId: "shop/database", deep } }).secrets[0]?.key).toBe(KEY);
  });
});
